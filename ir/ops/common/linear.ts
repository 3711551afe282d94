/** What linear layers of floats and of bytes share: shapes, rules, meaning, and the operands of their C calls. */
import {type Call, type KernelContext, type Rule, tensorAt, typeAt} from '../../op.js';
import type {KernelCall, View} from '../../plan.js';
import {numberAt, setElement, type Tensor, zeros} from '../../tensor.js';
import {type EpilogueAttrs, epilogueRules, extraViews, imageExtras} from './epilogue.js';
import {firstExtra, type WeightAttrs} from './weights.js';

/** What follows each sum, and how weights are stored. */
export type LinearAttrs = EpilogueAttrs & WeightAttrs;

export const linearShape = (call: Call<LinearAttrs>): readonly number[] => [
  ...typeAt(call, 0).shape.slice(0, -1),
  typeAt(call, 1).shape[0]!,
];

export const linearRules = (name: string): readonly Rule<LinearAttrs>[] => [
  {
    id: `${name}.inner`,
    says: 'the last axes of x and w agree, and w is [o][i]',
    holds: ({inputs: [x, w]}) => w?.shape.length === 2 && (x?.shape.length ?? 0) >= 1 && x?.shape.at(-1) === w.shape[1],
  },
  {
    id: `${name}.bias`,
    says: 'b has one element per output',
    holds: ({inputs: [, w, b]}) => !b || (b.shape.length === 1 && b.shape[0] === w?.shape[0]),
  },
  ...epilogueRules<LinearAttrs>(name, firstExtra, linearShape),
  {
    id: `${name}.rows`,
    says: 'an extra operand has one row for all rows of the result, or a row each',
    holds: call => call.inputs.slice(firstExtra(call)).every(extra => !extra || evenRows(extra.shape, linearShape(call))),
  },
];

export const linearMacs = (call: Call<LinearAttrs>): number =>
  linearShape(call).reduce((n, d) => n * d, 1) * typeAt(call, 1).shape[1]!;

/** b + x w', in the given type. */
export function linearSums(call: Call<LinearAttrs>, inputs: readonly (Tensor | null)[], dtype: Tensor['dtype']): Tensor {
  const [x, w, b] = [tensorAt(inputs, 0), tensorAt(inputs, 1), inputs[2]];
  const [outputs, inner] = w.shape as [number, number];
  const y = zeros(dtype, linearShape(call));
  for (let at = 0; at < y.data.length; at++) {
    const [row, o] = [Math.floor(at / outputs), at % outputs];
    let sum = b ? numberAt(b, o) : 0;
    for (let i = 0; i < inner; i++) sum += numberAt(x, row * inner + i) * numberAt(w, o * inner + i);
    setElement(y, at, sum);
  }
  return y;
}

/** Fields and pointers of a convolution kernel on an image of one row: each row of x is a pixel. `weights`: the constant ones. */
export function linearCall(
  context: KernelContext<LinearAttrs>,
  weights: KernelCall['params'],
): Pick<KernelCall, 'fields' | 'params'> {
  const [x, y] = [context.inputs[0]!.view(), context.outputs[0]!];
  const [oc, ic] = context.types[1]!.shape as [number, number];
  const rows = y.shape.slice(0, -1).reduce((n, d) => n * d, 1);
  // An extra operand varies along the last axis, along all rows alike, or is one value.
  const extras = imageExtras(extraViews(context, firstExtra(context), y.shape).map(view => view && asPixels(view, rows)));
  const params: KernelCall['params'] = [
    {name: 'x', role: 'read', view: x},
    ...weights,
    {name: 'y', role: 'write', view: y},
    ...extras.params,
  ];
  const fields = {
    ...{n: 1, oh: 1, ow: rows, oc, ic, groups: 1, sh: 1, sw: 1, dh: 1, dw: 1},
    ...{xn: 0, xh: 0, xw: ic, yn: 0, yh: 0, yw: oc},
    ...extras.fields,
  };
  return {fields, params};
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
