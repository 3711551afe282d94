/**
 * Who may do which job. Jobs of one dnnc are in a queue of their own, those that depend on the machine in one per kind of machine: a
 * worker that does not fit never sees them.
 */
import {createHash} from 'node:crypto';
import {compilerVersion} from '../../cc.js';
import {cpuFeatures, cpuModel} from '../../host.js';
import {identity} from '../identity.js';
import {type Job, readsClock} from '../jobs.js';

/** What a result may depend on. */
export type Party = {
  readonly dnnc: string;
  readonly cpu: string;
  readonly compiler: string;
  /** Two machines of one CPU may offer different parts of it. */
  readonly features: string;
};

export const thisParty = (): Party => ({
  dnnc: identity(),
  cpu: cpuModel(),
  compiler: compilerVersion(),
  features: shortHash([...cpuFeatures()].sort()),
});

/** Where BullMQ keeps its part, and we ours, in Redis. */
export const prefix = 'dnnc';

/** Of jobs that any machine does alike, and of those that depend on it. No colons: BullMQ has those. */
export const queuesOf = ({dnnc, cpu, compiler, features}: Party) => ({
  make: `make-${shortHash([dnnc])}`,
  clock: `clock-${shortHash([dnnc, cpu, compiler, features])}`,
});

export const queueOf = (job: Job, party: Party): string => queuesOf(party)[readsClock(job) ? 'clock' : 'make'];

const shortHash = (of: readonly string[]): string => createHash('sha256').update(of.join('\n')).digest('hex').slice(0, 16);
