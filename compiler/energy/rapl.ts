/**
 * Joules of this machine as its processor counts them (RAPL), by Linux's powercap: packages, and their memory where it is counted
 * apart. Counters are of the whole machine, tick about every millisecond, and wrap.
 */
import {readdirSync, readFileSync} from 'node:fs';
import {join} from 'node:path';

export type Meter = {
  /** What is counted: `package-0`, `dram`. */
  readonly zones: readonly string[];
  /** Joules since the meter was opened. To be asked at least once per wrap: minutes at full load. */
  joules(): number;
};

/** A meter, or why there is none. */
export type Found = {readonly meter: Meter} | {readonly why: string};

type Zone = {readonly name: string; readonly file: string; readonly range: number};

/** `folder`: where the kernel shows its zones. */
export function findRapl(folder = '/sys/class/powercap'): Found {
  let zones: readonly Zone[];
  try {
    zones = zonesOf(folder);
  } catch {
    return {why: `${folder} is not there or cannot be read`};
  }
  if (zones.length === 0) return {why: `${folder} has no package that counts energy`};
  let last: readonly number[];
  try {
    last = zones.map(microjoules);
  } catch (error) {
    return {why: error instanceof Error ? error.message : String(error)};
  }
  let total = 0;
  const joules = (): number => {
    const now = zones.map(microjoules);
    for (const [i, {range}] of zones.entries()) {
      const step = now[i]! - last[i]!;
      total += step < 0 ? step + range : step;
    }
    last = now;
    return total / 1e6;
  };
  return {meter: {zones: zones.map(({name}) => name), joules}};
}

/**
 * `intel-rapl:0` is a package (AMD's too), `intel-rapl:0:1` a part of it: of these only memory is not counted in the package.
 * `psys` holds the packages again, and `intel-rapl-mmio` shows the same counters another way.
 */
function zonesOf(folder: string): readonly Zone[] {
  return readdirSync(folder)
    .filter(entry => /^intel-rapl:\d+(:\d+)?$/.test(entry))
    .sort()
    .map(entry => ({
      name: textOf(folder, entry, 'name'),
      file: join(folder, entry, 'energy_uj'),
      range: Number(textOf(folder, entry, 'max_energy_range_uj')),
    }))
    .filter(({name}) => name.startsWith('package') || name === 'dram');
}

const textOf = (...path: readonly string[]): string => readFileSync(join(...path), 'utf8').trim();
const microjoules = ({file}: Zone): number => Number(textOf(file));
