/** Half-width floats and 4-bit integers: every bit pattern, and numbers between them, cast by generated C as by the reference. */
import test from 'ava';
import {parse} from '../ir/parse.js';
import {type Tensor, tensorFrom, zeros} from '../ir/tensor.js';
import type {DType, Module} from '../ir/types.js';
import {buildAll, targetsHere} from './support/cc.js';
import {referenceOf} from './support/reference.js';

const patterns = (dtype: DType): Tensor => {
  const all = zeros(dtype, [65536]);
  for (let i = 0; i < 65536; i++) all.data[i] = i;
  return all;
};

/** Numbers on, beside and half-way between halves of every size, in f64. */
function between(): Tensor {
  const values = [0, -0, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 65504, 65519.99, 65520, 1e300, 5e-324];
  for (let exponent = -30; exponent < 18; exponent++)
    for (const steps of [1024, 1024.5, 1025, 1025.49999, 1025.5, 1025.50001, 1026.5, 2047.5, 2047.75, 1 + 1 / 512, 1 + 3 / 512])
      values.push(steps * 2 ** exponent, -steps * 2 ** (exponent - 10));
  return tensorFrom('f64', [values.length], values);
}

const casting = (from: DType, to: DType, count: number): Module =>
  parse(`dnnc-ir 1

module @m {
  input %x : ${from}[${count}]
  %y = cast(%x) {to = "${to}"} : ${to}[${count}]
  head @y = %y
}
`);

const whole = (dtype: DType, values: readonly number[]): Tensor => tensorFrom(dtype, [values.length], values);
const signed = [-129, -17, -9, -8, -1, 0, 1, 7, 8, 15, 16, 127];

const targetsOfCast: readonly DType[] = [
  ...(['f64', 'f32', 'f16', 'bf16', 'i8', 'i16', 'i32', 'i64', 'u8', 'u16', 'u32', 'u64', 'i4', 'u4', 'bool'] as const),
];

const cases: readonly (readonly [x: Tensor, to: DType])[] = [
  ...(['f16', 'bf16'] as const).flatMap((from): readonly (readonly [Tensor, DType])[] =>
    targetsOfCast.filter(to => to !== from).map(to => [patterns(from), to] as const),
  ),
  [between(), 'f16'],
  [between(), 'bf16'],
  [tensorFrom('f32', [between().data.length], Array.from(between().data, Number)), 'f16'],
  [tensorFrom('f32', [between().data.length], Array.from(between().data, Number)), 'bf16'],
  [whole('i32', [-70000, -65519, -2049, -1, 0, 1, 2049, 2051, 65519, 65520, 16777217]), 'f16'],
  [whole('i32', [-70000, 257, 259, 65537, 16777217]), 'bf16'],
  [whole('bool', [0, 1]), 'f16'],
  ...(['i4', 'u4'] as const).flatMap((to): readonly (readonly [Tensor, DType])[] => [
    [whole('f32', [...signed, 7.9, -7.9, -8.5, Number.NaN, 1e20, -1e20, Number.POSITIVE_INFINITY]), to],
    [whole('i32', signed), to],
    [
      whole(
        'i8',
        signed.filter(x => x >= -128),
      ),
      to,
    ],
    [whole('u8', [0, 7, 8, 15, 16, 255]), to],
    [whole('bool', [0, 1]), to],
  ]),
  ...(['f32', 'f64', 'i8', 'u8', 'i64', 'bool', 'u4'] as const).map((to): readonly [Tensor, DType] => [
    whole('i4', [-8, -1, 0, 1, 7]),
    to,
  ]),
  [whole('u4', [0, 7, 8, 15]), 'i4'],
];

test('casts of narrow types: C and the reference agree bit by bit, NaN as NaN', async t => {
  t.timeout(300_000);
  const modules = cases.map(([{dtype, data}, to]) => casting(dtype, to, data.length));
  const programs = await buildAll(modules, {targets: targetsHere});
  for (const [i, [x, to]] of cases.entries()) {
    const program = programs[i]!;
    if (program instanceof Error) throw program;
    const inputs = new Map([['x', x]]);
    const [want] = referenceOf(modules[i]!, inputs).get('y')!;
    for (const target of targetsHere) {
      const [got] = program.run(target, inputs).get('y')!;
      const wrong = Array.from(want!.data, Number).findIndex((value, at) => !sameBits(to, value, Number(got!.data[at])));
      t.is(wrong, -1, `${x.dtype} ${x.data[wrong]} to ${to} on ${target.name}: ${got!.data[wrong]}, not ${want!.data[wrong]}`);
    }
  }
});

/** NaN has many bit patterns. */
function sameBits(dtype: DType, a: number, b: number): boolean {
  const noNumber = (bits: number): boolean =>
    dtype === 'f16' ? (bits & 0x7fff) > 0x7c00 : dtype === 'bf16' ? (bits & 0x7fff) > 0x7f80 : Number.isNaN(bits);
  return Object.is(a, b) || (noNumber(a) && noNumber(b));
}

test('a network of halves computes in f32 and returns halves', async t => {
  const module = parse(`dnnc-ir 1

module @m {
  input %x : f16[1,3]
  const %w : f16[2,3] = [1, 2, 3, 4, 5, 6]
  %a = linear(%x, %w) : f16[1,2]
  %y = relu(%a) : f16[1,2]
  head @y = %y
}
`);
  const [program] = await buildAll([module], {targets: targetsHere});
  if (program instanceof Error || !program) throw program;
  for (const target of targetsHere) {
    const results = program.run(target, new Map([['x', tensorFrom('f16', [1, 3], [1, -0.5, 0.25])]]));
    t.deepEqual(results.get('y'), [tensorFrom('f16', [1, 2], [0.75, 3])], target.name);
  }
});
