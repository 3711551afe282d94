/**
 * Specialization after the build (MCDNN, section 5.2.1): a cascade of a cheap stage, an early exit or another variant, and the
 * general network, for requests of which a few classes hold most. Heads are fitted once for all classes; a context enters as
 * prior. What comes out are files of kilobytes that the build's code runs: no C compiler is needed.
 */
import {cpSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {writeManifest} from '../../codegen/manifest.js';
import {fail} from '../../ir/diagnostics.js';
import {load, openLoader} from '../../runtime/index.js';
import type {Manifest, Variant} from '../../runtime/manifest.js';
import {replaceDirectory} from '../artifacts.js';
import {isBuild} from '../build.js';
import {temporaryFolder} from '../open.js';
import {type Candidates, candidatesOf} from './candidates.js';
import {cascadeOf, withVariants} from './catalog.js';
import type {SpecializeOptions} from './options.js';
import {type Refitted, refit} from './refit.js';
import {type StreamTime, timeStream} from './stream.js';
import {type Cell, type Planned, planner, winnow} from './winnow.js';

export type {SpecializeOptions};

export type Specialized = {
  readonly candidates: Candidates;
  /** The cascade that was chosen, and what it was chosen from; null without a context. */
  readonly planned: Planned | null;
  /** The cascade's variant; null where none meets the goal. */
  readonly variant: Variant | null;
  /** Measured on a stream of samples as the context has them; null without a cascade. */
  readonly stream: StreamTime | null;
  readonly grid: readonly Cell[];
  /** The paper's way at each cut; empty unless it was asked for. */
  readonly refitted: readonly Refitted[];
};

/** Adds exits and a cascade to the build in `directory`. Throws DnncError; the folder is then as it was before. */
export async function specialize(directory: string, options: SpecializeOptions): Promise<Specialized> {
  if (!isBuild(directory))
    fail('input', 'open.foreign', directory, 'is not a folder that dnnc build wrote', 'name such a folder');
  if (options.context) return replaceDirectory(directory, folder => specializeIn(directory, folder, options));
  return specializeIn(directory, join(temporaryFolder(), 'build'), options);
}

async function specializeIn(directory: string, folder: string, options: SpecializeOptions): Promise<Specialized> {
  const {task, context, goal, grid, progress = () => {}} = options;
  cpSync(directory, folder, {recursive: true});
  const before = load(folder);
  const candidates = await candidatesOf(before, folder, openLoader(folder).logistic, options);
  const {general, firsts} = candidates;
  progress('trying contexts');
  const plans = planner(general, firsts, goal);
  const cells = grid ? winnow(plans, general.tune.labels) : [];
  const planned = context && plans.plan(context);
  const cascade =
    context && planned?.best
      ? cascadeOf(candidates.manifest, general, firsts, planned.best, context, options.tune ?? options.fit)
      : null;
  const refitted = context && options.refit ? refit(candidates.refitFacts, context) : [];
  if (!context) return {candidates, planned, variant: null, stream: null, grid: cells, refitted};
  const manifest = cascade ? withVariants(candidates.manifest, [cascade]) : candidates.manifest;
  await writeFiles(folder, manifest);
  progress('timing a stream');
  const session = load(folder);
  const samples = options.evaluate ?? options.tune ?? options.fit;
  const stream = cascade && timeStream(session, task, [general.stage.id, cascade.id], samples.data, context);
  return {candidates, planned, variant: cascade, stream, grid: cells, refitted};
}

async function writeFiles(folder: string, manifest: Manifest): Promise<void> {
  const {ts, json} = await writeManifest(manifest);
  writeFileSync(join(folder, 'manifest.ts'), ts);
  writeFileSync(join(folder, 'manifest.json'), json);
}
