/** Models of several tasks to one module: each file is imported once, and its tasks become heads of one graph. */
import {readFileSync} from 'node:fs';
import {basename, dirname} from 'node:path';
import {fail} from '../ir/diagnostics.js';
import {uniqueName} from '../ir/edit.js';
import {inputsFor, outputNames, valueAt} from '../ir/graph.js';
import {printType} from '../ir/print.js';
import type {Attrs, Constant, Head, Module, Node, Value, ValueId} from '../ir/types.js';
import {isNetworkFile, readNetwork} from './network-file.js';
import {decodeModel} from './onnx/decode.js';
import {type Imported, importModel} from './onnx/import.js';
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
  /** Whether a size for a dimension that no model has is an error. Default true. */
  readonly strict?: boolean;
};

export function loadTasks(tasks: readonly Task[], {name, bind, share = true, strict = true}: LoadOptions): Loaded {
  const bound = new Map<string, number>();
  const wanted = tasks.flatMap(networksOf);
  const files = new Map<string, Wanted[]>();
  for (const network of wanted) files.set(network.model, [...(files.get(network.model) ?? []), network]);
  const parts = [...files].map(([file, its]) => {
    const imported = isNetworkFile(file) ? made(file) : imports(file, its, name, bind);
    for (const [symbol, size] of imported.bound) bound.set(symbol, size);
    const [all] = imported.module.heads;
    const heads = its.map(({head, attrs, output}): Head => {
      const at = output === null ? null : imported.outputs.indexOf(output);
      const names = at === null ? imported.outputs : [imported.outputs[at]!];
      const ids = at === null ? all!.outputs : [all!.outputs[at]!];
      return {...all!, name: head, attrs: {outputs: names, ...attrs}, outputs: ids};
    });
    const preparations = new Set(its.map(({task}) => JSON.stringify(task.input)));
    const preparation = share && preparations.size === 1 ? [...preparations][0]! : null;
    return {module: {...imported.module, heads}, prefix: its[0]!.head, preparation};
  });
  const unused = [...bind.keys()].find(symbol => !bound.has(symbol));
  if (strict && unused !== undefined)
    fail(
      'usage',
      'bind.unknown',
      unused,
      'is not a symbolic dimension of these models',
      bound.size > 0 ? `they have ${[...bound.keys()].join(', ')}` : 'they have none',
    );
  const module = merge(name, parts);
  for (const network of wanted) if (network.head !== network.task.name) checkOther(module, network);
  return {module, bound};
}

function imports(file: string, its: readonly Wanted[], name: string, bind: LoadOptions['bind']): Imported {
  const model = validateModel(decodeModel(readBytes(file), basename(file)), basename(file));
  const outputs = its.some(({output}) => output === null) ? {} : {outputs: [...new Set(its.map(({output}) => output!))]};
  return importModel(model, {file: basename(file), folder: dirname(file), name, bind, ...outputs});
}

/** What a recipe made of a network before. */
function made(file: string): Imported {
  const module = readNetwork(readBytes(file), basename(file));
  return {module, bound: new Map(), outputs: outputNames(module.heads[0]!)};
}

/** A head to be made, and the file that it comes from. */
type Wanted = {
  readonly task: Task;
  readonly head: string;
  readonly attrs: Attrs;
  readonly model: string;
  readonly output: string | null;
};

/** What a task is answered with: its network, and the others that are variants. */
function networksOf(task: Task): readonly Wanted[] {
  const others = task.others.map(({recipe, model, output}) => {
    const head = `${task.name}_${recipe.replaceAll(/\W/g, '_')}`;
    return {task, head, attrs: {task: task.name, recipe}, model, output};
  });
  return [{task, head: task.name, attrs: {}, model: task.model, output: task.output}, ...others];
}

/** Variants of a task take the same and give the same. */
function checkOther({graph, heads}: Module, {task, head: name}: Wanted): void {
  const typesOf = (wanted: string): readonly string[] => {
    const head = heads.find(each => each.name === wanted)!;
    const inputs = inputsFor(graph, head).map(input => printType(input.type));
    return [inputs.join(', '), head.outputs.map(id => printType(valueAt(graph, id).type)).join(', ')];
  };
  const [own, other] = [typesOf(task.name), typesOf(name)];
  if (String(own) === String(other)) return;
  fail(
    'usage',
    'task.other',
    name,
    `takes ${other[0]} and gives ${other[1]}, the task's own network takes ${own[0]} and gives ${own[1]}`,
    'name one output with NAME=FILE:OUTPUT, or make it a task of its own',
  );
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
