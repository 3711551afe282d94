/** `build.log.json` as far as the report reads it; what else stands there is let pass. */
import {join} from 'node:path';
import {z} from 'zod';
import {fail} from '../../ir/diagnostics.js';
import {logName} from '../artifacts.js';
import type {CatalogLog, Tried} from '../catalog/log.js';
import {readJson} from '../data/files.js';
import type {LayerReport, RecipeReport} from '../recipes/report.js';
import {version} from '../version.js';

export type BuildLog = {
  /** Version of dnnc that wrote it, and the C compiler. */
  readonly dnnc: string;
  readonly compiler: string;
  readonly recipes: readonly RecipeReport[];
  /** Absent: only what was asked for was made. */
  readonly catalog?: CatalogLog;
};

const count = z.number().min(0);
const sometimes = z.number().exactOptional();
const percent = z.number().min(0).max(100);

const layer: z.ZodType<LayerReport> = z.object({
  layer: z.string(),
  float: z.string().exactOptional(),
  scale: sometimes,
  zero: sometimes,
  clipped: sometimes,
  weightSqnr: sometimes,
  outputSqnr: sometimes,
  sumSqnr: sometimes,
  rounding: z.enum(['nearest', 'bias', 'gptq', 'fit']).exactOptional(),
  gain: sometimes,
  effect: sometimes,
  form: z.string().exactOptional(),
  error: sometimes,
  macsBefore: count.exactOptional(),
  macsAfter: count.exactOptional(),
  timeBefore: count.exactOptional(),
  timeAfter: count.exactOptional(),
  bytesBefore: count,
  bytesAfter: count,
});

const recipe: z.ZodType<RecipeReport> = z.object({
  task: z.string(),
  recipe: z.string(),
  step: z.string().exactOptional(),
  calibration: z.string().exactOptional(),
  samples: count.exactOptional(),
  data: z.string().exactOptional(),
  spared: z.enum(['time', 'macs', 'bytes']).exactOptional(),
  estimate: z
    .object({
      loss: z.number(),
      most: z.number().exactOptional(),
      agreement: z.number(),
      divergence: z.number(),
      allocation: z.object({chosen: z.number(), uniform: z.number()}).exactOptional(),
    })
    .exactOptional(),
  loss: sometimes,
  equalized: count.exactOptional(),
  layers: z.array(layer),
});

const tried: z.ZodType<Tried> = z.object({
  task: z.string(),
  recipe: z.string(),
  from: z.string().exactOptional(),
  kept: z.boolean(),
  reason: z.string(),
  accuracy: z
    .object({n: count, value: percent, interval: z.tuple([percent, percent]), loss: z.number(), error: count})
    .exactOptional(),
  costs: z
    .object({
      ...{macs: count, weightBytes: count, arenaBytes: count, loadBytes: count, cycles: count},
      ...{p50: count, p90: count, cold: count.exactOptional()},
      energy: z.record(z.string(), count).exactOptional(),
      ownMacs: count.exactOptional(),
    })
    .exactOptional(),
  seconds: count,
});

const log: z.ZodType<BuildLog> = z.object({
  dnnc: z.string(),
  compiler: z.string(),
  recipes: z.array(recipe).default([]),
  catalog: z.object({maxLoss: z.number(), notes: z.array(z.string()).exactOptional(), tried: z.array(tried)}).exactOptional(),
});

/** Errors, all input: those of `readJson`; report.log where it is damaged, report.version where another version wrote it otherwise. */
export function readLog(directory: string): BuildLog {
  const file = join(directory, logName);
  const json = readJson(file);
  const result = log.safeParse(json);
  if (result.success) return result.data;
  const says = z.prettifyError(result.error).split('\n').slice(0, 6).join('\n');
  const writer = z.object({dnnc: z.string()}).safeParse(json).data?.dnnc ?? version;
  if (writer === version) return fail('input', 'report.log', file, `is damaged: ${says}`, 'build again');
  return fail(
    'input',
    'report.version',
    file,
    `was written by dnnc ${writer}, this is ${version}: ${says}`,
    'use the dnnc that built it, or build again',
  );
}
