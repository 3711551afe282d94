/**
 * Parts of a simulation's profile by the name of a device profile: `"device": "pixel-3"`, `"cloud": {"profile": "aws-c7i-large"}`
 * with other fields beside it that win, `"link": {"profile": "pixel-3", "over": "wifi"}`.
 */
import {fail} from '../../ir/diagnostics.js';
import type {CoefficientName} from '../energy/coefficients.js';
import {type DeviceProfile, openDeviceProfile} from '../energy/profile.js';

type Fields = {readonly [field: string]: unknown};
/** Field of the simulation's profile: coefficient of the device profile, and what one of its units is in the field's. */
type Source = {readonly coefficient: CoefficientName; readonly times?: number; readonly optional?: true};

const device: Readonly<Record<string, Source>> = {
  joulesPerGmac: {coefficient: 'float', times: 1e-3},
  millisecondsPerGmac: {coefficient: 'floatTime'},
  loadJoulesPerMegabyte: {coefficient: 'load'},
  loadMillisecondsPerMegabyte: {coefficient: 'loadTime', optional: true},
};
const cloud: Readonly<Record<string, Source>> = {
  dollarsPerHour: {coefficient: 'price'},
  millisecondsPerGmac: {coefficient: 'floatTime'},
};
const links: Readonly<Record<string, Readonly<Record<string, Source>>>> = {
  lte: {joulesPerMegabyte: {coefficient: 'lte'}, joulesPerRequest: {coefficient: 'lteRequest'}},
  wifi: {joulesPerMegabyte: {coefficient: 'wifi'}, joulesPerRequest: {coefficient: 'wifiRequest'}},
};

/** The document with numbers in place of names; anything else is left to the check of the whole. */
export function withNamedParts(document: unknown, file: string): unknown {
  if (!isFields(document)) return document;
  return {
    ...document,
    ...part(document, 'device', file, () => device),
    ...part(document, 'cloud', file, () => cloud),
    ...part(document, 'link', file, ({over}) => {
      if (typeof over === 'string' && links[over]) return links[over];
      return fail('input', 'profile.link', `${file}, link.over`, `is ${JSON.stringify(over)}`, '"over": "lte" or "wifi"');
    }),
  };
}

function part(
  document: Fields,
  name: string,
  file: string,
  sourcesOf: (own: Fields) => Readonly<Record<string, Source>>,
): Fields {
  const given = typeof document[name] === 'string' ? {profile: document[name]} : document[name];
  if (!isFields(given) || typeof given.profile !== 'string') return {};
  const {over, ...own} = given;
  const profile = openDeviceProfile(given.profile);
  const fields = Object.entries(sourcesOf(given)).flatMap(([field, source]) => {
    const value = field in own ? undefined : fieldOf(profile, source, `${file}, ${name}.${field}`, field);
    return value === undefined ? [] : [[field, value] as const];
  });
  // A link has no figures in the manifest.
  const key = name === 'link' ? {} : {profile: profile.name};
  const {profile: _, ...rest} = own;
  return {[name]: {...Object.fromEntries(fields), ...rest, ...key}};
}

function fieldOf(
  {name, coefficients}: DeviceProfile,
  {coefficient, times = 1, optional}: Source,
  where: string,
  field: string,
): number | undefined {
  const known = coefficients[coefficient];
  if (known) return known.value * times;
  if (optional) return undefined;
  return fail(
    'input',
    'profile.coefficient',
    where,
    `${name} has no coefficient "${coefficient}"`,
    `say it: "${field}": NUMBER beside "profile"`,
  );
}

const isFields = (value: unknown): value is Fields => typeof value === 'object' && value !== null && !Array.isArray(value);
