/**
 * What steps of a plan take, as estimates in cycles of one core: what choices between networks go by, which have to come out the same
 * again. Contractions follow the models that choose their tiles and ways, the rest counts elements. Constants are measured, with
 * 512-bit vectors where nothing else is said; how near they come says compiler/catalog/README.md.
 */
import {type KernelCall, readsOf, type Step, type View, type Work} from '../../ir/plan.js';
import {sizeOfScalar} from '../../ir/scalar/expression.js';
import {bytesStored, elements} from '../../ir/tensor.js';
import {type Feature, isWinograd, panelSize} from './inventory.js';
import {lanesOf, tiledCycles, tiledSize} from './tiles.js';
import {bandwidth, convolutionCycles, wayedSizes, wayOf} from './ways.js';

/** To call a step and come back. */
const perStep = 100;
/** Of a border, by float. */
const perBorder = 1 / 8;
/** Of a loop, by element: where operands are vectors, and where their elements lie apart. */
const [perElement, perScattered] = [1 / 8, 0.8];
/** Of sums outside of tiles, such as those of depthwise convolutions, in tiles' sums. */
const perLooseSum = 3;
/** Of what has no sums, by vector that is looked at. */
const perLook = 2;
/** Portable transforms and their products, in those of vectors of four. */
const portableTransforms = 2.5;

/** Of one call, on a target with these features. */
export const cyclesOf = (steps: readonly Step[], features: readonly Feature[]): number =>
  steps.reduce((sum, {work, macs}) => sum + perStep + cyclesOfWork(work, macs, features), 0);

function cyclesOfWork(work: Work, macs: number, features: readonly Feature[]): number {
  switch (work.kind) {
    case 'border': {
      const {images, rows, columns, width, border} = work;
      const around = (rows + border.top + border.bottom) * (columns + border.left + border.right) - rows * columns;
      return images * around * width * perBorder;
    }
    case 'loop': {
      const {domain, expression, reads, write} = work;
      const each = [...reads, write].every(isDense) ? perElement : perScattered;
      return elements(domain) * each * ((3 + sizeOfScalar(expression)) / 4);
    }
    case 'kernel':
      return cyclesOfCall(work, macs, features);
    default:
      return work satisfies never;
  }
}

/** Whether neighbours lie side by side, or are all one. */
const isDense = ({shape, strides}: View): boolean => {
  const steps = strides.filter((_, axis) => shape[axis] !== 1);
  return steps.includes(1) || steps.every(step => step === 0);
};

function cyclesOfCall(call: KernelCall, macs: number, features: readonly Feature[]): number {
  const {n = 1, groups = 1} = call.fields;
  const lanes = lanesOf(features);
  const sizes = isWinograd(call.contract) ? wayedSizes(call) : null;
  if (sizes) return convolutionCycles(wayOf(call), sizes) * (panelSize / lanes) * (features.length > 0 ? 1 : portableTransforms);
  const bytes = weightBytes(call);
  const stream = bytes / bandwidth(bytes);
  const size = tiledSize(call);
  if (size) return Math.max(n * groups * tiledCycles(size, features), stream);
  if (macs > 0) return Math.max((perLooseSum * macs) / (2 * lanes), stream);
  return (perLook * looksOf(call)) / lanes;
}

const weightBytes = ({params}: KernelCall): number =>
  params.reduce((sum, {name, view}) => sum + (name === 'w' && view ? bytesStored({dtype: view.dtype, shape: view.shape}) : 0), 0);

/** Elements that are read, window by window where there are such. */
function looksOf(call: KernelCall): number {
  const {kh = 1, kw = 1} = call.fields;
  const written = call.params.reduce((sum, {role, view}) => sum + (role === 'write' && view ? elements(view.shape) : 0), 0);
  return Math.max(
    readsOf(call).reduce((sum, {shape}) => sum + elements(shape), 0),
    written * kh * kw,
  );
}
