/** Matrix product of the last two axes, the others broadcasting: y = epilogue(a * b). Both operands may be activations. */
import {type Builder, type Call, defineOp, type KernelContext, type OnnxCall, type OpDef, tensorAt, typeAt} from '../../op.js';
import type {KernelCall} from '../../plan.js';
import {filled, numberAt, setElement, zeros} from '../../tensor.js';
import type {Value} from '../../types.js';
import {broadcastShape, broadcastStrides, dot, forEachIndex, stridesOf} from '../common/broadcast.js';
import {
  applyEpilogue,
  type EpilogueAttrs,
  epilogueOf,
  epilogueRules,
  extraFields,
  extraParams,
  extraViews,
  noEpilogue,
} from '../common/epilogue.js';
import {add, mul} from '../elementwise/index.js';
import {expandTo} from '../expand/index.js';
import {linear} from '../linear/index.js';
import {reshapeTo} from '../reshape/index.js';
import {transposeTo} from '../transpose/index.js';

function shapeOf({inputs: [a, b]}: Call<EpilogueAttrs>): readonly number[] {
  const [left, right] = [a?.shape ?? [], b?.shape ?? []];
  const batch = broadcastShape([left.slice(0, -2), right.slice(0, -2)]);
  return [...(batch ?? []), left.at(-2) ?? 0, right.at(-1) ?? 0];
}

export const matmul: OpDef<EpilogueAttrs> = defineOp<EpilogueAttrs>({
  name: 'matmul',
  summary: 'y[...][m][n] = epilogue(sum a[...][m][k] * b[...][k][n])',
  operands: ['a', 'b', 'e*'],
  defaults: noEpilogue,
  rules: [
    {
      id: 'matmul.inner',
      says: 'a is [...][m][k] and b is [...][k][n]',
      holds: ({inputs: [a, b]}) =>
        (a?.shape.length ?? 0) >= 2 && (b?.shape.length ?? 0) >= 2 && a?.shape.at(-1) === b?.shape.at(-2),
    },
    {
      id: 'matmul.broadcast',
      says: 'the leading axes broadcast',
      holds: ({inputs: [a, b]}) => broadcastShape([a?.shape.slice(0, -2) ?? [], b?.shape.slice(0, -2) ?? []]) !== null,
    },
    ...epilogueRules<EpilogueAttrs>('matmul', () => 2, shapeOf),
    {
      id: 'matmul.batch',
      says: 'the leading axes are at most two loops: neighbours merge where every operand steps through them evenly',
      holds: call =>
        foldsToTwo(
          shapeOf(call),
          call.inputs.map(type => type?.shape ?? []),
        ),
    },
  ],
  infer: call => [{dtype: typeAt(call, 0).dtype, shape: shapeOf(call)}],
  evaluate: (call, inputs) => {
    const [a, b] = [tensorAt(inputs, 0), tensorAt(inputs, 1)];
    const shape = shapeOf(call);
    const y = zeros(a.dtype, shape);
    const inner = a.shape.at(-1)!;
    const lead = shape.slice(0, -2);
    const aLead = broadcastStrides(a.shape.slice(0, -2), stridesOf(a.shape).slice(0, -2), lead);
    const bLead = broadcastStrides(b.shape.slice(0, -2), stridesOf(b.shape).slice(0, -2), lead);
    const columns = b.shape.at(-1)!;
    forEachIndex(shape, (index, flat) => {
      const batch = index.slice(0, -2);
      const [row, column] = index.slice(-2) as [number, number];
      const [at, bt] = [dot(batch, aLead) + row * inner, dot(batch, bLead) + column];
      let sum = 0;
      for (let k = 0; k < inner; k++) sum += numberAt(a, at + k) * numberAt(b, bt + k * columns);
      setElement(y, flat, sum);
    });
    return [applyEpilogue(call.attrs, y, inputs.slice(2))];
  },
  macs: call => shapeOf(call).reduce((n, d) => n * d, 1) * typeAt(call, 0).shape.at(-1)!,
  fromOnnx: {MatMul: importMatMul, Gemm: importGemm},
  kernel: {layout: 'row-major', extras: () => 2, inPlace: () => [2, 3], lower: lowerMatmul},
});

/** A vector operand gets an axis of 1, which the result then loses (NumPy's rule). */
function importMatMul(onnx: OnnxCall): readonly Value[] {
  const [a, b] = [onnx.input(0), onnx.input(1)];
  if (a.type.shape.length === 0 || b.type.shape.length === 0) onnx.invalid('MatMul takes no scalars');
  const [rowVector, columnVector] = [a.type.shape.length === 1, b.type.shape.length === 1];
  const [left] = rowVector ? reshapeTo(onnx, a, [1, ...a.type.shape]) : [a];
  const [right] = columnVector ? reshapeTo(onnx, b, [...b.type.shape, 1]) : [b];
  const y = productOf(onnx, left, right);
  const shape = y.type.shape.filter(
    (_, i) => !(rowVector && i === y.type.shape.length - 2) && !(columnVector && i === y.type.shape.length - 1),
  );
  return reshapeTo(onnx, y, shape);
}

/** a * b, whatever leading axes they have. */
export const productOf = (build: Builder, a: Value, b: Value): Value => build.emit(matmul, spread(build, a, b), noEpilogue)[0];

