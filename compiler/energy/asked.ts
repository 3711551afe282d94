/** What `--profile` asks for: profiles by name or file, and the meter of this machine. */
import {fail} from '../../ir/diagnostics.js';
import {meterName} from './measure.js';
import {type DeviceProfile, openDeviceProfile} from './profile.js';
import {findRapl, type Meter} from './rapl.js';

export type Asked = {readonly profiles: readonly DeviceProfile[]; readonly meter?: Meter};

/** Throws `usage` for a name that is none, or two profiles of one name, and `input` where there is no meter or a file is wrong. */
export function openAsked(given: readonly string[]): Asked {
  const names = [...new Set(given)];
  const profiles = names.filter(name => name !== meterName).map(openDeviceProfile);
  const twice = profiles.find(({name}, i) => profiles.findIndex(other => other.name === name) < i);
  if (twice) fail('usage', 'profile.twice', twice.name, 'is the name of two profiles', 'give each a name of its own');
  if (!names.includes(meterName)) return {profiles};
  const found = findRapl();
  if ('meter' in found) return {profiles, meter: found.meter};
  return fail(
    'input',
    'profile.meter',
    meterName,
    `this machine's energy cannot be measured: ${found.why}`,
    'run on Linux on the metal, with leave to read energy_uj of the packages; or model it: --profile NAME of dnnc profiles',
  );
}
