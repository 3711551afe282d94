/** `dnnc.config.json`: what an ONNX file cannot say. The schema here is the published one (config.schema.json, checked by a test). */
import {existsSync, readFileSync} from 'node:fs';
import {dirname, join, resolve} from 'node:path';
import {z} from 'zod';
import {fail} from '../ir/diagnostics.js';

const inputSchema = z.strictObject({
  channels: z.literal(['rgb', 'bgr', 'grey']).optional().describe('order of the channels that the model was trained on'),
  mean: z
    .array(z.number())
    .min(1)
    .optional()
    .describe('subtracted from values as stored (0..255); one number, or one per channel'),
  std: z
    .array(z.number().refine(n => n !== 0, 'must not be 0'))
    .min(1)
    .optional()
    .describe('divides what is left; one number, or one per channel'),
  dataLayout: z.literal(['NHWC', 'NCHW']).optional().describe('how data files hold the samples'),
  resize: z.literal(['bilinear', 'nearest', 'none']).optional().describe('where sizes differ'),
});

const taskSchema = z.strictObject({
  model: z.string().describe('ONNX file, relative to this file'),
  output: z.string().optional().describe('name of the graph output; all outputs where absent'),
  others: z.array(z.string()).optional().describe('further networks for the same task, ONNX files relative to this file'),
  labels: z.array(z.string()).optional(),
  labelOffset: z.int().optional().describe('added to a label to get the output index'),
  input: inputSchema.optional(),
  calibrate: z.string().optional().describe('samples for statistics, relative to this file'),
  evaluate: z.string().optional().describe('labelled samples for accuracy, relative to this file'),
  labelsKey: z.string().optional().describe('name of the labels in an .npz file'),
});

export const configSchema = z.strictObject({
  $schema: z.string().optional(),
  name: z.string().optional().describe('name of the module: prefix of files and C symbols'),
  profiles: z
    .array(z.string())
    .optional()
    .describe(
      'devices and clouds that energy and price are modelled for: names of dnnc profiles, or files relative to this file',
    ),
  tasks: z.record(z.string(), taskSchema).refine(tasks => Object.keys(tasks).length > 0, 'needs at least one task'),
});

export type TaskConfig = z.infer<typeof taskSchema>;
export type Config = z.infer<typeof configSchema> & {readonly file: string; readonly folder: string};

export const configName = 'dnnc.config.json';

/** Throws `input` errors that name the field. */
export function readConfig(file: string): Config {
  let json: unknown;
  try {
    json = JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    return fail('input', 'config.file', file, error instanceof Error ? error.message : String(error), 'the file must be JSON');
  }
  const result = configSchema.safeParse(json);
  if (!result.success)
    return fail('input', 'config.invalid', file, z.prettifyError(result.error), 'see compiler/config.schema.json');
  return {...result.data, file, folder: dirname(resolve(file))};
}

/** The configuration given, or the one that lies beside the models; null where there is none. */
export function findConfig(given: string | undefined, models: readonly string[]): Config | null {
  if (given !== undefined) return readConfig(given);
  const beside = models.map(model => join(dirname(model), configName)).find(file => existsSync(file));
  return beside === undefined ? null : readConfig(beside);
}