/** The operands with their leading axes broadcast by hand where the loops of the kernel could not. */
function spread(build: Builder, a: Value, b: Value): readonly [Value, Value] {
  const shape = shapeOf({attrs: noEpilogue, inputs: [a.type, b.type]});
  if (foldsToTwo(shape, [a.type.shape, b.type.shape])) return [a, b];
  const whole = (value: Value): Value => expandTo(build, value, [...shape.slice(0, -2), ...value.type.shape.slice(-2)]);
  return [whole(a), whole(b)];
}

/** alpha * op(A) * op(B) + beta * C. A constant B is a linear layer's weights, which lie as ONNX has them with transB. */
function importGemm(onnx: OnnxCall): readonly Value[] {
  const [a, b, c] = [onnx.input(0), onnx.input(1), onnx.inputs[2]];
  const x = onnx.int('transA', 0) ? transposeTo(onnx, a, [1, 0]) : a;
  const turned = onnx.int('transB', 0) !== 0;
  const isLayer =
    b.type.dtype === 'f32' &&
    b.type.shape.length === 2 &&
    onnx.isConstant(1) &&
    x.type.shape.at(-1) === b.type.shape[turned ? 1 : 0];
  const [y] = isLayer
    ? onnx.emit(linear, [x, turned ? b : transposeTo(onnx, b, [1, 0])], noEpilogue)
    : onnx.emit(matmul, [x, turned ? transposeTo(onnx, b, [1, 0]) : b], noEpilogue);
  const product = scaled(onnx, y, onnx.float('alpha', 1));
  return [c ? onnx.emit(add, [product, scaled(onnx, c, onnx.float('beta', 1))], {})[0] : product];
}

const scaled = (build: Builder, value: Value, by: number): Value =>
  by === 1 ? value : build.emit(mul, [value, build.literal(filled(value.type.dtype, [], by))], {})[0];

/** Leading axes fold into two batch loops, as the rule `matmul.batch` says. */
function lowerMatmul(context: KernelContext<EpilogueAttrs>): KernelCall {
  const [a, b] = [context.inputs[0]!.view(), context.inputs[1]!.view()];
  const y = context.outputs[0]!;
  const lead = y.shape.slice(0, -2);
  const strides = (shape: readonly number[], own: readonly number[]): readonly number[] =>
    broadcastStrides(shape.slice(0, -2), own.slice(0, -2), lead);
  const extras = extraViews(context, 2, y.shape);
  const batch = foldBatch(lead, [
    strides(a.shape, a.strides),
    strides(b.shape, b.strides),
    y.strides.slice(0, -2),
    ...extras.map(e => e?.strides.slice(0, -2) ?? lead.map(() => 0)),
  ]);
  const [[a0, a1], [x0, x1], [y0, y1], ...e] = batch.strides as [Pair, Pair, Pair, Pair, Pair];
  const extraMatrices = extras.map((view, i) => view && {...view, strides: [...e[i]!, ...view.strides.slice(-2)]});
  const fields = {
    ...{b0: batch.sizes[0]!, b1: batch.sizes[1]!, m: y.shape.at(-2)!, n: y.shape.at(-1)!, k: a.shape.at(-1)!},
    ...{a0, a1, am: a.strides.at(-2)!, ak: a.strides.at(-1)!, x0, x1, xk: b.strides.at(-2)!, y0, y1, ym: y.strides.at(-2)!},
    extras: extras.filter(Boolean).length,
    ...extraFields(extraMatrices, ['0', '1', 'm', 'n']),
  };
  const params: KernelCall['params'] = [
    {name: 'a', role: 'read', view: a},
    {name: 'x', role: 'read', view: b},
    {name: 'y', role: 'write', view: y},
    ...extraParams(extras),
  ];
  return {
    kind: 'kernel',
    contract: 'matmul_f32',
    header: null,
    struct: 'matmul_shape',
    fields,
    params,
    epilogue: epilogueOf(context.attrs),
  };
}

type Pair = [number, number];

/** Whether dense operands of these shapes can be walked in two batch loops. */
export function foldsToTwo(result: readonly number[], operands: readonly (readonly number[])[]): boolean {
  const lead = result.slice(0, -2);
  const steps = [...operands, result].map(shape => {
    const padded = [...new Array<number>(Math.max(0, result.length - shape.length)).fill(1), ...shape];
    return broadcastStrides(padded.slice(0, -2), stridesOf(padded).slice(0, -2), lead);
  });
  return foldBatch(lead, steps).sizes.length <= 2;
}

/** Merges batch axes, from the right, into two loops where all operands step evenly; the first axis takes what is left. */
function foldBatch(
  sizes: readonly number[],
  operands: readonly (readonly number[])[],
): {sizes: readonly number[]; strides: readonly Pair[]} {
  const axes: {size: number; steps: readonly number[]}[] = [];
  sizes.forEach((size, i) => {
    const steps = operands.map(strides => strides[i]!);
    const last = axes.at(-1);
    if (size === 1) return;
    if (last?.steps.every((step, at) => step === steps[at]! * size)) axes[axes.length - 1] = {size: last.size * size, steps};
    else axes.push({size, steps});
  });
  while (axes.length < 2) axes.unshift({size: 1, steps: operands.map(() => 0)});
  return {sizes: axes.map(axis => axis.size), strides: operands.map((_, at) => [axes[0]!.steps[at]!, axes[1]!.steps[at]!])};
}
