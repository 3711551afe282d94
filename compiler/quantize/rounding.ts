/**
 * Weights are rounded together, from the front: each layer so that, given the bytes that it reads by now, it gives what it gave in
 * the float network (asymmetric reconstruction: Zhang et al. 2015, section 3.3).
 */
import type {ValueId} from '../../ir/types.js';
import {positionsOf} from '../reconstruct/layers.js';
import type {Network, Parameters} from '../reconstruct/network.js';
import {choosePlaces, gatherRows, gatherValues, positionsPerImage, randomNumbers} from '../reconstruct/rows.js';
import {type Samples, samplesFor} from '../reconstruct/samples.js';
import {type Walk, walkThrough} from '../reconstruct/walk.js';
import type {Task} from '../tasks.js';
import type {Rounded} from './insert.js';
import {type Rows, resultsOf, roundLayer} from './round-layer.js';
import {type ByteLayer, openRunning, type Running} from './running.js';
import type {Int8Options, Studied} from './study.js';
import {realWeights} from './weights.js';

/** With the integers of all layers. One build, which runs as often as there are layers. Errors: those of `samplesFor`. */
export async function roundedTogether(studied: Studied, tasks: readonly Task[], options: Int8Options): Promise<Studied> {
  const {
    task: {name},
    samples: {data},
  } = studied;
  const {progress = () => {}, count} = options;
  const running = await openRunning(studied, tasks, options);
  const samples = samplesFor(running.network.entry(), data, count, done => progress(`${name}: ${done} of ${count} samples`));
  return {...studied, rounded: roundFrontToBack(running, samples, layer => progress(`${name}: rounding ${layer}`))};
}

/** By the names of the layers. */
function roundFrontToBack(
  {network, layers}: Running,
  {fit, held}: Samples,
  progress: (layer: string) => void,
): ReadonlyMap<string, Rounded> {
  const chosen = new Map<string, Rounded>();
  const parameters = new Map(layers.map(({layer: {name}, nearest}) => [name, parametersFor(nearest)] as const));
  network.rewrite(parameters);
  const [fitted, judged] = [walkThrough(network, fit), walkThrough(network, held)];
  for (const each of layers) {
    const {name} = each.layer;
    progress(name);
    const choice = roundLayer(
      network,
      each,
      rowsNow(network, fitted, each, fit.length),
      rowsNow(network, judged, each, held.length),
    );
    chosen.set(name, choice);
    parameters.set(name, parametersFor(choice));
    network.rewrite(parameters);
  }
  return chosen;
}

const parametersFor = (rounded: Rounded): Parameters => ({weights: realWeights(rounded), bias: rounded.bias});

/** What the other branch of an addition has lost is for this layer to make good (He et al. 2017, section 3.2). */
function rowsNow(network: Network, walk: Walk, {layer, float}: ByteLayer, samples: number): Rows {
  const {window, input, inputShape, weights, bias, beside, outputShape} = layer;
  const {columns: width, rows: outputs} = weights;
  const groups = window?.groups ?? 1;
  const own = outputs / groups;
  // Of the first image of a batch.
  const positions = positionsOf(layer) / (window ? inputShape[0]! : 1);
  const perSample = Math.min(positionsPerImage, positions);
  const count = samples * perSample;
  const [now, was] = [new Float32Array(groups * count * width), new Float32Array(groups * count * width)];
  const [change, added] = beside === null ? [null, null] : [new Float32Array(outputs * count), new Float32Array(outputs * count)];
  const part = network.parts.findIndex(layers => layers.includes(layer));
  const seed = 1 + network.layers.indexOf(layer) * 7919;
  walk.through(part, ({number}, s, look) => {
    const places = choosePlaces(positions, perSample, randomNumbers(seed + number * 104729));
    for (const [id, into] of [[input, now] as const, [float.input, was] as const])
      for (let group = 0; group < groups; group++) {
        const first = (group * count + s * perSample) * width;
        const rows = into.subarray(first, first + perSample * width);
        if (window) gatherRows(look(id), inputShape, window, {n: 0, group, places}, rows);
        else rows.set(look(id).subarray(0, perSample * width));
      }
    if (beside === null || float.beside === null || !change || !added) return;
    const valuesOf = (id: ValueId): Float32Array => {
      if (!window) return look(id).subarray(0, perSample * outputs);
      const values = new Float32Array(perSample * outputs);
      gatherValues(look(id), outputShape, places, values);
      return values;
    };
    const [other, before] = [valuesOf(beside), valuesOf(float.beside)];
    for (let row = 0; row < perSample; row++)
      for (let o = 0; o < outputs; o++) {
        const to = (Math.floor(o / own) * count + s * perSample + row) * own + (o % own);
        added[to] = other[row * outputs + o]!;
        change[to] = before[row * outputs + o]! - added[to]!;
      }
  });
  const y = resultsOf(network.product, {x: was, count}, {weights: weights.data, bias}, groups);
  if (change) for (let i = 0; i < y.length; i++) y[i]! += change[i]!;
  return {x: now, y, added, count};
}
