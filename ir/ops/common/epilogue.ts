/**
 * Epilogues: a scalar expression applied to each result of a contraction while it is still in a register. `x0` is the
 * accumulator, `x1` and `x2` are up to two extra operands, which broadcast to the result.
 */
import type {Call, KernelContext} from '../../op.js';
import type {KernelCall, View} from '../../plan.js';
import {arg, arityOf, type Scalar} from '../../scalar/expression.js';
import {parseScalar} from '../../scalar/text.js';
import type {Tensor} from '../../tensor.js';
import {evaluateScalar} from '../elementwise/define.js';
import {broadcastShape, broadcastStrides} from './broadcast.js';

/** '' where nothing is applied. */
export type EpilogueAttrs = {readonly epilogue: string};
export const noEpilogue: EpilogueAttrs = {epilogue: ''};

export const epilogueOf = ({epilogue}: EpilogueAttrs): Scalar => parseScalar(epilogue) ?? arg(0);

/** Rules that every op with an epilogue has; `first` is the place of the first extra operand of a call. */
export const epilogueRules = <A extends EpilogueAttrs>(
  name: string,
  first: (call: Call<A>) => number,
  resultShape: (call: Call<A>) => readonly number[],
) => [
  {
    id: `${name}.epilogue`,
    says: 'the epilogue is an expression over x0 and at most two extra operands that broadcast to the result',
    holds: (call: Call<A>): boolean => {
      const extras = call.inputs.slice(first(call));
      const expression = call.attrs.epilogue === '' ? arg(0) : parseScalar(call.attrs.epilogue);
      const shape = resultShape(call);
      const fits = broadcastShape([shape, ...extras.map(type => type?.shape ?? [])]);
      return (
        expression !== null && arityOf(expression) <= 1 + extras.length && extras.length <= 2 && String(fits) === String(shape)
      );
    },
  },
];

export function applyEpilogue(attrs: EpilogueAttrs, result: Tensor, extras: readonly (Tensor | null)[]): Tensor {
  return attrs.epilogue === '' ? result : evaluateScalar(epilogueOf(attrs), [result, ...extras]);
}

/** Views of the extra operands, broadcast to the result's shape (stride 0 along stretched axes). */
export function extraViews(context: KernelContext, first: number, shape: readonly number[]): readonly (View | null)[] {
  return [0, 1].map(i => {
    const view = context.inputs[first + i]?.view();
    return view ? {...view, shape, strides: broadcastStrides(view.shape, view.strides, shape)} : null;
  });
}

/** The C parameters of the extra operands. */
export const extraParams = (extras: readonly (View | null)[]): KernelCall['params'] =>
  extras.map((view, i) => ({name: `e${i}`, role: 'read', view}));

/** Parameters and fields of the extra operands of an image: how many there are, and their strides. */
export const imageExtras = (extras: readonly (View | null)[]): Pick<KernelCall, 'params' | 'fields'> => ({
  params: extraParams(extras),
  fields: {extras: extras.filter(Boolean).length, ...extraFields(extras, ['n', 'c', 'h', 'w'])},
});

/** `e0n`, `e0h`, ...: strides of the extras under the given letters, 0 where absent. */
export const extraFields = (extras: readonly (View | null)[], letters: readonly string[]): Readonly<Record<string, number>> =>
  Object.fromEntries(extras.flatMap((view, i) => letters.map((letter, axis) => [`e${i}${letter}`, view?.strides[axis] ?? 0])));
