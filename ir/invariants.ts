/**
 * What is guaranteed about a module, by name. The pass manager checks every guarantee that holds after every pass.
 *
 * well-formed       operands come from inputs, constants or earlier nodes; ids and names are single; heads exist
 * inferred          stored result types are what the op's type rule gives
 * rules-hold        every rule of every op holds
 * canonical         no node that canonicalize would rewrite: no reshape of a reshape, no product by a constant matrix as matmul
 * constants-folded  no node has only constants as operands
 * batchnorm-folded  no batch normalization follows a convolution or linear layer as its only reader
 * recognized        no normalization, softmax or small power is spelt out in element-wise steps and folds
 * unique            no two nodes compute the same from the same operands
 * fused             no element-wise node could still go into the contraction that it alone reads
 */
import {invariant} from './diagnostics.js';
import {constantOf, valueAt} from './graph.js';
import {identityOf} from './hash.js';
import {opOf} from './ops/index.js';
import {printType} from './print.js';
import type {Module, Node, ValueId} from './types.js';

export const invariantNames = [
  'well-formed',
  'inferred',
  'rules-hold',
  'canonical',
  'constants-folded',
  'batchnorm-folded',
  'recognized',
  'unique',
  'fused',
] as const;
export type InvariantName = (typeof invariantNames)[number];

/** Those that a check here proves; the others are established by a pass reaching its fixpoint, and its tests prove that. */
const checks: Partial<Record<InvariantName, (module: Module) => void>> = {
  'well-formed': wellFormed,
  inferred: module => eachCall(module, inferred),
  'rules-hold': module => eachCall(module, rulesHold),
  'constants-folded': constantsFolded,
  unique,
};

/** Throws a `bug` that names the invariant and the node. */
export function verify(module: Module, names: Iterable<InvariantName>): void {
  for (const name of names) checks[name]?.(module);
}

function wellFormed({graph, heads}: Module): void {
  const seen = new Set<ValueId>();
  const names = new Set<string>();
  const define = (id: ValueId, name: string): void => {
    invariant(!seen.has(id), 'well-formed.single', name, 'is defined twice');
    invariant(!names.has(name), 'well-formed.name', name, 'names two values');
    seen.add(id);
    names.add(name);
  };
  for (const input of graph.inputs) define(input.id, input.name);
  for (const {value} of graph.constants) define(value.id, value.name);
  for (const node of graph.nodes) {
    for (const id of node.inputs)
      invariant(id === null || seen.has(id), 'well-formed.order', node.outputs[0].name, `reads value ${id} before it is made`);
    for (const output of node.outputs) define(output.id, output.name);
  }
  for (const head of heads)
    for (const id of head.outputs)
      invariant(seen.has(id), 'well-formed.head', head.name, `returns value ${id}, which nobody makes`);
}

const eachCall = (module: Module, check: (node: Node, module: Module) => void): void => {
  for (const node of module.graph.nodes) check(node, module);
};

const callOf = (node: Node, {graph}: Module) => ({
  attrs: node.attrs,
  inputs: node.inputs.map(id => (id === null ? null : valueAt(graph, id).type)),
});

function inferred(node: Node, module: Module): void {
  const shown = node.outputs.map(output => printType(output.type)).join(', ');
  const meant = opOf(node).infer(callOf(node, module)).map(printType).join(', ');
  invariant(
    shown === meant,
    'inferred',
    `%${node.outputs[0].name} = ${node.op}`,
    `has type ${shown}, but its rule gives ${meant}`,
  );
}

function rulesHold(node: Node, module: Module): void {
  for (const rule of opOf(node).rules)
    invariant(rule.holds(callOf(node, module)), rule.id, `%${node.outputs[0].name} = ${node.op}`, rule.says);
}

function constantsFolded({graph}: Module): void {
  for (const node of graph.nodes) {
    const constant = node.inputs.every(id => id === null || constantOf(graph, id)) && node.inputs.length > 0;
    invariant(!constant, 'constants-folded', `%${node.outputs[0].name} = ${node.op}`, 'has only constant operands');
  }
}

function unique({graph}: Module): void {
  const seen = new Map<string, Node>();
  for (const node of graph.nodes) {
    const key = identityOf(graph, node);
    const twin = seen.get(key);
    invariant(!twin, 'unique', `%${node.outputs[0].name} = ${node.op}`, `computes the same as %${twin?.outputs[0].name}`);
    seen.set(key, node);
  }
}
