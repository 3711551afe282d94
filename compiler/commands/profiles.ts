/** `dnnc profiles`: the devices and clouds that energy and price are modelled for, and where their numbers come from. */
import type {Command} from 'commander';
import {type CoefficientName, coefficients} from '../energy/coefficients.js';
import {meterName} from '../energy/measure.js';
import {type DeviceProfile, openDeviceProfile, profileNames} from '../energy/profile.js';
import {findRapl} from '../energy/rapl.js';
import {printJson, say, table} from '../output.js';
import {type JsonFlag, withJson} from './options.js';

export function defineProfiles(program: Command): void {
  const command = program
    .command('profiles')
    .description('devices and clouds that energy and price are modelled for; with a name, its coefficients and their sources')
    .argument('[NAME|FILE]', 'one profile');
  withJson(command).action((name: string | undefined, {json}: JsonFlag) => {
    if (name !== undefined) {
      const profile = openDeviceProfile(name);
      if (json) printJson(profile);
      else tell(profile);
      return;
    }
    const profiles = profileNames().map(openDeviceProfile);
    const found = findRapl();
    const here = 'meter' in found ? {zones: found.meter.zones} : {why: found.why};
    if (json) printJson({[meterName]: here, profiles});
    else list(profiles, 'meter' in found ? `counts ${found.meter.zones.join(', ')}` : `not here: ${found.why}`);
  });
}

function list(profiles: readonly DeviceProfile[], here: string): void {
  const rows = profiles.map(({name, kind, summary, coefficients: own}) => {
    const of = (coefficient: CoefficientName): string => (own[coefficient] ? `${own[coefficient].value}` : '-');
    return [name, kind, of('float'), of('integer'), of('floatTime'), of('price'), summary];
  });
  say(table([['profile', 'kind', 'pJ/MAC float', 'integer', 'ms/GMAC', '$/h', 'what'], ...rows]));
  say(`\n${meterName} measures on this machine: ${here}`);
}

function tell({name, kind, summary, coefficients: own}: DeviceProfile): void {
  say(`${name}, ${kind}: ${summary}`);
  for (const [key, {unit, says}] of Object.entries(coefficients)) {
    const known = own[key as CoefficientName];
    if (!known) continue;
    const range = known.range ? ` (${known.range[0]} to ${known.range[1]})` : '';
    say(`\n${key.padEnd(12)} ${known.value} ${unit}${range}: ${says}`);
    say(`  from: ${known.source}`);
    if (known.derived !== undefined) say(`  as: ${known.derived}`);
  }
}
