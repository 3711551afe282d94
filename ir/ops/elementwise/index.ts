/**
 * The element-wise ops, a line each: name, meaning, ONNX spelling. They share one folder because they share everything but
 * that line; type rule, broadcasting, evaluation, C and fusion all come from the expression.
 */
import type {FromOnnx, OnnxCall, OpDef} from '../../op.js';
import {printNumber} from '../../scalar/text.js';
import {numberAt, tensorFrom} from '../../tensor.js';
import type {Attrs, DType, Value} from '../../types.js';
import {axisOf, reshapeTo} from '../reshape/index.js';
import {elementwise} from './define.js';

type Plain = Record<never, never>;
const plain: Plain = {};

/** An op without attributes whose operands are those of the ONNX op of that name, or are given by hand. */
function simple(name: string, expression: string, onnx?: string | Readonly<Record<string, FromOnnx>>): OpDef<Plain> {
  const arity = Math.max(...[...expression.matchAll(/x(\d)/g)].map(match => Number(match[1]))) + 1;
  const fromOnnx: OpDef['fromOnnx'] = typeof onnx === 'string' ? {[onnx]: call => emitSame(op, call, arity)} : onnx;
  const op: OpDef<Plain> = elementwise<Plain>({
    name,
    operands: ['x', 'y', 'z', 'u', 'v'].slice(0, arity),
    expression,
    ...(fromOnnx && {fromOnnx}),
  });
  return op;
}

function emitSame(op: OpDef<Plain>, call: OnnxCall, arity: number): readonly Value[] {
  const operands = Array.from({length: arity}, (_, i) => call.input(i));
  return call.emit(op, arity === 2 ? [call.input(0), aligned(call)] : operands, plain);
}

/** The second operand: before opset 7 one with fewer axes lines up at attribute `axis`, or at the end where there is none. */
function aligned(call: OnnxCall): Value {
  const [x, y] = [call.input(0), call.input(1)];
  if (call.opset >= 7 || !call.has('axis')) return y;
  const axis = axisOf(call, call.int('axis'), x.type.shape.length);
  const after = x.type.shape.length - axis - y.type.shape.length;
  if (after < 0) call.invalid(`[${y.type.shape}] at axis ${axis} does not fit into [${x.type.shape}]`);
  return reshapeTo(call, y, [...y.type.shape, ...new Array<number>(after).fill(1)])[0];
}

export const relu = simple('relu', 'max(x0, 0)', 'Relu');
export const add = simple('add', 'add(x0, x1)', {
  Add: call => emitSame(add, call, 2),
  Sum: call => [fold(call, add)],
});
export const sub = simple('sub', 'sub(x0, x1)', 'Sub');
export const mul = simple('mul', 'mul(x0, x1)', 'Mul');
export const div = simple('div', 'div(x0, x1)', {
  Div: call => emitSame(div, call, 2),
  Mean: call => {
    const sum = fold(call, add);
    const count = call.literal(scalarTensor(sum.type.dtype, call.inputs.length));
    return call.emit(div, [sum, count], plain);
  },
});
const max = simple('max', 'max(x0, x1)', {Max: call => [fold(call, max)]});
const min = simple('min', 'min(x0, x1)', {Min: call => [fold(call, min)]});

const pow: OpDef<Plain> = simple('pow', 'pow(x0, x1)', {
  Pow: call => {
    const [x, y] = [call.input(0), aligned(call)];
    const exponent = y.type.dtype === x.type.dtype ? y : call.emit(cast, [y], {to: x.type.dtype})[0];
    return call.emit(pow, [x, exponent], plain);
  },
});
const prelu: OpDef<Plain> = simple('prelu', 'select(lt(x0, 0), mul(x0, x1), x0)', {
  PRelu: call => {
    const [x, slope] = [call.input(0), call.input(1)];
    // Before opset 7 a slope has one element per channel, whatever follows axis 1.
    const perChannel = call.opset < 7 && slope.type.shape.length === 1 && x.type.shape.length > 2;
    const axes = x.type.shape.slice(2).map(() => 1);
    return call.emit(prelu, [x, perChannel ? reshapeTo(call, slope, [...slope.type.shape, ...axes])[0] : slope], plain);
  },
});

