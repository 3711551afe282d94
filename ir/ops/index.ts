/** The registry: an import and a word per op. */
import {invariant} from '../diagnostics.js';
import type {OpDef} from '../op.js';
import type {Node} from '../types.js';
import {elementwiseOps} from './elementwise/index.js';

export const ops: readonly OpDef[] = [...elementwiseOps];

const byName = new Map(ops.map(op => [op.name, op]));

export const findOp = (name: string): OpDef | undefined => byName.get(name);

export function opOf(node: Node): OpDef {
  const op = byName.get(node.op);
  invariant(op, 'ir.op', node.op, 'is not an op');
  return op;
}
