/** What `dnnc build` says about energy and price: a line per variant, beside the first variant of its task. */
import type {Manifest, Variant} from '../../runtime/manifest.js';
import type {Asked} from '../energy/asked.js';
import {say, table} from '../output.js';

/** Says nothing where nothing was asked for. */
export function tellEnergy({variants}: Manifest, {profiles, meter}: Asked): void {
  const keys = <K extends 'energy' | 'price'>(field: K): readonly string[] => [
    ...new Set(variants.flatMap(variant => Object.keys(variant[field] ?? {}))),
  ];
  const [energies, prices] = [keys('energy'), keys('price')];
  if (energies.length + prices.length > 0) {
    const title = (key: string): string => {
      const source = variants.find(variant => variant.energy?.[key])?.energy?.[key]?.source;
      return source === 'measured' ? `${key} (measured)` : key;
    };
    const rows = variants.map(variant => [
      variant.id,
      ...energies.map(key => beside(variants, variant, ({energy}) => energy?.[key]?.millijoules, joulesText)),
      ...prices.map(key => beside(variants, variant, ({price}) => price?.[key]?.dollars, dollarsText)),
    ]);
    say(`\n${table([['variant', ...energies.map(title), ...prices], ...rows])}`);
  }
  const silent = profiles.map(({name}) => name).filter(name => !energies.includes(name) && !prices.includes(name));
  if (silent.length > 0)
    say(`no variant has all that its work needs in ${silent.join(', ')}: dnnc profiles NAME tells its coefficients`);
  const drowned = variants.filter(({energy}) => !Object.values(energy ?? {}).some(({source}) => source === 'measured'));
  if (meter && drowned.length > 0)
    say(`other work on this machine drowned what ${drowned.map(({id}) => id).join(', ')} took: build again when it is quiet`);
}

/** A figure, and what part of the first variant's it is. */
function beside(
  variants: readonly Variant[],
  variant: Variant,
  of: (variant: Variant) => number | undefined,
  text: (value: number) => string,
): string {
  const own = of(variant);
  if (own === undefined) return '-';
  const first = variants.find(({task}) => task === variant.task)!;
  const base = of(first);
  return first === variant || !base ? text(own) : `${text(own)} ${(own / base).toFixed(2)}x`;
}

const joulesText = (millijoules: number): string =>
  millijoules < 0.01
    ? `${(1000 * millijoules).toPrecision(3)} uJ`
    : millijoules < 1000
      ? `${millijoules.toPrecision(3)} mJ`
      : `${(millijoules / 1000).toPrecision(3)} J`;

const dollarsText = (dollars: number): string => `$${(1e6 * dollars).toPrecision(3)}/M`;
