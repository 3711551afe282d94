/** The ways in which a layer becomes several thin ones, and what each costs. */
import {elements} from '../../ir/tensor.js';
import {kernelOf, type Layer} from '../reconstruct/layers.js';
import type {Spared} from '../reconstruct/spared.js';
import {macsOfStages, pointStage, type Stage, stageMacs, wholeStage} from '../reconstruct/stage.js';

/**
 * `channel`: k x k to r channels, then 1 x 1 (Zhang et al. 2015); of 1 x 1 and fully connected layers it is the truncated SVD.
 * `spatial`: k x 1 to r channels, then 1 x k (Jaderberg et al. 2014). `tucker`: 1 x 1 to few channels, k x k among few, 1 x 1
 * (Kim et al. 2016). `separable`: one filter per channel, then 1 x 1. `none`: the mean of what it gave; only before an addition, where
 * the other branch goes on (layer removal).
 */
export type Form = 'channel' | 'spatial' | 'tucker' | 'separable' | 'none';

/** Channels in between: two of `tucker`, none of `separable` and `none`, one of the others. */
export type Choice = {readonly form: Form; readonly ranks: readonly number[]};

export function stagesOf(layer: Layer, {form, ranks}: Choice): readonly Stage[] {
  const {channels, weights, window} = layer;
  const outputs = weights.rows;
  if (form === 'none') return [];
  const [r, last = r] = ranks as [number, number?];
  if (!window) return [pointStage([r, weights.columns]), pointStage([outputs, r])];
  const [rows, columns] = kernelOf(layer);
  const [down, right] = window.strides as [number, number];
  const [dy, dx] = window.dilations as [number, number];
  const [top, left, bottom, end] = window.pads as [number, number, number, number];
  const whole = {strides: [down, right], dilations: [dy, dx], pads: [top, left, bottom, end], groups: 1} as const;
  const points = pointStage([outputs, form === 'separable' ? channels : last, 1, 1]);
  switch (form) {
    case 'channel':
      return [{...whole, shape: [r, channels, rows, columns]}, points];
    case 'spatial':
      return [
        {groups: 1, shape: [r, channels, rows, 1], strides: [down, 1], dilations: [dy, 1], pads: [top, 0, bottom, 0]},
        {groups: 1, shape: [outputs, r, 1, columns], strides: [1, right], dilations: [1, dx], pads: [0, left, 0, end]},
      ];
    case 'tucker':
      return [pointStage([r, channels, 1, 1]), {...whole, shape: [last, r, rows, columns]}, points];
    case 'separable':
      return [{...whole, shape: [channels, 1, rows, columns], groups: channels}, points];
    default:
      return form satisfies never;
  }
}

/** Ranks of each form that a layer is tried with; those that save no multiply-adds are left out. */
export function choicesFor(layer: Layer, spared: Spared): readonly Choice[] {
  const ranksUpTo = spared === 'time' ? wholeVectors : fineSteps;
  const {channels, weights} = layer;
  const [outputs, points] = [weights.rows, elements(kernelOf(layer))];
  const most = Math.min(outputs, weights.columns);
  const all: Choice[] = ranksUpTo(most).map(r => ({form: 'channel', ranks: [r]}));
  if (points > 1) {
    const [rows, columns] = kernelOf(layer);
    if (rows > 1 && columns > 1)
      all.push(...ranksUpTo(Math.min(channels * rows, outputs * columns)).map(r => ({form: 'spatial' as const, ranks: [r]})));
    for (const share of [0.25, 0.375, 0.5, 0.625, 0.75]) {
      const [r, last] = [rounded(share * channels), rounded(share * outputs)];
      if (r < channels && last < outputs) all.push({form: 'tucker', ranks: [r, last]});
    }
    all.push({form: 'separable', ranks: []});
  }
  if (layer.beside !== null) all.push({form: 'none', ranks: []});
  const limit = 0.9 * stageMacs(wholeStage(layer), layer.inputShape);
  const seen = new Set<string>();
  return all.filter(choice => {
    const stages = stagesOf(layer, choice);
    const macs = macsOfStages(layer, stages);
    const name = choiceName(choice);
    if (macs > limit || seen.has(name)) return false;
    seen.add(name);
    return true;
  });
}

/** `spatial 32`, `tucker 16 32` */
export const choiceName = ({form, ranks}: Choice): string => [form, ...ranks].join(' ');

/** Ranks in steps of half a vector of channels, or of whole ones where there are many: about twelve at most. */
function wholeVectors(most: number): readonly number[] {
  const step = most < 32 ? 4 : Math.ceil(most / 96) * 8;
  return Array.from({length: Math.floor(most / step)}, (_, i) => (i + 1) * step);
}

/** What kernels make of a rank that is no multiple of a vector does not matter: steps are finer where there are few. */
function fineSteps(most: number): readonly number[] {
  const step = most < 32 ? 2 : Math.ceil(most / 96) * 4;
  return Array.from({length: Math.floor(most / step)}, (_, i) => (i + 1) * step);
}

/** To a multiple of 8, or of 4 where there are few. */
const rounded = (rank: number): number => {
  const step = rank < 16 ? 4 : 8;
  return Math.max(step, Math.round(rank / step) * step);
};
