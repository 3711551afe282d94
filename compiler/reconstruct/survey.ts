/** What the float network makes of samples: what its layers read, and what they give. */
import {type FloatProduct, transposed} from '../algebra/matrix.js';
import type {Layer} from './layers.js';
import {addRows, gather, type Moments, momentsOf} from './moments.js';
import type {Network} from './network.js';
import type {Sample} from './samples.js';
import {alikeIn, placesOf, roomFor, see, walkThrough} from './walk.js';

/** Samples and what the float network made of them. */
export type Surveyed = {readonly samples: readonly Sample[]; readonly survey: Survey};

/** By layer: values at the places of samples that are looked at, [sample][place][output]; in several parts, one behind the other. */
export type Outputs = ReadonlyMap<string, readonly Float32Array[]>;

export type Survey = {
  /** What layers give. */
  readonly outputs: Outputs;
  /** What is added to results, where something is. */
  readonly beside: Outputs;
};

/** By layer: of what it reads. */
export type MomentsRead = ReadonlyMap<string, Pick<Moments, 'count' | 'gram' | 'meanX'>>;

/** Samples whose rows are taken together. */
const together = 16;

/** Of the network as it runs now. `moments`: whether those of what layers read are wanted. */
export function surveyOf(
  network: Network,
  samples: readonly Sample[],
  {moments: wanted, progress}: {readonly moments: boolean; readonly progress: (done: number) => void},
): Surveyed & {readonly moments: MomentsRead} {
  const {floats} = network;
  const moments = new Map<string, Pick<Moments, 'count' | 'gram' | 'meanX'>>();
  const [outputs, beside] = [new Map<string, Float32Array[]>(), new Map<string, Float32Array[]>()];
  const walk = walkThrough(network, samples);
  for (const [part, layers] of network.parts.entries()) {
    const own = layers.map(layer => {
      const given = new Float32Array(samples.length * placesOf(layer) * layer.weights.rows);
      outputs.set(layer.name, [given]);
      const room = roomFor(layer, Math.min(together, samples.length));
      const added = room.beside && new Float32Array(given.length);
      if (added) beside.set(layer.name, [added]);
      return {layer, room, given, added, gathered: gather(wanted ? layer.weights.columns : 0, 0, alikeIn(layer))};
    });
    walk.through(part, (sample, number, look) => {
      progress(Math.floor(((part + number / samples.length) / network.parts.length) * samples.length));
      const at = number % together;
      const isLast = number === samples.length - 1;
      for (const {layer, room, given, added, gathered} of own) {
        see(network, look, layer, {sample, at}, room);
        if (at < together - 1 && !isLast) continue;
        const rows = (at + 1) * placesOf(layer);
        const first = (number - at) * placesOf(layer) * layer.weights.rows;
        const x = room.x.subarray(0, rows * layer.weights.columns);
        if (wanted) addRows(floats, gathered, x, nothing);
        given.set(outputsOf(floats, layer, x), first);
        if (room.beside) added?.set(room.beside.subarray(0, rows * layer.weights.rows), first);
      }
    });
    if (wanted) for (const {layer, gathered} of own) moments.set(layer.name, momentsOf(gathered));
  }
  return {samples, survey: {outputs, beside}, moments};
}

/** Some of the samples, in turn: views. */
export function partOf({samples, survey}: Surveyed, first: number, end: number): Surveyed {
  const cut = (all: Outputs): Outputs =>
    new Map(
      Array.from(all, ([name, parts]) => {
        const values = joined(parts);
        const each = values.length / samples.length;
        return [name, [values.subarray(first * each, end * each)]] as const;
      }),
    );
  return {samples: samples.slice(first, end), survey: {outputs: cut(survey.outputs), beside: cut(survey.beside)}};
}

/** Samples of several surveys, one behind the other. */
export function joinedSurveys(some: readonly Surveyed[]): Surveyed {
  const all = (of: (survey: Survey) => Outputs): Outputs => {
    const names = some.flatMap(({survey}) => [...of(survey).keys()]);
    return new Map(names.map(name => [name, some.flatMap(({survey}) => of(survey).get(name)!)]));
  };
  return {
    samples: some.flatMap(({samples}) => samples),
    survey: {outputs: all(({outputs}) => outputs), beside: all(({beside}) => beside)},
  };
}

/** All parts as one. */
export function joined(parts: readonly Float32Array[]): Float32Array {
  if (parts.length === 1) return parts[0]!;
  const all = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

const nothing = new Float32Array(0);

/** Weights times rows, and the bias. */
export function outputsOf(
  floats: FloatProduct,
  {weights, bias}: Pick<Layer, 'weights' | 'bias'>,
  rows: Float32Array,
): Float32Array {
  const [width, outputs] = [weights.columns, weights.rows];
  const count = rows.length / width;
  const turned = Float32Array.from(transposed(weights).data);
  const result = new Float32Array(count * outputs);
  const made = new Float64Array(Math.min(count, chunk) * outputs);
  for (let first = 0; first < count; first += chunk) {
    const own = Math.min(chunk, count - first);
    made.fill(0);
    floats(rows.subarray(first * width), width, 1, turned, outputs, made, outputs, own, outputs, width);
    for (let row = 0; row < own * outputs; row += outputs)
      for (let o = 0; o < outputs; o++) result[first * outputs + row + o] = made[row + o]! + bias[o]!;
  }
  return result;
}

/** Rows that stay near. */
const chunk = 512;

/** Mean square, about the means, of what a layer gives in the float network with what is added to that. */
export function energyOfOutputs({outputs, beside}: Survey, {name, weights}: Layer): number {
  const added = beside.get(name);
  return energyOfRows(joined(outputs.get(name)!), added ? joined(added) : null, weights.rows);
}

export function energyOfRows(y: Float32Array, added: Float32Array | null, outputs: number): number {
  const count = y.length / outputs;
  const [sums, squares] = [new Float64Array(outputs), new Float64Array(outputs)];
  for (let first = 0; first < y.length; first += outputs)
    for (let o = 0; o < outputs; o++) {
      const own = y[first + o]! + (added ? added[first + o]! : 0);
      sums[o]! += own;
      squares[o]! += own * own;
    }
  return squares.reduce((energy, square, o) => energy + square / count - (sums[o]! / count) ** 2, 0);
}