/** f(f(x0, x1), x2) ... for ONNX's variadic ops. */
function fold(call: OnnxCall, op: OpDef<Plain>): Value {
  return call.inputs.map((_, i) => call.input(i)).reduce((sum, next) => call.emit(op, [sum, next], plain)[0]);
}

const scalarTensor = (dtype: DType, value: number) => tensorFrom(dtype, [], [value]);

const unaries: readonly OpDef<Plain>[] = [
  relu,
  simple('neg', 'neg(x0)', 'Neg'),
  simple('abs', 'abs(x0)', 'Abs'),
  simple('sign', 'sign(x0)', 'Sign'),
  simple('sqrt', 'sqrt(x0)', 'Sqrt'),
  simple('reciprocal', 'div(1, x0)', 'Reciprocal'),
  simple('exp', 'exp(x0)', 'Exp'),
  simple('log', 'log(x0)', 'Log'),
  simple('sin', 'sin(x0)', 'Sin'),
  simple('cos', 'cos(x0)', 'Cos'),
  simple('tan', 'tan(x0)', 'Tan'),
  simple('asin', 'asin(x0)', 'Asin'),
  simple('acos', 'acos(x0)', 'Acos'),
  simple('atan', 'atan(x0)', 'Atan'),
  simple('sinh', 'sinh(x0)', 'Sinh'),
  simple('cosh', 'cosh(x0)', 'Cosh'),
  simple('tanh', 'tanh(x0)', 'Tanh'),
  simple('asinh', 'asinh(x0)', 'Asinh'),
  simple('acosh', 'acosh(x0)', 'Acosh'),
  simple('atanh', 'atanh(x0)', 'Atanh'),
  simple('erf', 'erf(x0)', 'Erf'),
  simple('sigmoid', 'sigmoid(x0)', 'Sigmoid'),
  simple('softplus', 'softplus(x0)', 'Softplus'),
  simple('softsign', 'div(x0, add(1, abs(x0)))', 'Softsign'),
  simple('mish', 'mul(x0, tanh(softplus(x0)))', 'Mish'),
  simple('hard_swish', 'mul(x0, min(max(add(mul(x0, 0.1666666716337204), 0.5), 0), 1))', 'HardSwish'),
  simple('floor', 'floor(x0)', 'Floor'),
  simple('ceil', 'ceil(x0)', 'Ceil'),
  simple('round', 'round(x0)', 'Round'),
  simple('not', 'not(x0)', 'Not'),
  simple('isnan', 'isnan(x0)', 'IsNaN'),
  simple('bitwise_not', 'bitnot(x0)', 'BitwiseNot'),
];

const binaries: readonly OpDef<Plain>[] = [
  add,
  sub,
  mul,
  div,
  max,
  min,
  pow,
  prelu,
  simple('and', 'and(x0, x1)', 'And'),
  simple('or', 'or(x0, x1)', 'Or'),
  simple('xor', 'xor(x0, x1)', 'Xor'),
  simple('bitwise_and', 'and(x0, x1)', 'BitwiseAnd'),
  simple('bitwise_or', 'or(x0, x1)', 'BitwiseOr'),
  simple('bitwise_xor', 'xor(x0, x1)', 'BitwiseXor'),
  simple('less', 'lt(x0, x1)', 'Less'),
  simple('less_or_equal', 'le(x0, x1)', 'LessOrEqual'),
  simple('greater', 'lt(x1, x0)', 'Greater'),
  simple('greater_or_equal', 'le(x1, x0)', 'GreaterOrEqual'),
  simple('equal', 'eq(x0, x1)', 'Equal'),
  simple('where', 'select(x0, x1, x2)', 'Where'),
];

