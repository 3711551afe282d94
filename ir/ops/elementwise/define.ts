/** One element-wise op from one line of text: type rule, evaluation and execution all follow from the expression. */
import {invariant} from '../../diagnostics.js';
import {type Call, defineOp, type FromOnnx, type OpDef, tensorAt, typeAt} from '../../op.js';
import {convert} from '../../scalar/convert.js';
import {evaluator} from '../../scalar/evaluate.js';
import {type Scalar, typeOfScalar} from '../../scalar/expression.js';
import {parseScalar} from '../../scalar/text.js';
import {numberAt, setElement, type Tensor, zeros} from '../../tensor.js';
import type {Attrs, DType} from '../../types.js';
import {broadcastShape, broadcastStrides, dot, forEachIndex, stridesOf} from '../common/broadcast.js';

/** An expression written as text in the source; a misspelt one is our bug. */
export function scalarOf(text: string): Scalar {
  const expression = parseScalar(text);
  invariant(expression, 'scalar.text', 'expression', `cannot read "${text}"`);
  return expression;
}

export type Elementwise<A extends Attrs> = {
  readonly name: string;
  readonly operands: readonly string[];
  readonly defaults?: Partial<A>;
  /** The meaning, `x0` being the first operand. */
  readonly expression: string | ((attrs: A, types: readonly DType[]) => string);
  readonly fromOnnx?: Readonly<Record<string, FromOnnx>>;
};

export function elementwise<A extends Attrs = Record<never, never>>(spec: Elementwise<A>): OpDef<A> {
  const {name, operands, expression} = spec;
  const scalar = ({attrs, inputs}: Call<A>): Scalar =>
    scalarOf(typeof expression === 'string' ? expression : expression(attrs, dtypesOf(inputs)));
  return defineOp<A>({
    name,
    summary: typeof expression === 'string' ? expression : `element-wise; ${operands.join(', ')} broadcast`,
    operands,
    defaults: spec.defaults ?? {},
    rules: [
      {
        id: `${name}.broadcast`,
        says: 'the operands broadcast to one shape',
        holds: ({inputs}) => broadcastShape(inputs.map(type => type?.shape ?? [])) !== null,
      },
    ],
    infer: call => {
      const dtypes = dtypesOf(call.inputs);
      const shape = broadcastShape(call.inputs.map(type => type?.shape ?? []));
      invariant(shape, `${name}.broadcast`, name, 'the operands do not broadcast');
      return [{dtype: typeOfScalar(scalar(call), dtypes) ?? typeAt(call, 0).dtype, shape}];
    },
    evaluate: (call, inputs) => [evaluateScalar(scalar(call), inputs)],
    scalar,
    ...(spec.fromOnnx && {fromOnnx: spec.fromOnnx}),
  });
}

const dtypesOf = (inputs: Call['inputs']): readonly DType[] => inputs.map(type => type?.dtype ?? 'f32');

/** Applies an expression to every element of the broadcast shape. */
export function evaluateScalar(expression: Scalar, inputs: readonly (Tensor | null)[]): Tensor {
  const tensors = inputs.map((_, i) => tensorAt(inputs, i));
  const dtypes = tensors.map(tensor => tensor.dtype);
  const shape = broadcastShape(tensors.map(tensor => tensor.shape)) ?? [];
  const dtype = typeOfScalar(expression, dtypes) ?? 'f32';
  const strides = tensors.map(tensor => broadcastStrides(tensor.shape, stridesOf(tensor.shape), shape));
  const apply = evaluator(expression, dtypes, dtype);
  const reads = tensors.map(read);
  const result = zeros(dtype, shape);
  const args = new Array<number | bigint>(tensors.length);
  forEachIndex(shape, (index, flat) => {
    for (let i = 0; i < args.length; i++) args[i] = reads[i]!(dot(index, strides[i]!));
    setElement(result, flat, apply(args));
  });
  return result;
}

/** Elements as an expression takes them: numbers for float and bool, bigints for integers. */
function read(tensor: Tensor): (at: number) => number | bigint {
  const whole = convert(0, 'f64', tensor.dtype);
  if (typeof whole === 'bigint') return at => BigInt(tensor.data[at]!);
  return at => numberAt(tensor, at);
}
