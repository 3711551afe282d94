/** A copy of a task's network with convolutions in place of local layers, as another head. It works on a module before `fuse`. */
import {constantOf, valueAt} from '../../ir/graph.js';
import type {Builder} from '../../ir/op.js';
import {conv2d} from '../../ir/ops/conv2d/index.js';
import {reshape} from '../../ir/ops/reshape/index.js';
import {numbersOf, tensorFrom, tensorOfConstant} from '../../ir/tensor.js';
import type {Graph, Head, Module, Node, Value} from '../../ir/types.js';
import {emitFitted, type MakeLayer, withLayers} from '../recipes/copy.js';
import type {Parameters} from '../reconstruct/network.js';
import type {Changes} from '../restructure/change.js';
import type {Local} from './sites.js';

export function withTied(
  module: Module,
  head: Head,
  {changes, layers}: Changes<Local>,
  as: Pick<Head, 'name' | 'attrs'>,
): Module {
  const {graph} = module;
  const locals = new Map(changes.map(local => [local.layer, local]));
  const make: MakeLayer = (build, node, x) => {
    const [{name}] = node.outputs;
    const [local, fitted] = [locals.get(name), layers.get(name) ?? null];
    return local ? tied(build, graph, node, x, local, fitted) : emitFitted(build, graph, node, x, fitted!);
  };
  return withLayers(module, head, 'tie', new Map([...locals.keys(), ...layers.keys()].map(name => [name, make])), as);
}

function tied(build: Builder, graph: Graph, node: Node, x: Value, local: Local, fitted: Parameters | null): Value {
  const [{name}] = node.outputs;
  const {image, outputs, window} = local;
  const {weights, bias} = fitted ?? meansOf(graph, node, local);
  const w = build.literal(tensorFrom('f32', [outputs, image[1], ...window.kernel], Array.from(weights)), `${name}.weights`);
  const b = build.literal(tensorFrom('f32', [outputs], Array.from(bias)), `${name}.bias`);
  const [before] = build.emit(reshape, [x], {shape: image});
  const {strides, dilations, pads} = window;
  const [made] = build.emit(conv2d, [before, w, b], {strides, dilations, pads, groups: 1, epilogue: ''});
  return build.emit(reshape, [made], {shape: valueAt(graph, node.outputs[0].id).type.shape})[0];
}

/** Means over all places: of weights where the image has something for them, and of biases. */
function meansOf(graph: Graph, node: Node, {image, outputs, places, window}: Local): Parameters {
  const numbersAt = (at: number): readonly number[] | null => {
    const id = node.inputs[at];
    return id == null ? null : numbersOf(tensorOfConstant(constantOf(graph, id)!));
  };
  const [given, biases] = [numbersAt(1)!, numbersAt(2)];
  const [, channels, height, width] = image;
  const [rows, columns] = window.kernel as [number, number];
  const area = places[0] * places[1];
  const [sums, counts] = [new Float64Array(outputs * channels * rows * columns), new Float64Array(rows * columns)];
  const bias = new Float64Array(outputs);
  for (let place = 0; place < area; place++) {
    const top = Math.floor(place / places[1]) * window.strides[0]! - window.pads[0]!;
    const left = (place % places[1]) * window.strides[1]! - window.pads[1]!;
    for (let o = 0; o < outputs; o++) bias[o]! += (biases?.[o * area + place] ?? 0) / area;
    for (let tap = 0; tap < rows * columns; tap++) {
      const [y, x] = [top + Math.floor(tap / columns), left + (tap % columns)];
      if (y < 0 || y >= height || x < 0 || x >= width) continue;
      counts[tap]!++;
      for (let pair = 0; pair < outputs * channels; pair++) {
        const [o, c] = [Math.floor(pair / channels), pair % channels];
        const row = (o * area + place) * channels * height * width;
        sums[pair * rows * columns + tap]! += given[row + (c * height + y) * width + x]!;
      }
    }
  }
  return {weights: sums.map((sum, at) => sum / Math.max(1, counts[at % counts.length]!)), bias};
}
