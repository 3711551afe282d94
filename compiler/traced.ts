/** Throw-away builds whose code tells when each step ends. */
import {join} from 'node:path';
import {fail} from '../ir/diagnostics.js';
import {load, type Session} from '../runtime/index.js';
import {type BuildOptions, type Built, build} from './build.js';
import {percentiles} from './measure.js';
import {temporaryFolder} from './open.js';
import {randomInput} from './random-inputs.js';
import type {Task} from './tasks.js';

export type Traced = {readonly built: Built; readonly session: Session};

/** For the first of the targets. */
export async function buildTraced(
  tasks: readonly Task[],
  options: Omit<BuildOptions, 'directory' | 'name'> & Required<Pick<BuildOptions, 'targets'>>,
): Promise<Traced> {
  const directory = join(temporaryFolder(), 'traced');
  const built = await build(tasks, {
    ...options,
    directory,
    name: 'traced',
    measure: false,
    typed: false,
    flags: ['-DDNNC_TRACE'],
  });
  return {built, session: load(directory, {target: options.targets[0]!.name})};
}

const [rounds, iterations] = [15, 5];

/**
 * Microseconds of each step of each variant of each build, one after the other: medians over rounds, in which the builds
 * take turns, since one interruption of the machine must not become a layer's time.
 */
export function timeSteps(traced: readonly Traced[]): readonly (readonly number[])[] {
  const tracers = traced.map(({built, session}) =>
    built.compiled.plan.entries.map(({name, steps}, i) => {
      const {task, id} = built.manifest.variants[i]!;
      const entry = session.entry(task, id);
      const trace = entry.trace ?? fail('bug', 'traced.trace', name, 'the library has no trace entry');
      const inputs = entry.task.inputs.map((input, i) => randomInput(input, 1 + i).data);
      const outputs = entry.newOutputs();
      return () => Array.from(trace(inputs, outputs, steps.length, iterations, 2));
    }),
  );
  const samples = tracers.map((): number[][] => []);
  for (let round = 0; round < rounds; round++)
    for (const [at, entries] of tracers.entries()) samples[at]!.push(entries.flatMap(trace => trace()));
  return samples.map(all => (all[0] ?? []).map((_, step) => percentiles(all.map(sums => sums[step]!)).p50 / iterations / 1000));
}
