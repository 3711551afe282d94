/**
 * Energy and price of one call as sums: so many multiply-accumulates of floats, of bytes, and bytes of weights and activations,
 * each times what the profile says it takes. Good for comparing variants of one network, not for absolute figures: how well a
 * layer's shape suits a machine is not in it.
 */
import {leftOut} from '../../codegen/kernels/ways.js';
import type {Step} from '../../ir/plan.js';
import type {Cost} from '../../ir/types.js';
import type {Energy, Price, Variant} from '../../runtime/manifest.js';
import type {CoefficientName} from './coefficients.js';
import type {DeviceProfile} from './profile.js';

/** What one call computes and moves. */
export type Work = {
  /** That are computed: fewer than a definition has where Winograd's transforms leave some out. */
  readonly floatMacs: number;
  readonly integerMacs: number;
  readonly weightBytes: number;
  /** Read and written between layers, and at the ends. */
  readonly activationBytes: number;
};

/** By the cost of the definition, and the plan: its steps, and bytes of weights as they are packed, since these are what a call reads. */
export const workOf = (
  {macs, integerMacs, bytesRead, bytesWritten}: Cost,
  weightBytes: number,
  steps: readonly Step[],
): Work => ({
  floatMacs: macs - integerMacs - steps.reduce((sum, {work}) => sum + (work.kind === 'kernel' ? leftOut(work) : 0), 0),
  integerMacs,
  weightBytes,
  activationBytes: bytesRead + bytesWritten,
});

/** A coefficient and how often it counts, in units that make their product one of the sum. */
type Term = {readonly name: CoefficientName; readonly times: number; readonly needed: boolean};
type Sum = {readonly value: number; readonly low: number; readonly high: number};

/** Null where the work needs a coefficient that the profile has not. */
export function energyOf(profile: DeviceProfile, {floatMacs, integerMacs, weightBytes, activationBytes}: Work): Energy | null {
  const sum = sumOf(profile, [
    {name: 'float', times: floatMacs * 1e-9, needed: true},
    {name: 'integer', times: integerMacs * 1e-9, needed: true},
    {name: 'weights', times: weightBytes * 1e-9, needed: false},
    {name: 'activations', times: activationBytes * 1e-9, needed: false},
    {name: 'call', times: 1, needed: false},
  ]);
  if (!sum) return null;
  const [low, high] = [digits(sum.low), digits(sum.high)];
  const interval = low < high ? {interval: [low, high] as const} : {};
  return {millijoules: digits(sum.value), source: 'modelled', profile: profile.name, ...interval};
}

/** Milliseconds; null where the work needs a coefficient that the profile has not. */
export function timeOf(profile: DeviceProfile, {floatMacs, integerMacs, weightBytes}: Work): number | null {
  const sum = sumOf(profile, [
    {name: 'floatTime', times: floatMacs / 1e9, needed: true},
    {name: 'integerTime', times: integerMacs / 1e9, needed: true},
    {name: 'weightsTime', times: weightBytes / 1e6, needed: false},
    {name: 'callTime', times: 1, needed: false},
  ]);
  return sum && digits(sum.value);
}

/** Null where the profile has no price, or not all that time takes. */
export function priceOf(profile: DeviceProfile, work: Work): Price | null {
  const {price} = profile.coefficients;
  const milliseconds = timeOf(profile, work);
  return price && milliseconds !== null ? {dollars: digits((milliseconds / 3.6e6) * price.value), milliseconds} : null;
}

/** Energies and prices by profile, as a variant has them, beside those that were measured; no field where there is none. */
export function costsOf(
  profiles: readonly DeviceProfile[],
  work: Work,
  measured: Readonly<Record<string, Energy>> = {},
): Pick<Variant, 'energy' | 'price'> {
  const each = <T>(of: (profile: DeviceProfile, work: Work) => T | null): Readonly<Record<string, T>> =>
    Object.fromEntries(
      profiles.flatMap(profile => {
        const value = of(profile, work);
        return value === null ? [] : [[profile.name, value] as const];
      }),
    );
  const [energy, price] = [{...measured, ...each(energyOf)}, each(priceOf)];
  return {...(Object.keys(energy).length > 0 && {energy}), ...(Object.keys(price).length > 0 && {price})};
}

function sumOf({coefficients}: DeviceProfile, terms: readonly Term[]): Sum | null {
  if (terms.some(({name, times, needed}) => needed && times > 0 && !coefficients[name])) return null;
  if (terms.every(({name}) => !coefficients[name])) return null;
  return terms.reduce(
    (sum, {name, times}) => {
      const {value = 0, range = [value, value] as const} = coefficients[name] ?? {};
      return {value: sum.value + times * value, low: sum.low + times * range[0], high: sum.high + times * range[1]};
    },
    {value: 0, low: 0, high: 0},
  );
}

const digits = (value: number): number => Number(value.toPrecision(4));
