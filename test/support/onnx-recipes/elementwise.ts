/** Operators that take each element by itself. */

import {onnxOfDtype} from '../../../compiler/onnx/tensors.js';
import {elements} from '../../../ir/tensor.js';
import type {DType} from '../../../ir/types.js';
import type {Draft, Draw, Known, Recipe, Want} from '../onnx-draw.js';
import {float, int} from '../onnx-graph.js';
import {integers, isSigned, numbers, reals, text, unsigned} from './common.js';

type Rest = Omit<Recipe, 'op' | 'draw'>;

const unary = (op: string, want: Want = {dtypes: reals}, rest: Rest = {}): Recipe => ({
  op,
  ...rest,
  draw: draw => ({inputs: [draw.pick({empty: true, ...want})]}),
});

const exact: Rest = {exact: true};

const unaries: readonly Recipe[] = [
  unary('Abs', {dtypes: numbers}, exact),
  unary('Neg', {dtypes: ['f32', 'f64', 'i8', 'i16', 'i32', 'i64']}, exact),
  unary('Sign', {dtypes: numbers}, exact),
  unary('Relu', {dtypes: ['f32', 'f64', 'i8', 'i32']}, exact),
  ...['Floor', 'Ceil', 'Round'].map(op => unary(op, {dtypes: reals}, exact)),
  ...['Sin', 'Cos', 'Atan', 'Sinh', 'Cosh', 'Asinh', 'Exp', 'Erf', 'Tanh', 'Sigmoid'].map(op => unary(op)),
  ...['Softplus', 'Softsign', 'HardSwish', 'Mish'].map(op => unary(op)),
  unary('Tan', {dtypes: reals, low: -1.25, high: 1.25}),
  ...['Acos', 'Asin', 'Atanh'].map(op => unary(op, {dtypes: reals, low: -0.9, high: 0.9})),
  unary('Acosh', {dtypes: reals, low: 1.125, high: 5}),
  unary('Log', {dtypes: reals, low: 0.125, high: 5}),
  unary('Sqrt', {dtypes: reals, low: 0.125, high: 5}),
  unary('Reciprocal', {dtypes: reals, low: 0.25, high: 5}),
  unary('Not', {dtypes: ['bool']}, exact),
  unary('BitwiseNot', {dtypes: integers}, exact),
];

/** An activation with attributes: each in half of the nodes, between its bounds. */
const parametric = (
  op: string,
  bounds: Readonly<Record<string, readonly [number, number]>>,
  opsets?: Recipe['opsets'],
): Recipe => ({
  op,
  ...(opsets && {opsets}),
  draw: draw => ({
    inputs: [draw.pick({dtypes: reals})],
    attributes: Object.entries(bounds).flatMap(([name, [low, high]]) =>
      draw.maybe(float(name, low + draw.random.below(9) * ((high - low) / 8))),
    ),
  }),
});

const parametrics: readonly Recipe[] = [
  parametric('LeakyRelu', {alpha: [-0.5, 1.5]}),
  parametric('Elu', {alpha: [0.25, 2]}),
  parametric('Celu', {alpha: [0.25, 2]}),
  parametric('Selu', {alpha: [0.5, 2], gamma: [0.5, 1.5]}),
  parametric('ThresholdedRelu', {alpha: [0, 2]}),
  parametric('HardSigmoid', {alpha: [0.1, 0.5], beta: [0.25, 0.75]}),
  parametric('Swish', {alpha: [0.5, 1.5]}, [24, 99]),
  parametric('Shrink', {lambd: [0, 1], bias: [-0.5, 0.5]}),
  {
    op: 'Gelu',
    opsets: [20, 99],
    draw: draw => ({
      inputs: [draw.pick({dtypes: reals})],
      attributes: draw.maybe(text('approximate', draw.random.pick(['none', 'tanh']))),
    }),
  },
];

const special = (op: string, attributes: (draw: Draw) => Draft['attributes']): Recipe => ({
  op,
  exact: true,
  draw(draw) {
    const shape = draw.shape();
    const values = Array.from({length: elements(shape)}, () => draw.random.pick([0, 1.5, Number.NaN, Infinity, -Infinity]));
    const made = draw.numbers(draw.random.pick(reals), shape, values);
    const x = draw.random.chance(0.8) ? {...made, name: draw.name('x'), constant: false} : draw.pick({dtypes: reals});
    return {inputs: [x], attributes: attributes(draw) ?? []};
  },
});

const binary = (op: string, dtypes: readonly DType[], rest: Rest = {}, second: Want = {}, first: Want = {}): Recipe => ({
  op,
  ...rest,
  draw(draw) {
    const x = draw.pick({dtypes, empty: true, ...first});
    const y = draw.partner(x, {empty: true, ...second});
    return {inputs: draw.random.chance(0.5) || Object.keys(second).length > 0 ? [x, y] : [y, x]};
  },
});

const same: Rest = {exact: true};
const tame: readonly DType[] = ['f32', 'f64', 'f16', 'i32', 'i64', 'u32', 'u64', 'i8', 'u8', 'i16', 'u16'];
const compared: readonly DType[] = ['f32', 'f64', 'f16', 'i32', 'i64', 'u8', 'i8', 'u32', 'u64', 'i16', 'u16'];