/** An activation with numeric attributes, which ONNX gives as float32 with these defaults. */
function parametric<A extends Attrs>(
  name: string,
  onnx: string,
  defaults: {readonly [K in keyof A]: number},
  expression: (attrs: A) => string,
): OpDef<A> {
  const op: OpDef<A> = elementwise<A>({
    name,
    operands: ['x'],
    expression,
    fromOnnx: {
      [onnx]: call => {
        const attrs = Object.fromEntries(Object.entries(defaults).map(([key, value]) => [key, call.float(key, Number(value))]));
        return call.emit(op, [call.input(0)], {...defaults, ...attrs} as A);
      },
    },
  });
  return op;
}

const n = printNumber;
type Alpha = {alpha: number};
type AlphaBeta = {alpha: number; beta: number};

const parametrics: readonly OpDef[] = [
  parametric<Alpha>(
    'leaky_relu',
    'LeakyRelu',
    {alpha: Math.fround(0.01)},
    ({alpha}) => `select(lt(x0, 0), mul(x0, ${n(alpha)}), x0)`,
  ),
  parametric<Alpha>('elu', 'Elu', {alpha: 1}, ({alpha}) => `select(lt(x0, 0), mul(${n(alpha)}, sub(exp(x0), 1)), x0)`),
  parametric<Alpha>(
    'celu',
    'Celu',
    {alpha: 1},
    ({alpha}) => `add(max(x0, 0), min(0, mul(${n(alpha)}, sub(exp(div(x0, ${n(alpha)})), 1))))`,
  ),
  parametric<{alpha: number; gamma: number}>(
    'selu',
    'Selu',
    {alpha: Math.fround(1.6732632423543772), gamma: Math.fround(1.0507009873554805)},
    ({alpha, gamma}) => `mul(${n(gamma)}, select(le(x0, 0), mul(${n(alpha)}, sub(exp(x0), 1)), x0))`,
  ),
  parametric<Alpha>('thresholded_relu', 'ThresholdedRelu', {alpha: 1}, ({alpha}) => `select(lt(${n(alpha)}, x0), x0, 0)`),
  parametric<AlphaBeta>(
    'hard_sigmoid',
    'HardSigmoid',
    {alpha: Math.fround(0.2), beta: 0.5},
    ({alpha, beta}) => `min(max(add(mul(x0, ${n(alpha)}), ${n(beta)}), 0), 1)`,
  ),
  parametric<Alpha>('swish', 'Swish', {alpha: 1}, ({alpha}) => `mul(x0, sigmoid(mul(x0, ${n(alpha)})))`),
  parametric<{lambd: number; bias: number}>(
    'shrink',
    'Shrink',
    {lambd: 0.5, bias: 0},
    ({lambd, bias}) => `select(lt(x0, ${n(-lambd)}), add(x0, ${n(bias)}), select(lt(${n(lambd)}, x0), sub(x0, ${n(bias)}), 0))`,
  ),
];

type GeluAttrs = {approximate: string};
/** Hendrycks & Gimpel 2016; `tanh` is their approximation. */
export const gelu: OpDef<GeluAttrs> = elementwise<GeluAttrs>({
  name: 'gelu',
  operands: ['x'],
  defaults: {approximate: 'none'},
  expression: ({approximate}) =>
    approximate === 'tanh'
      ? 'mul(mul(0.5, x0), add(1, tanh(mul(0.7978845608028654, add(x0, mul(0.044715, mul(x0, mul(x0, x0))))))))'
      : 'mul(mul(0.5, x0), add(1, erf(mul(x0, 0.7071067811865476))))',
  fromOnnx: {Gelu: call => call.emit(gelu, [call.input(0)], {approximate: call.string('approximate', 'none')})},
});

