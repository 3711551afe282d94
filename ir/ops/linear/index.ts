/** Fully connected layer: y[n][o] = epilogue(b[o] + sum x[n][i] * w[o][i]). ONNX's Gemm and MatMul by a constant end here. */
import {type Call, defineOp, type KernelContext, type OpDef, tensorAt, typeAt} from '../../op.js';
import type {KernelCall, View} from '../../plan.js';
import {numberAt, setElement, zeros} from '../../tensor.js';
import {
  applyEpilogue,
  type EpilogueAttrs,
  epilogueOf,
  epilogueRules,
  extraFields,
  extraParams,
  extraViews,
} from '../common/epilogue.js';
import {
  contractFor,
  firstExtra,
  packedOperands,
  type WeightAttrs,
  weightFields,
  weightParams,
  weightRules,
  widened,
} from '../common/weights.js';

export type LinearAttrs = EpilogueAttrs & WeightAttrs;

const shapeOf = (call: Call<LinearAttrs>): readonly number[] => [
  ...typeAt(call, 0).shape.slice(0, -1),
  typeAt(call, 1).shape[0]!,
];

export const linear: OpDef<LinearAttrs> = defineOp<LinearAttrs>({
  name: 'linear',
  summary: 'y[...][o] = epilogue(b[o] + sum x[...][i] * w[o][i])',
  operands: ['x', 'w', 'b?', 'e*'],
  defaults: {epilogue: ''},
  rules: [
    {
      id: 'linear.inner',
      says: 'the last axes of x and w agree, and w is [o][i]',
      holds: ({inputs: [x, w]}) => w?.shape.length === 2 && (x?.shape.length ?? 0) >= 1 && x?.shape.at(-1) === w.shape[1],
    },
    {
      id: 'linear.bias',
      says: 'b has one element per output',
      holds: ({inputs: [, w, b]}) => !b || (b.shape.length === 1 && b.shape[0] === w?.shape[0]),
    },
    ...weightRules<LinearAttrs>('linear'),
    ...epilogueRules<LinearAttrs>('linear', firstExtra, shapeOf),
    {
      id: 'linear.rows',
      says: 'an extra operand has one row for all rows of the result, or a row each',
      holds: call => call.inputs.slice(firstExtra(call)).every(extra => !extra || evenRows(extra.shape, shapeOf(call))),
    },
  ],
  infer: call => [{dtype: typeAt(call, 0).dtype, shape: shapeOf(call)}],
  evaluate: (call, inputs) => {
    const [x, w, b] = [tensorAt(inputs, 0), widened(call.attrs, tensorAt(inputs, 1), inputs[3]), inputs[2]];
    const [outputs, inner] = w.shape as [number, number];
    const y = zeros(x.dtype, shapeOf(call));
    for (let at = 0; at < y.data.length; at++) {
      const [row, o] = [Math.floor(at / outputs), at % outputs];
      let sum = b ? numberAt(b, o) : 0;
      for (let i = 0; i < inner; i++) sum += numberAt(x, row * inner + i) * numberAt(w, o * inner + i);
      setElement(y, at, sum);
    }
    return [applyEpilogue(call.attrs, y, inputs.slice(firstExtra(call)))];
  },
  macs: call => shapeOf(call).reduce((n, d) => n * d, 1) * typeAt(call, 1).shape[1]!,
  kernel: {
    layout: 'row-major',
    free: packedOperands,
    extras: firstExtra,
    inPlace: call => [0, 1].map(i => firstExtra(call) + i),
    lower: lowerLinear,
  },
});

/** The convolution kernel on an image of one row: each row of x is a pixel. */
function lowerLinear(context: KernelContext<LinearAttrs>): KernelCall {
  const {attrs, types, inputs} = context;
  const [x, y] = [inputs[0]!.view(), context.outputs[0]!];
  const w = types[1]!;
  const [oc, ic] = w.shape as [number, number];
  const rows = y.shape.slice(0, -1).reduce((n, d) => n * d, 1);
  const params: KernelCall['params'] = [
    {name: 'x', role: 'read', view: x},
    ...weightParams(context, 1),
    {name: 'y', role: 'write', view: y},
  ];
  // An extra operand varies along the last axis, along all rows alike, or is one value.
  const extras = extraViews(context, firstExtra(context), y.shape).map(view => view && asPixels(view, rows));
  const fields = {
    ...{n: 1, oh: 1, ow: rows, oc, kh: 1, kw: 1, ic, groups: 1, sh: 1, sw: 1, dh: 1, dw: 1},
    ...{xn: 0, xh: 0, xw: ic, yn: 0, yh: 0, yw: oc},
    extras: extras.filter(Boolean).length,
    ...extraFields(extras, ['n', 'c', 'h', 'w']),
    ...weightFields(attrs, w),
  };
  return {
    kind: 'kernel',
    contract: contractFor(w.dtype),
    header: null,
    struct: 'conv2d_shape',
    fields,
    params: [...params, ...extraParams(extras)],
    epilogue: epilogueOf(attrs),
  };
}

/** A view of [...][o] as [1][o][1][rows], where the rows lie evenly (fusion only makes such extras: see `evenRows`). */
function asPixels(view: View, rows: number): View {
  const pitch = view.strides.slice(0, -1).findLast((_, i) => view.shape[i] !== 1) ?? 0;
  return {...view, shape: [1, view.shape.at(-1)!, 1, rows], strides: [0, view.strides.at(-1)!, 0, pitch]};
}

/** Whether an operand of this shape steps evenly from row to row of the result: one row for all, or a row each. */
export function evenRows(shape: readonly number[], result: readonly number[]): boolean {
  const rows = (dims: readonly number[]): number => dims.slice(0, -1).reduce((n, d) => n * d, 1);
  return rows(shape) === 1 || rows(shape) === rows(result);
}
