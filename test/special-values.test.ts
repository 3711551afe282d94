/**
 * Infinities, halves, signed zeros, subnormals and NaN through every element-wise op, element by element: generated C against the
 * reference. (In ops.test.ts errors are relative to the largest value, which infinity would make meaningless.)
 */
import test from 'ava';
import type {OpDef} from '../ir/op.js';
import {elementwiseOps} from '../ir/ops/elementwise/index.js';
import {elements, numberAt, type Tensor, tensorFrom} from '../ir/tensor.js';
import type {DType, TensorType} from '../ir/types.js';
import {buildAll, targetsHere} from './support/cc.js';
import {casesOfElementwise} from './support/op-cases.js';
import {moduleOf} from './support/op-module.js';
import {referenceOf} from './support/reference.js';
import {isReal} from './support/tensors.js';

const real = [
  0, -0, 0.5, -0.5, 1, -1, 1.5, 2.5, -2.5, 3, 1e-40, -1e-40, 1e-7, 88.5, -88.5, 300, -300, 16777217, 1e10, -1e10, 1e30, -1e30,
];
const odd = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.NaN];
const reals = [...real, ...odd];

const limits: Readonly<Partial<Record<DType, readonly (number | bigint)[]>>> = {
  i8: [-128, -127, -1, 0, 1, 2, 3, 7, 127],
  u8: [0, 1, 2, 3, 7, 128, 255],
  i32: [-(2 ** 31), 1 - 2 ** 31, -1, 0, 1, 2, 3, 7, 65536, 2 ** 31 - 1],
  u32: [0, 1, 2, 3, 7, 31, 65536, 2 ** 31, 2 ** 32 - 1],
  i64: [-(2n ** 63n), 1n - 2n ** 63n, -1n, 0n, 1n, 2n, 3n, 7n, 63n, 2n ** 32n, 2n ** 63n - 1n],
  u64: [0n, 1n, 2n, 3n, 7n, 63n, 2n ** 32n, 2n ** 63n, 2n ** 64n - 1n],
  bool: [0, 1],
};
const valuesOf = (dtype: DType): readonly (number | bigint)[] => limits[dtype] ?? reals;

/** Every value of the first operand meets every value of the second and, in turn, of the third. */
const shapeFor = (dtype: DType, index: number): readonly number[] => {
  const count = valuesOf(dtype).length;
  return index === 0 ? [count, 1] : index === 1 ? [1, count] : [count, 1, 1];
};
const special = (_: OpDef, __: number, {dtype, shape}: TensorType): Tensor => {
  const values = valuesOf(dtype);
  return tensorFrom(
    dtype,
    shape,
    Array.from({length: elements(shape)}, (___, i) => values[i % values.length]!),
  );
};

/** Differences of nearly equal numbers: what they leave has the error of the operand. */
const cancelling: ReadonlySet<string> = new Set(['gelu']);

/** Relative to the value itself; below the smallest normal number only the size counts. */
function wrongAt(op: string, actual: Tensor, expected: Tensor, inputs: string): string | null {
  for (let i = 0; i < expected.data.length; i++) {
    if (actual.data[i] === expected.data[i]) continue;
    // 1 + tanh(-infinity) may be 0 or its last bit: an infinite factor makes that NaN or infinity.
    if (cancelling.has(op) && !Number.isFinite(Number(reals[i]))) continue;
    const [a, b] = [numberAt(actual, i), numberAt(expected, i)];
    if (Number.isNaN(a) && Number.isNaN(b)) continue;
    const size = Math.abs(b) + (cancelling.has(op) ? Math.abs(Number(reals[i])) : 0);
    const close = isReal(expected.dtype) && Math.abs(a - b) <= 2e-6 * size + 2e-38;
    if (!close) return `${op} ${inputs} [${i}] is ${actual.data[i]}, not ${expected.data[i]}`;
  }
  return null;
}

test('special values through every element-wise op', async t => {
  t.timeout(900_000);
  const built = elementwiseOps.flatMap(op => {
    const seen = new Set<string>();
    const cases = casesOfElementwise(op).flatMap(({attrs, inputs}) => {
      const types = inputs.flatMap((type, i) => (type ? [{dtype: type.dtype, shape: shapeFor(type.dtype, i)}] : []));
      const name = `${types.map(({dtype}) => dtype)} ${JSON.stringify(attrs)}`;
      if (seen.has(name)) return [];
      seen.add(name);
      return [{name, attrs, inputs: types}];
    });
    return cases.map(one => ({op, name: one.name, ...moduleOf(op, [one], special)}));
  });
  const targets = [targetsHere[0]!, targetsHere.at(-1)!];
  const programs = await buildAll(
    built.map(({module}) => module),
    {targets},
  );
  const wrong = built.flatMap(({op, name, module, inputs}, i) => {
    const program = programs[i]!;
    if (program instanceof Error) return [`${op.name} ${name}: ${program.message}`];
    const [expected] = [...referenceOf(module, inputs).values()];
    return targets.flatMap(target => {
      const [actual] = [...program.run(target, inputs).values()];
      const says = wrongAt(op.name, actual![0]!, expected![0]!, name);
      return says === null ? [] : [`${target.name}: ${says}`];
    });
  });
  t.deepEqual(wrong, []);
});
