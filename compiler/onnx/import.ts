/**
 * ONNX to IR: binds symbolic dimensions, inlines functions, and lets each op read its own nodes. Whatever the network
 * computes from constants alone (shape chains above all) is evaluated on demand, so ops see numbers, not graphs.
 */

import {DnncError, type Problem} from '../../ir/diagnostics.js';
import {blobOf, uniqueName} from '../../ir/edit.js';
import {nodesFor} from '../../ir/graph.js';
import type {Builder, OnnxCall, OpDef} from '../../ir/op.js';
import {microsoftImporters, onnxImporters, opOf} from '../../ir/ops/index.js';
import {printType} from '../../ir/print.js';
import {bytesOfTensor, type Tensor} from '../../ir/tensor.js';
import type {Attrs, Constant, Loc, Module, Node, TensorType, Value, ValueId} from '../../ir/types.js';
import {attributeReaders} from './attributes.js';
import type {OnnxAttribute, OnnxFunction, OnnxModel, OnnxNode, OnnxValueInfo} from './model.js';
import {firstSetOf} from './operator-sets.js';
import {dtypeOfOnnx, onnxTypeName, tensorOfProto} from './tensors.js';

export type ImportOptions = {
  /** As shown to people. */
  readonly file: string;
  /** Where external data lies; null refuses it. */
  readonly folder: string | null;
  /** The module's name and that of its one head. */
  readonly name: string;
  /** Sizes for symbolic dimensions; 1 where not named. */
  readonly bind?: ReadonlyMap<string, number>;
  /** Only these graph outputs, by name; all where absent. */
  readonly outputs?: readonly string[];
};

export type Imported = {
  readonly module: Module;
  /** Symbolic dimensions and what they were bound to. */
  readonly bound: ReadonlyMap<string, number>;
  /** Names of the head's outputs, as the file has them. */
  readonly outputs: readonly string[];
};

/** The node that could not be imported; its readers are passed over. */
const poison = Symbol('poison');
type Scope = Map<string, Value | typeof poison>;

/** Deeper function calls than this are a hostile file. */
const deepestCall = 64;

