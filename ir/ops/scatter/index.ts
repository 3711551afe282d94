/** Rows of a copy of x, replaced by updates or combined with them, one after the other. All of ONNX's scattering ends here. */
import {invariant} from '../../diagnostics.js';
import {defineOp, type KernelContext, type OnnxCall, type OpDef, tensorAt, typeAt} from '../../op.js';
import type {KernelCall} from '../../plan.js';
import {evaluator} from '../../scalar/evaluate.js';
import {arg, call as scalarCall} from '../../scalar/expression.js';
import {isScalarFn} from '../../scalar/functions.js';
import {elements, isBig, numberAt, setElement, type Tensor, widthOf} from '../../tensor.js';
import type {Value} from '../../types.js';
import {allTypes, clampIndex} from '../common/copies.js';
import {elementAxis, elementRows, type Rows, tupleRows} from '../gather/flat.js';
import {reshapeTo} from '../reshape/index.js';

/** reduction: none, add, mul, min or max. */
export type ScatterAttrs = {readonly reduction: string};

const reductions: ReadonlySet<string> = new Set(['none', 'add', 'mul', 'min', 'max']);
const noArithmetic: ReadonlySet<string> = new Set(['f16', 'bf16', 'bool', 'i4', 'u4']);

export const scatter: OpDef<ScatterAttrs> = defineOp<ScatterAttrs>({
  name: 'scatter',
  summary: 'y = x, then y[indices[j]] = updates[j] (or their sum, product, minimum, maximum) for each j in order',
  operands: ['x', 'indices', 'updates'],
  defaults: {reduction: 'none'},
  rules: [
    {
      id: 'scatter.reduction',
      says: 'reduction is none, or add, mul, min or max of a type with arithmetic',
      holds: ({attrs, inputs: [x]}) =>
        reductions.has(attrs.reduction) && (attrs.reduction === 'none' || !noArithmetic.has(x?.dtype ?? '')),
    },
    {
      id: 'scatter.shapes',
      says: 'x is [rows][...], indices are i64[count], updates are [count][...] of the type of x',
      holds: ({inputs: [x, indices, updates]}) =>
        (x?.shape.length ?? 0) > 0 &&
        indices?.dtype === 'i64' &&
        indices.shape.length === 1 &&
        updates?.dtype === x?.dtype &&
        String(updates?.shape) === String([indices.shape[0], ...(x?.shape.slice(1) ?? [])]),
    },
  ],
  infer: call => [typeAt(call, 0)],
  evaluate: ({attrs: {reduction}}, inputs) => {
    const [x, indices, updates] = [tensorAt(inputs, 0), tensorAt(inputs, 1), tensorAt(inputs, 2)];
    const y: Tensor = {...x, data: x.data.slice()};
    const inner = elements(x.shape.slice(1));
    for (let at = 0; at < updates.data.length; at++) {
      const row = clampIndex(numberAt(indices, Math.floor(at / inner)), x.shape[0]!);
      combine(y, row * inner + (at % inner), updates, at, reduction);
    }
    return [y];
  },
  fromOnnx: {
    Scatter: onnx => importElements(onnx),
    ScatterElements: onnx => importElements(onnx),
    ScatterND: onnx => emitScatter(onnx, tupleRows(onnx, onnx.input(0), onnx.input(1), 0)),
  },
  kernel: {layout: 'row-major', dtypes: allTypes, inPlace: () => [0], lower: lowerScatter},
});

function combine(y: Tensor, at: number, updates: Tensor, from: number, reduction: string): void {
  const [old, update] = [y.data[at]!, updates.data[from]!];
  if (reduction === 'none') y.data[at] = update;
  else {
    invariant(isScalarFn(reduction), 'scatter.reduction', reduction, 'is not a function');
    const apply = evaluator(scalarCall(reduction, arg(0), arg(1)), [y.dtype, y.dtype], y.dtype);
    const whole = isBig(y.dtype) || /^[iu]/.test(y.dtype);
    setElement(y, at, apply(whole ? [BigInt(old), BigInt(update)] : [Number(old), Number(update)]));
  }
}

const importElements = (onnx: OnnxCall): readonly Value[] =>
  emitScatter(onnx, elementRows(onnx, onnx.input(0), onnx.input(1), elementAxis(onnx)));

function emitScatter(onnx: OnnxCall, {table, numbers}: Rows): readonly Value[] {
  const [x, updates] = [onnx.input(0), onnx.input(2)];
  const reduction = onnx.string('reduction', 'none');
  if (reduction !== 'none' && noArithmetic.has(x.type.dtype)) onnx.unsupported(`reduction "${reduction}" of ${x.type.dtype}`);
  const count = elements(numbers.type.shape);
  const [indices] = reshapeTo(onnx, numbers, [count]);
  if (elements(updates.type.shape) !== count * elements(table.type.shape.slice(1)))
    onnx.invalid(`updates are [${updates.type.shape}]`);
  const [rows] = reshapeTo(onnx, updates, [count, ...table.type.shape.slice(1)]);
  return reshapeTo(onnx, onnx.emit(scatter, [table, indices, rows], {reduction})[0], x.type.shape);
}

function lowerScatter({attrs: {reduction}, types, inputs, outputs}: KernelContext<ScatterAttrs>): KernelCall {
  const {dtype, shape} = types[0]!;
  return {
    kind: 'kernel',
    contract: reduction === 'none' ? 'scatter_none' : `scatter_${reduction}_${dtype}`,
    header: 'scatter/kernel.h',
    struct: 'scatter_shape',
    fields: {rows: shape[0]!, inner: elements(shape.slice(1)), count: elements(types[1]!.shape), width: widthOf(dtype)},
    params: [
      {name: 'x', role: 'read', view: inputs[0]!.view()},
      {name: 'indices', role: 'read', view: inputs[1]!.view()},
      {name: 'updates', role: 'read', view: inputs[2]!.view()},
      {name: 'y', role: 'write', view: outputs[0]!},
    ],
    epilogue: null,
  };
}
