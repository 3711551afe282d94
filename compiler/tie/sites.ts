/**
 * Locally connected layers, as exporters spell them: a fully connected layer over a flattened image in which every output has weights
 * for a window of the image alone. Tied, its windows share their weights: a convolution.
 */
import {nodesFor, producerOf, valueAt} from '../../ir/graph.js';
import {isOp} from '../../ir/op.js';
import {linear} from '../../ir/ops/linear/index.js';
import {reshape} from '../../ir/ops/reshape/index.js';
import type {Graph, Head, Module, ValueId} from '../../ir/types.js';
import {type Layer, type Layers, macsOf} from '../reconstruct/layers.js';
import type {Window} from '../reconstruct/rows.js';
import type {Change} from '../restructure/change.js';

export type Local = Change & {
  /** [1][channels][h][w], before it is flattened. */
  readonly image: readonly [number, number, number, number];
  /** Outputs in each place, and places in rows and columns. */
  readonly outputs: number;
  readonly places: readonly [number, number];
  readonly window: Window;
};

export function localLayersOf({graph}: Module, head: Head, {layers}: Layers): ReadonlyMap<string, Local | string> {
  const byOutput = new Map(layers.map(layer => [layer.output, layer]));
  const found = new Map<string, Local | string>();
  for (const node of nodesFor(graph, head.outputs)) {
    const layer = isOp(node, linear) ? byOutput.get(node.outputs[0].id) : undefined;
    if (layer) found.set(layer.name, localOf(graph, layer));
  }
  return found;
}

function localOf(graph: Graph, layer: Layer): Local | string {
  const image = imageBefore(graph, layer.input);
  if (!image || layer.inputShape.length !== 2) return 'it reads no flattened image';
  const [, channels, height, width] = image;
  const {rows: total} = layer.weights;
  const boxes = boxesOf(layer, height, width);
  // Of all ways to see outputs as an image, the one with the smallest windows.
  const ways = sidesFor(total, height, width).flatMap(places => {
    const [down, across] = ([0, 1] as const).map(axis => along(axis, places, boxes, [height, width][axis]!));
    return down && across ? [{places, down, across, area: down.size * across.size}] : [];
  });
  const [best] = ways.sort((a, b) => a.area - b.area);
  if (!best || best.area > (height * width) / 2) return 'its outputs look at all of the image';
  const {places, down, across, area} = best;
  return {
    layer: layer.name,
    touched: new Set([layer.name]),
    saved: macsOf(layer) - total * channels * area,
    ...{image, outputs: total / (places[0] * places[1]), places},
    window: {
      kernel: [down.size, across.size],
      strides: [down.step, across.step],
      dilations: [1, 1],
      pads: [down.before, across.before, down.behind, across.behind],
      groups: 1,
    },
  };
}

function imageBefore(graph: Graph, id: ValueId): Local['image'] | null {
  const producer = producerOf(graph, id);
  if (!producer || !isOp(producer, reshape)) return null;
  const {shape} = valueAt(graph, producer.inputs[0]!).type;
  const [n, c, h, w] = shape;
  return shape.length === 4 && n === 1 ? [1, c!, h!, w!] : null;
}

/** The first and last rows and columns that an output has weights for. */
type Box = readonly [first: readonly [number, number], last: readonly [number, number]];

function boxesOf({weights: {rows, columns, data}}: Layer, height: number, width: number): readonly Box[] {
  return Array.from({length: rows}, (_, o): Box => {
    const [first, last] = [[height, width] as [number, number], [-1, -1] as [number, number]];
    for (let at = 0; at < columns; at++) {
      if (data[o * columns + at] === 0) continue;
      const place = [Math.floor(at / width) % height, at % width] as const;
      for (const axis of [0, 1] as const) {
        first[axis] = Math.min(first[axis], place[axis]);
        last[axis] = Math.max(last[axis], place[axis]);
      }
    }
    return [first, last];
  });
}

/** Rows and columns of places that outputs may have: no more than the image has. */
function sidesFor(total: number, height: number, width: number): readonly (readonly [number, number])[] {
  const sides: (readonly [number, number])[] = [];
  for (let rows = 2; rows <= height; rows++)
    for (let columns = 2; columns <= width; columns++) if (total % (rows * columns) === 0) sides.push([rows, columns]);
  return sides;
}

/** How windows lie along an axis. */
type Along = {readonly size: number; readonly step: number; readonly before: number; readonly behind: number};

/** Steps of windows that are tried. */
const mostStep = 4;

/** The smallest windows that hold the boxes of all places; null: they do not lie in steps. */
function along(axis: 0 | 1, [rows, columns]: readonly [number, number], boxes: readonly Box[], side: number): Along | null {
  const count = axis === 0 ? rows : columns;
  const placeOf = (o: number): number => (axis === 0 ? Math.floor(o / columns) % rows : o % columns);
  const [first, last] = [new Array<number>(count).fill(side), new Array<number>(count).fill(-1)];
  boxes.forEach(([from, to], o) => {
    const at = placeOf(o);
    first[at] = Math.min(first[at]!, from[axis]);
    last[at] = Math.max(last[at]!, to[axis]);
  });
  let best: Along | null = null;
  for (let step = 1; step <= mostStep; step++) {
    // A padding before that holds all first ones, and a size that holds all last ones.
    const before = Math.max(0, ...first.map((row, i) => i * step - row));
    const size = 1 + Math.max(...last.map((row, i) => row - (i * step - before)));
    const behind = (count - 1) * step + size - side - before;
    if (size < 1 || size > side || behind >= size || before >= size || -behind >= step) continue;
    if (!best || size < best.size) best = {size, step, before, behind: Math.max(0, behind)};
  }
  return best;
}
