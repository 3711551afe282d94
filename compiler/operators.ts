/** The table of ONNX operators: since when each is read, for which element types, what it becomes, and how it is tested. */
import type {OpDef} from '../ir/op.js';
import {bitcast} from '../ir/ops/bitcast/index.js';
import {type Composition, compositions, microsoftCompositions, ops} from '../ir/ops/index.js';
import type {DType} from '../ir/types.js';
import {firstSetOf, operatorSets} from './onnx/operator-sets.js';
import {tested} from './tested.js';

export type Operator = {
  /** With its domain in front where that is not ai.onnx. */
  readonly operator: string;
  /** Operator sets of its domain, such as "6-28". */
  readonly sets: string;
  /** "any": all that ONNX allows for it. */
  readonly types: string;
  readonly runs: string;
  /** ONNX's own tests that have it and pass. */
  readonly onnxTests: number;
  /** Cases of its op, each by the reference evaluator and by the code of every target. */
  readonly cases: number;
  /** Whether random models, which are compared with onnxruntime, draw it. */
  readonly random: boolean;
};

/** In alphabetical order, those of ai.onnx first. */
export function operators(): readonly Operator[] {
  const own = ops.flatMap(op => Object.keys(op.fromOnnx ?? {}).map(name => rowOf(name, '', [op], wayOf(op), op)));
  const composed = (list: readonly Composition[], domain: string): readonly Operator[] =>
    list.flatMap(({importers, by}) => Object.keys(importers).map(name => rowOf(name, domain, by, 'composed', null)));
  const byName = (a: Operator, b: Operator): number => (a.operator < b.operator ? -1 : 1);
  return [
    ...[...own, ...composed(compositions, '')].sort(byName),
    ...[...composed(microsoftCompositions, 'com.microsoft')].sort(byName),
  ];
}

function rowOf(name: string, domain: string, by: readonly OpDef[], runs: string, op: OpDef | null): Operator {
  const operator = domain === '' ? name : `${domain}.${name}`;
  const [onnxTests, random] = tested.operators[operator] ?? [0, false];
  return {
    operator,
    sets: domain === '' ? setsOf(name) : '1',
    types: typesOf(by),
    runs,
    onnxTests,
    cases: op ? (tested.ops[op.name] ?? 0) : 0,
    random,
  };
}

/** onnxruntime writes an operator of its own under ai.onnx: without a set there. */
function setsOf(name: string): string {
  const first = firstSetOf(name);
  return first === undefined ? '1' : `${first}-${operatorSets.last}`;
}

/** Element types that all of the ops have kernels for. */
function typesOf(by: readonly OpDef[]): string {
  const limits = by.flatMap(op => (op.kernel ? [op.kernel.dtypes ?? (['f32'] as const)] : []));
  const [first] = limits;
  if (!first) return 'any';
  const common = first.filter(dtype => limits.every(list => (list as readonly DType[]).includes(dtype)));
  // Halves are computed in f32: that would change the bits that BitCast is about.
  const widens = common.includes('f32') && !by.includes(bitcast);
  return (widens ? ['f16', 'bf16', ...common] : common).join(' ');
}

function wayOf(op: OpDef): string {
  if (op.view) return 'view of memory';
  if (op.scalar) return 'generated loop, fused';
  if (op.place) return 'operands written in place';
  return `kernel ${op.name}`;
}
