/** Each ONNX operator with the op that reads it and how that op runs. */
import type {OpDef} from '../ir/op.js';
import {onnxImporters, ops} from '../ir/ops/index.js';

export type Spelling = {readonly operator: string; readonly op: string; readonly runs: string};

export function onnxSpellings(): readonly Spelling[] {
  return [...onnxImporters.keys()].sort().map(operator => {
    const op = ops.find(candidate => candidate.fromOnnx && operator in candidate.fromOnnx);
    return {operator, op: op?.name ?? 'others', runs: op ? wayOf(op) : 'those run, or at build time'};
  });
}

function wayOf(op: OpDef): string {
  if (op.view) return 'view of memory';
  if (op.scalar) return 'generated loop, fused';
  if (op.place) return 'operands written in place';
  return `kernel (${(op.kernel?.dtypes ?? ['f32']).join(', ')})`;
}
