/** Models of several tasks to one module: each file is imported once, and its tasks become heads of one graph. */
import {readFileSync} from 'node:fs';
import {basename, dirname} from 'node:path';
import {fail} from '../ir/diagnostics.js';
import {uniqueName} from '../ir/edit.js';
import {printType} from '../ir/print.js';
import type {Constant, Head, Module, Node, Value, ValueId} from '../ir/types.js';
import {decodeModel} from './onnx/decode.js';
import {importModel} from './onnx/import.js';
import {validateModel} from './onnx/validate.js';
import type {Task} from './tasks.js';

export type Loaded = {
  readonly module: Module;
  /** Symbolic dimensions and the sizes they were bound to, over all files. */
  readonly bound: ReadonlyMap<string, number>;
};

export type LoadOptions = {
  readonly name: string;
  readonly bind: ReadonlyMap<string, number>;
  /** Whether models look at one input, where they prepare it alike; what they then compute alike is computed once. Default true. */
  readonly share?: boolean;
};

export function loadTasks(tasks: readonly Task[], {name, bind, share = true}: LoadOptions): Loaded {
  const bound = new Map<string, number>();
  const files = new Map<string, Task[]>();
  for (const task of tasks) files.set(task.model, [...(files.get(task.model) ?? []), task]);
  const parts = [...files].map(([file, its]) => {
    const model = validateModel(decodeModel(readBytes(file), basename(file)), basename(file));
    const wanted = its.some(task => task.output === null) ? {} : {outputs: [...new Set(its.map(task => task.output!))]};
    const imported = importModel(model, {file: basename(file), folder: dirname(file), name, bind, ...wanted});
    for (const [symbol, size] of imported.bound) bound.set(symbol, size);
    const [all] = imported.module.heads;
    const heads = its.map((task): Head => {
      const at = task.output === null ? null : imported.outputs.indexOf(task.output);
      const names = at === null ? imported.outputs : [imported.outputs[at]!];
      return {...all!, name: task.name, attrs: {outputs: names}, outputs: at === null ? all!.outputs : [all!.outputs[at]!]};
    });
    const preparations = new Set(its.map(task => JSON.stringify(task.input)));
    const preparation = share && preparations.size === 1 ? [...preparations][0]! : null;
    return {module: {...imported.module, heads}, prefix: its[0]!.name, preparation};
  });
  const unused = [...bind.keys()].find(symbol => !bound.has(symbol));
  if (unused !== undefined)
    fail(
      'usage',
      'bind.unknown',
      unused,
      'is not a symbolic dimension of these models',
      bound.size > 0 ? `they have ${[...bound.keys()].join(', ')}` : 'they have none',
    );
  return {module: merge(name, parts), bound};
}

function readBytes(file: string): Uint8Array {
  try {
    return readFileSync(file);
  } catch (error) {
    return fail(
      'input',
      'file.unreadable',
      file,
      error instanceof Error ? error.message : String(error),
      'check the path and its permissions',
    );
  }
}

type MergePart = {
  readonly module: Module;
  readonly prefix: string;
  /** How inputs are prepared: parts that do it alike look at one input. null: this part has inputs of its own. */
  readonly preparation: string | null;
};

/** One module of several; where names meet, the later part's get its task as prefix. */
export function merge(name: string, parts: readonly MergePart[]): Module {
  const names = new Set<string>();
  const inputs: Value[] = [];
  const constants: Constant[] = [];
  const nodes: Node[] = [];
  const heads: Head[] = [];
  const known = new Map<string, Value>();
  let nextId = 1;
  for (const {module, prefix, preparation} of parts) {
    const ids = new Map<ValueId, ValueId>();
    const moved = (value: Value): Value => {
      const id = nextId++ as ValueId;
      ids.set(value.id, id);
      return {...value, id, name: uniqueName(names.has(value.name) ? `${prefix}.${value.name}` : value.name, names)};
    };
    const at = (id: ValueId): ValueId => ids.get(id)!;
    const own = new Map<string, Value>();
    for (const input of module.graph.inputs) {
      // The only input of a model may have any name.
      const called = module.graph.inputs.length === 1 ? '' : input.name;
      const key = preparation === null ? '' : `${called} ${printType(input.type)} ${preparation}`;
      const twin = known.get(key);
      if (twin) ids.set(input.id, twin.id);
      else {
        const fresh = moved(input);
        inputs.push(fresh);
        if (preparation !== null) own.set(key, fresh);
      }
    }
    for (const [key, input] of own) known.set(key, input);
    constants.push(...module.graph.constants.map(constant => ({...constant, value: moved(constant.value)})));
    for (const node of module.graph.nodes) {
      const operands = node.inputs.map(id => (id === null ? null : at(id)));
      const [first, ...rest] = node.outputs;
      nodes.push({...node, inputs: operands, outputs: [moved(first), ...rest.map(moved)]});
    }
    heads.push(...module.heads.map(head => ({...head, outputs: head.outputs.map(at)})));
  }
  return {name, attrs: {}, graph: {inputs, constants, nodes}, heads};
}
