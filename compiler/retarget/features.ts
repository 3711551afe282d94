/** Features for a head: means over a grid of the tensor at a cut. */
import {costOfNodes} from '../../ir/cost.js';
import {nodesFor} from '../../ir/graph.js';
import {elements} from '../../ir/tensor.js';
import type {Module, TensorType, Value} from '../../ir/types.js';
import type {Manifest} from '../../runtime/manifest.js';
import {chooseLayouts} from '../lower/layout.js';

/** A cut that features can be taken from. */
export type Place = {
  readonly value: Value;
  readonly channelsLast: boolean;
  /** Rows and columns of the grid. */
  readonly grid: number;
  /** Up to the cut. */
  readonly macs: number;
};

/** More features than these are slow to fit and seldom better. */
const mostFeatures = 1024;

/** The cuts of a task that features can be taken from, in order. */
export function placesOf(module: Module, trunk: string, manifest: Manifest): readonly Place[] {
  const {graph} = module;
  const layouts = chooseLayouts(graph);
  const values = new Map(graph.nodes.flatMap(({outputs}) => outputs.map(value => [value.name, value] as const)));
  const variant = manifest.variants.find(({task}) => task === trunk)!;
  const total = variant.macs;
  return variant.path.flatMap((id): readonly Place[] => {
    const cut = manifest.segments.find(segment => segment.id === id)?.to;
    const value = cut === undefined ? undefined : values.get(cut);
    if (value?.type.dtype !== 'f32' || value.type.shape[0] !== 1) return [];
    const macs = costOfNodes(graph, nodesFor(graph, [value.id])).macs;
    const channelsLast = layouts.get(value.id) === 'channels-last';
    return [{value, channelsLast, grid: gridOf(value.type, macs / total), macs}];
  });
}

/** The grid that is best at such a depth: 4x4 early, 2x2 late, none where there is no image or too many channels. */
function gridOf({shape}: TensorType, depth: number): number {
  const [, channels = 1, rows = 1, columns = 1] = shape;
  if (shape.length !== 4) return 1;
  const side = Math.min(rows, columns);
  const wanted = depth < 0.75 ? 4 : depth < 0.98 ? 2 : 1;
  return [wanted, 2, 1].find(grid => grid <= wanted && grid <= side && channels * grid * grid <= mostFeatures) ?? 1;
}

/** Cells of a grid over one axis: equal windows that touch or overlap, and leave nothing out. */
export const windowOf = (size: number, grid: number): {readonly size: number; readonly stride: number} => {
  const stride = Math.floor(size / grid);
  return {stride, size: size - (grid - 1) * stride};
};

/** How many features a place has. */
export const widthOf = ({shape}: TensorType, grid: number): number =>
  shape.length === 4 ? shape[1]! * grid * grid : elements(shape);

/** Means over the cells of the grid, channel by channel, to row `at` of the features. */
export function pool(activation: Float32Array, {value, channelsLast, grid}: Place, into: Float32Array, at: number): void {
  const {shape} = value.type;
  const width = widthOf(value.type, grid);
  if (shape.length !== 4) {
    into.set(activation, at * width);
    return;
  }
  const [, channels, rows, columns] = shape as [number, number, number, number];
  const [vertical, horizontal] = [windowOf(rows, grid), windowOf(columns, grid)];
  const [perChannel, perPixel] = channelsLast ? [1, channels] : [rows * columns, 1];
  for (let c = 0; c < channels; c++)
    for (let gy = 0; gy < grid; gy++)
      for (let gx = 0; gx < grid; gx++) {
        let sum = 0;
        for (let y = 0; y < vertical.size; y++)
          for (let x = 0; x < horizontal.size; x++) {
            const pixel = (gy * vertical.stride + y) * columns + gx * horizontal.stride + x;
            sum += activation[c * perChannel + pixel * perPixel]!;
          }
        into[at * width + (c * grid + gy) * grid + gx] = sum / (vertical.size * horizontal.size);
      }
}