const binaries: readonly Recipe[] = [
  ...['Add', 'Sub', 'Mul'].map(op => binary(op, tame)),
  binary('Div', ['f32', 'f64', 'i32', 'i64', 'u32', 'u64', 'u8', 'i8'], {}, {low: 0.5, high: 8}),
  ...['And', 'Or', 'Xor'].map(op => binary(op, ['bool'], same)),
  ...['BitwiseAnd', 'BitwiseOr', 'BitwiseXor'].map(op => binary(op, integers, same)),
  ...['Less', 'LessOrEqual', 'Greater', 'GreaterOrEqual'].map(op => binary(op, compared, same)),
  binary('Equal', [...compared, 'bool'], same),
  binary('Pow', reals, {}, {low: -2, high: 2}, {low: 0.25, high: 4}),
  {
    op: 'Pow',
    draw(draw) {
      const x = draw.pick({dtypes: ['f32', 'f64', 'i32', 'i64'], low: -6, high: 6});
      const dtype = draw.random.pick(['f32', 'i32', 'i64', 'f64'] as const);
      return {inputs: [x, draw.numbers(dtype, draw.random.pick([[], [1]]), [draw.between(0, 3)])]};
    },
  },
  {
    op: 'Mod',
    draw(draw) {
      const x = draw.pick({dtypes: ['i32', 'i64', 'f32', 'u8', 'i8', 'u32', 'u64', 'i16', 'u16', 'f64']});
      const float = reals.includes(x.tensor.dtype);
      const y = draw.partner(x, {fits: ({data}) => data.every(value => Number(value) !== 0), low: 1, high: 5});
      return {inputs: [x, y], attributes: float || draw.random.chance(0.3) ? [int('fmod', 1)] : []};
    },
  },
  {
    op: 'BitShift',
    exact: true,
    draw(draw) {
      const x = draw.pick({dtypes: unsigned, low: 0, high: 200});
      const direction = text('direction', draw.random.pick(['LEFT', 'RIGHT']));
      return {inputs: [x, draw.partner(x, {low: 0, high: 7})], attributes: [direction]};
    },
  },
  {
    op: 'PRelu',
    draw(draw) {
      const x = draw.pick({dtypes: ['f32', 'f64', 'i32', 'i64', 'u32']});
      const {shape, dtype} = x.tensor;
      const channels = [shape[1] ?? 1, ...shape.slice(2).map(() => 1)];
      const slopes = [channels, shape.slice(-1), [1], shape, shape.map((size, i) => (i % 2 ? size : 1))];
      if (draw.opset < 7) slopes.push([shape[1] ?? 1]);
      return {inputs: [x, draw.fresh(dtype, draw.random.pick(slopes.filter(slope => slope.length <= shape.length)))]};
    },
  },
  {
    op: 'Where',
    exact: true,
    draw(draw) {
      const x = draw.pick({dtypes: ['f32', 'f64', 'i64', 'i32', 'u8', 'bool']});
      const y = draw.partner(x);
      return {inputs: [draw.partner(x, {dtypes: ['bool']}), ...draw.shuffled([x, y])]};
    },
  },
];

const variadic = (op: string, dtypes: readonly DType[], isExact: boolean): Recipe => ({
  op,
  exact: isExact,
  draw(draw) {
    const x = draw.pick({dtypes});
    const others = Array.from({length: draw.random.below(3)}, () => draw.partner(x));
    return {inputs: draw.shuffled([x, ...others])};
  },
});

function clip(draw: Draw): Draft {
  const x = draw.pick({dtypes: draw.opset < 12 ? reals : ['f32', 'f64', 'i8', 'u8', 'i32', 'u32', 'i64', 'u64']});
  const {dtype} = x.tensor;
  const low = isSigned(dtype) ? draw.between(-3, 1) : draw.between(0, 2);
  const high = low + draw.random.below(4);
  if (draw.opset < 11) return {inputs: [x], attributes: [...draw.maybe(float('min', low)), ...draw.maybe(float('max', high))]};
  const bound = (value: number): Known | null => {
    if (draw.random.chance(0.3)) return null;
    const constant = draw.random.chance(0.7);
    return {...draw.numbers(dtype, [], [value]), name: draw.name(constant ? 'k' : 'x'), constant};
  };
  return {inputs: [x, bound(low), bound(high)]};
}

const castable: readonly DType[] = ['f32', 'f64', 'f16', 'i32', 'i64', 'u8', 'i8', 'i16', 'u16', 'u32', 'u64', 'bool'];

/** Out of range of the new type is undefined. */
const fitsAll = (values: ArrayLike<number | bigint>, to: DType): boolean =>
  Array.from(values).every(value => Math.abs(Number(value)) < 127 && (isSigned(to) || to === 'bool' || Number(value) > -1));

function castTo(draw: Draw): readonly [Known, DType] | null {
  const x = draw.pick({dtypes: castable});
  const to = draw.random.pick(castable);
  return fitsAll(x.tensor.data, to) ? [x, to] : null;
}

export const elementwiseRecipes: readonly Recipe[] = [
  ...unaries,
  ...parametrics,
  ...binaries,
  special('IsNaN', () => []),
  special('IsInf', draw => ['detect_negative', 'detect_positive'].flatMap(name => draw.maybe(int(name, draw.random.below(2))))),
  ...['Max', 'Min'].map(op => variadic(op, ['f32', 'f64', 'i32', 'i64', 'u32', 'u64', 'i8', 'u8'], true)),
  ...['Sum', 'Mean'].map(op => variadic(op, reals, false)),
  {op: 'Clip', exact: true, draw: clip},
  {
    op: 'Cast',
    exact: true,
    draw(draw) {
      const [x, to] = castTo(draw) ?? [];
      return x && to ? {inputs: [x], attributes: [int('to', onnxOfDtype(to))]} : null;
    },
  },
  {
    op: 'CastLike',
    opsets: [15, 99],
    exact: true,
    draw(draw) {
      const [x, to] = castTo(draw) ?? [];
      return x && to ? {inputs: [x, draw.fresh(to, draw.shape(0, 2))]} : null;
    },
  },
];