/** Throws one `input` error (rules broken) or one `unsupported` error that lists every node concerned. */
export function importModel(model: OnnxModel, options: ImportOptions): Imported {
  const {file, folder} = options;
  const place = {file, folder};
  const names = new Set<string>();
  const inputs: Value[] = [];
  const constants: Constant[] = [];
  const nodes: Node[] = [];
  const problems: {kind: 'unsupported' | 'input'; problem: Problem}[] = [];
  const bound = new Map<string, number>();
  const producers = new Map<ValueId, Node>();
  /** The file's own name for the value of each node output: helpers that an importer emits stand back. */
  const wantedNames = new Map<ValueId, string>();
  const tensors = new Map<ValueId, Tensor | null>();
  let nextId = 1;

  const newValue = (name: string, type: TensorType): Value => ({id: nextId++ as ValueId, name: uniqueName(name, names), type});
  const addConstant = (tensor: Tensor, name: string, loc: Loc): Value => {
    const value = newValue(name, {dtype: tensor.dtype, shape: tensor.shape});
    constants.push({value, blob: blobOf(bytesOfTensor(tensor)), loc});
    tensors.set(value.id, tensor);
    return value;
  };
  const complain = (kind: 'unsupported' | 'input', code: string, where: string, says: string, cure?: string): void => {
    problems.push({kind, problem: cure === undefined ? {code, where, says} : {code, where, says, cure}});
  };

  /** The tensor of a value that depends on constants alone, computed by the reference evaluator; null otherwise. */
  const tensorOfValue = (id: ValueId): Tensor | null => {
    const pending: ValueId[] = [id];
    while (pending.length > 0) {
      const at = pending.at(-1)!;
      const node = producers.get(at);
      if (tensors.has(at) || !node) {
        if (!tensors.has(at)) tensors.set(at, null);
        pending.pop();
        continue;
      }
      const operands = node.inputs.filter(input => input !== null);
      const unknown = operands.filter(input => !tensors.has(input));
      if (unknown.length > 0) {
        pending.push(...unknown);
        continue;
      }
      const values = node.inputs.map(input => (input === null ? null : (tensors.get(input) ?? null)));
      const known = values.every((tensor, i) => tensor !== null || node.inputs[i] === null);
      const results = known ? opOf(node).evaluate({attrs: node.attrs, inputs: values}, values) : [];
      node.outputs.forEach((output, i) => {
        tensors.set(output.id, results[i] ?? null);
      });
      pending.pop();
    }
    return tensors.get(id) ?? null;
  };

  /** Whether a value is a constant, or one step away from constants: as weights come. */
  const isConstantValue = (id: ValueId): boolean =>
    tensors.get(id) != null || (producers.get(id)?.inputs.every(input => input === null || tensors.get(input) != null) ?? false);

  const builderAt = (name: string, loc: Loc): Builder => ({
    emit<A extends Attrs>(op: OpDef<A>, operands: readonly (Value | null)[], attrs: A): readonly [Value, ...Value[]] {
      const call = {attrs, inputs: operands.map(operand => operand?.type ?? null)};
      for (const rule of op.rules)
        if (!rule.holds(call)) {
          const shown = call.inputs.map(type => (type ? printType(type) : 'none')).join(', ');
          throw new Refusal('input', rule.id, `${rule.says}; the operands are (${shown})`);
        }
      const [first, ...rest] = op.infer(call).map(type => newValue(name, type));
      const node: Node = {
        op: op.name,
        inputs: operands.map(operand => operand?.id ?? null),
        outputs: [first!, ...rest],
        attrs,
        loc,
      };
      nodes.push(node);
      for (const output of node.outputs) producers.set(output.id, node);
      return node.outputs;
    },
    literal: (tensor, literalName = `${name}.k`) => addConstant(tensor, literalName, loc),
  });

  const importNode = (node: OnnxNode, scope: Scope, opset: number, prefix: string, depth: number): void => {
    const given = node.inputs.map(name => (name === '' ? null : (scope.get(name) ?? null)));
    const callee = model.functions.find(f => f.name === node.opType && f.domain === node.domain && f.overload === node.overload);
    const importer = importersOf(node.domain)?.get(node.opType);
    const where = `${file}, node "${prefix}${node.name}" (${node.domain ? `${node.domain}.` : ''}${node.opType})`;
    const operands = given.filter(value => value !== poison);
    const first = importer && isDefault(node.domain) ? (firstSetOf(node.opType) ?? 1) : 1;
    const known = (importer !== undefined && opset >= first) || callee !== undefined;
    if (importer && !known)
      complain(
        'unsupported',
        'onnx.form',
        where,
        `${node.opType} is supported from operator set ${first} on; the model has ${opset}`,
        'convert the model with onnx.version_converter, or export it with a newer operator set',
      );
    else if (!known)
      complain(
        'unsupported',
        'onnx.op',
        where,
        `operator ${node.opType} of domain "${node.domain || 'ai.onnx'}" is not supported`,
        'export the model without it; `dnnc ops` lists what is supported',
      );
    if (!known || given.includes(poison)) {
      for (const output of node.outputs) scope.set(output, poison);
      return;
    }
    try {
      if (!importer) inline(node, callee!, operands, scope, prefix, depth);
      else {
        const loc: Loc = {kind: 'onnx', file, node: `${prefix}${node.name}`};
        const results = importer(onnxCall(node, operands, opset, builderAt(node.outputs[0] || node.name, loc)));
        node.outputs.forEach((name, i) => {
          if (name === '') return;
          const result = results[i];
          if (!result) throw new Refusal('unsupported', 'onnx.output', `output ${i} ("${name}") is not available`);
          scope.set(name, result);
          if (producers.has(result.id) && !wantedNames.has(result.id)) wantedNames.set(result.id, `${prefix}${name}`);
        });
      }
    } catch (error) {
      if (error instanceof DnncError && error.kind !== 'bug') {
        for (const problem of error.problems)
          complain(error.kind === 'unsupported' ? 'unsupported' : 'input', problem.code, where, problem.says, problem.cure);
      } else if (error instanceof Refusal) complain(error.kind, error.code, where, error.message, error.cure);
      else throw error;
      for (const output of node.outputs) scope.set(output, poison);
    }
  };

  const onnxCall = (node: OnnxNode, operands: readonly (Value | null)[], opset: number, build: Builder): OnnxCall => {
    const unsupported = (reason: string, cure?: string): never => {
      throw new Refusal('unsupported', 'onnx.form', reason, cure);
    };
    const invalid = (reason: string): never => {
      throw new Refusal('input', 'onnx.invalid', reason);
    };
    const constantOrNull = (index: number): Tensor | null => {
      const value = operands[index];
      return value ? tensorOfValue(value.id) : null;
    };
    return {
      ...build,
      ...attributeReaders(node, invalid, proto => tensorOfProto(proto, place)),
      op: node.opType,
      opset,
      inputs: operands,
      outputCount: node.outputs.length,
      dtypeOf: dtypeOfOnnx,
      input: index => operands[index] ?? invalid(`operand ${index} is missing`),
      constantOrNull,
      isConstant: index => {
        const value = operands[index];
        return value !== undefined && value !== null && isConstantValue(value.id);
      },
      constant: (index, what) =>
        constantOrNull(index) ??
        (operands[index]
          ? unsupported(
              `${what} (operand ${index}, "${node.inputs[index]}") depends on the network's input`,
              'export with static shapes, or make that operand an initializer',
            )
          : invalid(`${what} (operand ${index}) is missing`)),
      unsupported,
      invalid,
    };
  };

  const inline = (
    node: OnnxNode,
    callee: OnnxFunction,
    operands: readonly (Value | null)[],
    outer: Scope,
    prefix: string,
    depth: number,
  ): void => {
    if (depth >= deepestCall)
      throw new Refusal('input', 'onnx.recursion', `functions call each other more than ${deepestCall} deep`);
    const scope: Scope = new Map();
    callee.inputs.forEach((name, i) => {
      const operand = operands[i];
      if (operand) scope.set(name, operand);
    });
    const opset = callee.opsets.get('') ?? model.opsets.get('') ?? 1;
    const attributes = new Map([...callee.defaults, ...node.attributes]);
    for (const inner of callee.nodes)
      importNode(withAttributes(inner, attributes), scope, opset, `${prefix}${node.name}/`, depth + 1);
    node.outputs.forEach((name, i) => {
      const value = scope.get(callee.outputs[i] ?? '');
      if (name !== '') outer.set(name, value ?? poison);
    });
  };

  const {graph} = model;
  const scope: Scope = new Map();
  const initialized = new Set(graph.initializers.map(tensor => tensor.name));
  for (const initializer of graph.initializers)
    try {
      const tensor = tensorOfProto(initializer, place);
      scope.set(initializer.name, addConstant(tensor, initializer.name, {kind: 'onnx', file, node: initializer.name}));
    } catch (error) {
      if (!(error instanceof DnncError) || error.kind === 'bug') throw error;
      if (error.kind === 'input') throw error;
      for (const {code, where, says, cure} of error.problems) complain('unsupported', code, where, says, cure);
      scope.set(initializer.name, poison);
    }
  for (const {values} of graph.sparseInitializers) {
    complain(
      'unsupported',
      'onnx.sparse',
      `${file}, initializer "${values.name}"`,
      'sparse initializers are not supported',
      'store it dense',
    );
    scope.set(values.name, poison);
  }
  for (const info of graph.inputs)
    if (!initialized.has(info.name)) {
      const type = inputType(info, options, bound);
      if (typeof type === 'string') complain('unsupported', 'onnx.input', `${file}, input "${info.name}"`, type);
      if (typeof type === 'string') scope.set(info.name, poison);
      else {
        const value = newValue(info.name, type);
        inputs.push(value);
        tensors.set(value.id, null);
        scope.set(info.name, value);
      }
    }
  const opset = model.opsets.get('') ?? 1;
  for (const node of graph.nodes) importNode(node, scope, opset, '', 0);

  const wanted = options.outputs ?? graph.outputs.map(output => output.name);
  const outputs = wanted.map(name => {
    const value = scope.get(name);
    const cure = `its outputs are ${graph.outputs.map(output => output.name).join(', ')}`;
    if (value === undefined)
      throw new DnncError('input', [{code: 'onnx.head', where: file, says: `there is no output "${name}"`, cure}]);
    return value === poison ? null : value.id;
  });
  const broken = problems.filter(({kind}) => kind === 'input');
  const listed = broken.length > 0 ? broken : problems;
  if (listed.length > 0)
    throw new DnncError(
      listed[0]!.kind,
      listed.map(({problem}) => problem),
    );
  const all = {inputs, constants, nodes};
  const ids = outputs.filter(id => id !== null);
  const live = nodesFor(all, ids);
  const used = new Set([...live.flatMap(node => node.inputs), ...ids]);
  const kept = constants.filter(constant => used.has(constant.value.id));
  const module: Module = {
    name: options.name,
    attrs: {},
    graph: {inputs, constants: kept, nodes: named(live, [...inputs, ...kept.map(constant => constant.value)], wantedNames)},
    heads: [{name: options.name, outputs: ids, attrs: {}, loc: {kind: 'onnx', file, node: wanted.join(', ')}}],
  };
  return {module, bound, outputs: wanted};
}

