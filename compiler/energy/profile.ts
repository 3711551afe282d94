/**
 * Devices and clouds as coefficients, each with its source. The schema here is the published one (profile.schema.json, checked
 * by a test).
 */
import {readdirSync, readFileSync} from 'node:fs';
import {basename} from 'node:path';
import {z} from 'zod';
import {fail} from '../../ir/diagnostics.js';
import {packageFile} from '../package-files.js';
import {type CoefficientName, coefficients} from './coefficients.js';

const amount = z.number().nonnegative();

const coefficient = <N extends CoefficientName>(name: N) =>
  z
    .strictObject({
      value: amount,
      unit: z.literal(coefficients[name].unit),
      range: z.tuple([amount, amount]).optional().describe('where sources, or networks, disagree'),
      source: z.string().min(1).describe('paper with section or table, data sheet, price list with its date'),
      derived: z.string().min(1).optional().describe('how the value follows, where the source does not say it itself'),
    })
    .refine(({value, range}) => !range || (range[0] <= value && value <= range[1]), 'range must hold value')
    .optional()
    .describe(coefficients[name].says);

export const profileSchema = z.strictObject({
  $schema: z.string().optional(),
  schema: z.literal(1),
  name: z
    .string()
    .regex(/^[a-z0-9][a-z0-9.-]*$/, 'must be small letters, digits, dots and dashes')
    .describe('its key in manifests'),
  kind: z.literal(['phone', 'single-board', 'microcontroller', 'accelerator', 'server']),
  summary: z.string().min(1),
  coefficients: z.strictObject({
    float: coefficient('float'),
    integer: coefficient('integer'),
    weights: coefficient('weights'),
    activations: coefficient('activations'),
    call: coefficient('call'),
    floatTime: coefficient('floatTime'),
    integerTime: coefficient('integerTime'),
    weightsTime: coefficient('weightsTime'),
    callTime: coefficient('callTime'),
    idle: coefficient('idle'),
    active: coefficient('active'),
    load: coefficient('load'),
    loadTime: coefficient('loadTime'),
    lte: coefficient('lte'),
    lteRequest: coefficient('lteRequest'),
    wifi: coefficient('wifi'),
    wifiRequest: coefficient('wifiRequest'),
    price: coefficient('price'),
  } satisfies Record<CoefficientName, unknown>),
});

export type DeviceProfile = z.infer<typeof profileSchema>;

const folder = packageFile('compiler', 'energy', 'profiles');

/** Of the profiles that come with dnnc, in alphabetical order. */
export const profileNames = (): readonly string[] =>
  readdirSync(folder)
    .filter(file => file.endsWith('.json'))
    .map(file => basename(file, '.json'))
    .sort();

/** One of the profiles that come with dnnc, or a JSON file. Throws `usage` for a name that is none and `input` for a wrong file. */
export function openDeviceProfile(nameOrFile: string): DeviceProfile {
  if (nameOrFile.endsWith('.json')) return readDeviceProfile(nameOrFile);
  if (profileNames().includes(nameOrFile))
    return readDeviceProfile(packageFile('compiler', 'energy', 'profiles', `${nameOrFile}.json`));
  return fail(
    'usage',
    'profile.unknown',
    nameOrFile,
    'is neither a device profile nor a .json file',
    `one of ${profileNames().join(', ')}, or a file; dnnc profiles tells more`,
  );
}

function readDeviceProfile(file: string): DeviceProfile {
  let json: unknown;
  try {
    json = JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    return fail('input', 'profile.file', file, error instanceof Error ? error.message : String(error), 'the file must be JSON');
  }
  const result = profileSchema.safeParse(json);
  if (result.success) return result.data;
  return fail('input', 'profile.invalid', file, z.prettifyError(result.error), 'see compiler/energy/profile.schema.json');
}
