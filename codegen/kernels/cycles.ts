/**
 * What steps of a plan take, as estimates in cycles of one core: what choices between networks go by, which have to come out the same
 * again. Contractions follow the models that choose their tiles and ways, the rest counts elements. Constants are measured, with
 * 512-bit vectors where nothing else is said; how near they come says compiler/catalog/README.md.
 */
import {pointsOf} from '../../ir/ops/conv2d/winograd.js';
import {type KernelCall, readsOf, type Step, type View} from '../../ir/plan.js';
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
const perLooseSum = 2;
/** Of what has no sums, by vector that is looked at. */
const perLook = 2;
/** Portable transforms and their products, in those of vectors of four. */
const portableTransforms = 2.5;

/** Bytes of weights that the second-level cache keeps from one run to the next, and bytes per cycle from the third. */
const [keptBytes, coldBandwidth] = [1 << 20, 11];

/**
 * Of one run of all steps, on a target with these features. `beside`: bytes of weights of other steps that run in turn with these. Where all
 * are more than the second-level cache keeps, each comes from the third, however few it has itself.
 */
export function cyclesOf(steps: readonly Step[], features: readonly Feature[], beside = 0): number {
  const cold = beside + weightsOf(steps) > keptBytes;
  return steps.reduce(
    (sum, step) => sum + perStep + Math.max(cyclesOfWork(step, features), cold ? weightsIn(step) / coldBandwidth : 0),
    0,
  );
}

/** Bytes of weights that steps read. */
export const weightsOf = (steps: readonly Step[]): number => steps.reduce((sum, step) => sum + weightsIn(step), 0);

const weightsIn = ({work}: Step): number => (work.kind === 'kernel' ? weightBytes(work) : 0);

function cyclesOfWork({work, macs}: Step, features: readonly Feature[]): number {
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

/** As they are packed: transformed ones are as many as points, not as kernels have, in whole panels. */
function weightBytes(call: KernelCall): number {
  const view = call.params.find(({name}) => name === 'w')?.view;
  if (!view) return 0;
  const bytes = bytesStored({dtype: view.dtype, shape: view.shape});
  const sizes = isWinograd(call.contract) ? wayedSizes(call) : null;
  if (!sizes) return bytes;
  const {kh = 1, kw = 1, oc = panelSize} = sizes;
  const panels = Math.ceil(oc / panelSize);
  return (bytes * pointsOf({kh, kw}, call.fields.m ?? 0) * panels * panelSize) / (kh * kw * oc);
}

/** Elements that are read, window by window where there are such. */
function looksOf(call: KernelCall): number {
  const {kh = 1, kw = 1} = call.fields;
  const written = call.params.reduce((sum, {role, view}) => sum + (role === 'write' && view ? elements(view.shape) : 0), 0);
  return Math.max(
    readsOf(call).reduce((sum, {shape}) => sum + elements(shape), 0),
    written * kh * kw,
  );
}