/** Nodes whose outputs have the names that they want, and others names that are left. */
function named(nodes: readonly Node[], fixed: readonly Value[], wanted: ReadonlyMap<ValueId, string>): readonly Node[] {
  const taken = new Set(fixed.map(value => value.name));
  const chosen = new Map<ValueId, string>();
  const outputs = nodes.flatMap(node => node.outputs);
  for (const {id} of outputs) if (wanted.has(id)) chosen.set(id, uniqueName(wanted.get(id)!, taken));
  for (const {id, name} of outputs) if (!chosen.has(id)) chosen.set(id, uniqueName(name, taken));
  return nodes.map(node => {
    const [first, ...rest] = node.outputs;
    const rename = (value: Value): Value => ({...value, name: chosen.get(value.id)!});
    return {...node, outputs: [rename(first), ...rest.map(rename)]};
  });
}

const isDefault = (domain: string): boolean => domain === '' || domain === 'ai.onnx';

/** The operators of a domain that we know. */
const importersOf = (domain: string): typeof onnxImporters | null =>
  isDefault(domain) ? onnxImporters : domain === 'com.microsoft' ? microsoftImporters : null;

/** How an importer gives up on one node; never leaves this file. */
class Refusal extends Error {
  readonly kind: 'unsupported' | 'input';
  readonly code: string;
  readonly cure: string | undefined;
  constructor(kind: 'unsupported' | 'input', code: string, says: string, cure?: string) {
    super(says);
    this.kind = kind;
    this.code = code;
    this.cure = cure;
  }
}