type CastAttrs = {to: DType};
export const cast: OpDef<CastAttrs> = elementwise<CastAttrs>({
  name: 'cast',
  operands: ['x'],
  expression: ({to}) => `${to}(x0)`,
  fromOnnx: {
    Cast: call => {
      const to = call.dtypeOf(call.int('to'));
      return call.emit(cast, [call.input(0)], {to: to ?? call.unsupported(`Cast to ONNX element type ${call.int('to')}`)});
    },
    CastLike: call => call.emit(cast, [call.input(0)], {to: call.input(1).type.dtype}),
  },
});

type ClipAttrs = {low: number; high: number};
export const clip: OpDef<ClipAttrs> = elementwise<ClipAttrs>({
  name: 'clip',
  operands: ['x'],
  defaults: {low: Number.NEGATIVE_INFINITY, high: Number.POSITIVE_INFINITY},
  // Only the bounds that are there: an infinite one has no integer form.
  expression: ({low, high}) => {
    const below = low === Number.NEGATIVE_INFINITY ? 'x0' : `max(x0, ${n(low)})`;
    return high === Number.POSITIVE_INFINITY ? (below === 'x0' ? 'add(x0, 0)' : below) : `min(${below}, ${n(high)})`;
  },
  fromOnnx: {Clip: importClip},
});

function importClip(call: OnnxCall): readonly Value[] {
  if (call.opset < 11) {
    const attrs = {low: call.float('min', Number.NEGATIVE_INFINITY), high: call.float('max', Number.POSITIVE_INFINITY)};
    return call.emit(clip, [call.input(0)], attrs);
  }
  const bound = (index: number, absent: number): number | null => {
    if (!call.inputs[index]) return absent;
    const tensor = call.constantOrNull(index);
    return tensor ? numberAt(tensor, 0) : null;
  };
  const [low, high] = [bound(1, Number.NEGATIVE_INFINITY), bound(2, Number.POSITIVE_INFINITY)];
  if (low !== null && high !== null) return call.emit(clip, [call.input(0)], {low, high});
  const above = call.inputs[1] ? call.emit(max, [call.input(0), call.input(1)], plain)[0] : call.input(0);
  return [call.inputs[2] ? call.emit(min, [above, call.input(2)], plain)[0] : above];
}

type InfAttrs = {negative: boolean; positive: boolean};
const isinf: OpDef<InfAttrs> = elementwise<InfAttrs>({
  name: 'isinf',
  operands: ['x'],
  defaults: {negative: true, positive: true},
  expression: ({negative, positive}) =>
    negative && positive ? 'isinf(x0)' : negative ? 'eq(x0, -inf)' : positive ? 'eq(x0, inf)' : 'and(isinf(x0), not(isinf(x0)))',
  fromOnnx: {
    IsInf: call =>
      call.emit(isinf, [call.input(0)], {
        negative: call.int('detect_negative', 1) !== 0,
        positive: call.int('detect_positive', 1) !== 0,
      }),
  },
});

type ModAttrs = {fmod: boolean};
const mod: OpDef<ModAttrs> = elementwise<ModAttrs>({
  name: 'mod',
  operands: ['x', 'y'],
  defaults: {fmod: false},
  expression: ({fmod}) => (fmod ? 'fmod(x0, x1)' : 'mod(x0, x1)'),
  fromOnnx: {Mod: call => call.emit(mod, [call.input(0), call.input(1)], {fmod: call.int('fmod', 0) !== 0})},
});

type ShiftAttrs = {direction: string};
const shift: OpDef<ShiftAttrs> = elementwise<ShiftAttrs>({
  name: 'bit_shift',
  operands: ['x', 'y'],
  expression: ({direction}) => (direction === 'LEFT' ? 'shl(x0, x1)' : 'shr(x0, x1)'),
  fromOnnx: {BitShift: call => call.emit(shift, [call.input(0), call.input(1)], {direction: call.string('direction')})},
});

export const elementwiseOps: readonly OpDef[] = [...unaries, ...binaries, ...parametrics, gelu, cast, clip, isinf, mod, shift];
