/**
 * The work of a catalog, cut into jobs that any process can do: plain data that names what it reads by content. A job that has been
 * done is never done again: its result is kept under its key.
 */
import {createHash} from 'node:crypto';
import type {DeviceProfile} from '../energy/profile.js';
import {identity, thisMachine} from '../identity.js';
import type {RecipeReport} from '../recipes/report.js';
import type {Retargeted} from '../retarget/index.js';
import type {Task} from '../tasks.js';
import type {DecisiveCosts, TriedCosts} from './log.js';
import {isHopeless} from './order.js';

/** What a network is asked: all of a task but its files. */
export type Question = Pick<Task, 'name' | 'labels' | 'labelOffset' | 'input'>;

/** Samples by content; `path` is where they lie here. */
export type DataRef = {readonly path: string; readonly sha256: string; readonly labelsKey: string | null};

/** One step of a recipe on a network. */
export type MakeJob = {
  readonly kind: 'make';
  readonly question: Question;
  /** sha256 of a network file in the store. */
  readonly network: string;
  readonly step: string;
  /** null: the step looks at none. */
  readonly samples: DataRef | null;
  readonly method: string;
};

/** Accuracy and costs of a network, alone in a build. */
export type MeasureJob = {
  readonly kind: 'measure';
  readonly question: Question;
  readonly network: string;
  readonly data: DataRef;
  readonly target: string;
  /** Devices whose energy is modelled. */
  readonly profiles: readonly DeviceProfile[];
  /** What it is compared with: whether `full` is right, per sample in the order of `evaluationOrder`; and points that may be lost. */
  readonly against: {readonly right: string; readonly points: number} | null;
  /** Costs of the network that it was made from: one that is no cheaper is not evaluated. */
  readonly above: DecisiveCosts | null;
};

/** Heads of a question on the trunk of another one's network. */
export type RetargetJob = {
  readonly kind: 'retarget';
  readonly trunk: {readonly question: Question; readonly network: string};
  readonly question: Question;
  readonly network: string;
  readonly fit: DataRef;
  readonly balance: boolean;
};

export type Job = MakeJob | MeasureJob | RetargetJob;

/** A network, or why the step does not apply to it. */
export type Made = {readonly network: string; readonly report: RecipeReport} | {readonly refused: string};

export type Measured = {
  /** '1' or '0' per sample that was looked at; empty where the network is no cheaper than the one above. */
  readonly right: string;
  readonly costs: TriedCosts;
};

export type RetargetedHead = {readonly network: string; readonly head: Retargeted};

export type RetargetedHeads = {
  readonly heads: readonly RetargetedHead[];
  /** Output indices that no sample to fit to has. */
  readonly missing: readonly number[];
};

export type ResultOf<J extends Job> = J extends MakeJob ? Made : J extends MeasureJob ? Measured : RetargetedHeads;

/** Does jobs, wherever; rejects with DnncError. `seconds`: what the job took when it was done. */
export type Run = <J extends Job>(job: J) => Promise<Done<J>>;
export type Done<J extends Job> = {readonly result: ResultOf<J>; readonly seconds: number};

/** Names a job's result: dnnc itself, what the job says, and the machine where it matters. 64 hex digits. */
export function keyOf(job: Job): string {
  const known = keys.get(job);
  if (known !== undefined) return known;
  const machine = isOfMachine(job) ? Object.values(thisMachine()) : [];
  const content = JSON.stringify(job, (key, value: unknown) => (unnamed.has(key) ? undefined : value));
  const key = createHash('sha256')
    .update([identity(), ...machine, content].join('\n'))
    .digest('hex');
  keys.set(job, key);
  return key;
}

/** A job is asked for its key wherever it passes, and may hold thousands of answers. */
const keys = new WeakMap<Job, string>();

/**
 * Fields that are no part of a job's name: where files lie; words for classes; and how much may be lost, which only tells how many
 * samples are looked at (`isEnough`).
 */
const unnamed = new Set(['path', 'labels', 'points']);

/** Whether a result with that name is one for this job. */
export function isEnough<J extends Job>(job: J, {result}: Done<J>): boolean {
  if (job.kind !== 'measure' || !job.against || !('right' in result) || result.right === '') return true;
  const {right, points} = job.against;
  return result.right.length === right.length || isHopeless(right, result.right, points);
}

/** Whether a job's result depends on the machine: times do; layers of low rank and narrower ones suit its best target, and fits round as that does. */
export const isOfMachine = (job: Job): boolean =>
  job.kind === 'measure' || (job.kind === 'make' && /^(input|lowrank|prune|stride|tie)\b/.test(job.step));

/** Networks that a job reads. */
export const networksRead = (job: Job): readonly string[] =>
  job.kind === 'retarget' ? [job.trunk.network, job.network] : [job.network];

/** Networks that a result names. */
export function networksMade({result}: Done<Job>): readonly string[] {
  if ('heads' in result) return result.heads.map(({network}) => network);
  return 'network' in result ? [result.network] : [];
}

/** Samples that a job reads; null: none. */
export function samplesRead(job: Job): DataRef | null {
  switch (job.kind) {
    case 'make':
      return job.samples;
    case 'measure':
      return job.data;
    case 'retarget':
      return job.fit;
    default:
      return job satisfies never;
  }
}

/** The same job, with its samples at another place. */
export function withSamplesAt(job: Job, path: string): Job {
  switch (job.kind) {
    case 'make':
      return {...job, samples: job.samples && {...job.samples, path}};
    case 'measure':
      return {...job, data: {...job.data, path}};
    case 'retarget':
      return {...job, fit: {...job.fit, path}};
    default:
      return job satisfies never;
  }
}

/** For progress and errors. */
export function textOf(job: Job): string {
  const {name} = job.question;
  switch (job.kind) {
    case 'make':
      return `${name}: ${job.step}`;
    case 'measure':
      return `${name}: measuring`;
    case 'retarget':
      return `${name}: heads on ${job.trunk.question.name}`;
    default:
      return job satisfies never;
  }
}