/** An inner node of a function with its references replaced by what the caller gave. */
function withAttributes(node: OnnxNode, given: ReadonlyMap<string, OnnxAttribute>): OnnxNode {
  const attributes = new Map<string, OnnxAttribute>();
  for (const [name, attribute] of node.attributes) {
    const value = attribute.kind === 'ref' ? given.get(attribute.name) : attribute;
    if (value) attributes.set(name, value);
  }
  return {...node, attributes};
}

/** The type of a graph input with its symbols bound, or why there is none. */
function inputType(info: OnnxValueInfo, options: ImportOptions, bound: Map<string, number>): TensorType | string {
  if (info.kind !== 'tensor' || info.elemType === null) return `it is a ${info.kind}, not a tensor`;
  const dtype = dtypeOfOnnx(info.elemType);
  if (!dtype) return `element type ${onnxTypeName(info.elemType)} is not supported`;
  if (!info.shape) return 'its rank is unknown; export with a static shape';
  const shape = info.shape.map((dim, axis) => {
    if (typeof dim === 'number' && dim >= 0) return dim;
    const symbol = typeof dim === 'string' && dim !== '' ? dim : `${info.name}.${axis}`;
    const size = options.bind?.get(symbol) ?? 1;
    bound.set(symbol, size);
    return size;
  });
  return {dtype, shape};
}
