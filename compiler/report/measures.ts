/** What variants cost, as far as the build knows: each is an axis of a plot and a column of a table. */
import type {Manifest} from '../../runtime/manifest.js';
import {type Contender, timesOf} from './contenders.js';
import {bytes, duration, energy, macs} from './words.js';

export type Measure = {
  /** In a plot's title: `accuracy against ...`. */
  readonly name: string;
  /** Where it was found out. */
  readonly place?: string;
  /** At the head of a column. */
  readonly head: string;
  readonly text: (value: number) => string;
  readonly of: (contender: Contender) => number | null;
  /** Between what bounds it varied. */
  readonly range?: (contender: Contender) => readonly [low: number, high: number] | null;
  /** Whether accuracy is plotted against it. */
  readonly isPlotted: boolean;
};

export function measuresOf(manifest: Manifest): readonly Measure[] {
  const {variants} = manifest;
  const targets = keysOf(variants.map(({latency}) => latency));
  const meters = keysOf(variants.map(variant => variant.energy));
  const costs = ({variant, tried}: Contender) => variant ?? tried?.costs ?? null;
  const latencies = targets.map((target, i): Measure => {
    const times = (contender: Contender) => timesOf(contender, target, i === 0);
    return {
      name: 'median time of a call',
      place: target,
      head: targets.length === 1 ? 'time' : `time, ${target}`,
      text: duration,
      of: contender => times(contender)?.p50 ?? null,
      range(contender) {
        const known = times(contender);
        return known && [known.p10 ?? known.p50, known.p90];
      },
      isPlotted: true,
    };
  });
  const energies = meters.map((key): Measure => {
    const known = variants.find(variant => variant.energy?.[key])?.energy?.[key];
    return {
      name: `energy of a call, ${known?.source}`,
      place: key === known?.profile ? key : `${key}, ${known?.profile}`,
      head: meters.length === 1 ? 'energy' : `energy, ${key}`,
      text: energy,
      of: ({variant, tried}) => variant?.energy?.[key]?.millijoules ?? tried?.costs?.energy?.[key] ?? null,
      range: ({variant}) => variant?.energy?.[key]?.interval ?? null,
      isPlotted: true,
    };
  });
  const sizes: readonly Measure[] = [
    {name: 'weights to load', head: 'to load', text: bytes, of: each => costs(each)?.loadBytes ?? null, isPlotted: true},
    {name: 'scratch memory', head: 'arena', text: bytes, of: each => costs(each)?.arenaBytes ?? null, isPlotted: true},
    {name: 'weights', head: 'weights', text: bytes, of: each => costs(each)?.weightBytes ?? null, isPlotted: false},
    {name: 'multiply-adds', head: 'MACs', text: macs, of: each => costs(each)?.macs ?? null, isPlotted: false},
  ];
  const prices = keysOf(variants.map(({price}) => price)).map(
    (cloud): Measure => ({
      name: 'price of a call in the cloud',
      place: cloud,
      head: `price, ${cloud}`,
      text: value => `$${value}`,
      of: ({variant}) => variant?.price?.[cloud]?.dollars ?? null,
      isPlotted: false,
    }),
  );
  return [...latencies, ...sizes, ...energies, ...prices];
}

const keysOf = (records: readonly (object | undefined)[]): readonly string[] => [
  ...new Set(records.flatMap(record => Object.keys(record ?? {}))),
];
