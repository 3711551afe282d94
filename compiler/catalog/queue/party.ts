/**
 * Who may do which job. Jobs of one dnnc are in a queue of their own, those that depend on the machine in one per kind of machine: a
 * worker that does not fit never sees them.
 */
import {identity, type Machine, shortHash, thisMachine} from '../../identity.js';
import {isOfMachine, type Job} from '../jobs.js';

/** What a result may depend on. */
export type Party = Machine & {readonly dnnc: string};

export const thisParty = (): Party => ({...thisMachine(), dnnc: identity()});

/** Where BullMQ keeps its part, and we ours, in Redis. */
export const prefix = 'dnnc';

/** Of jobs that any machine does alike, and of those that depend on it. No colons: BullMQ has those. */
export const queuesOf = ({dnnc, cpu, compiler, features}: Party) => ({
  make: `make-${shortHash([dnnc])}`,
  clock: `clock-${shortHash([dnnc, cpu, compiler, features])}`,
});

export const queueOf = (job: Job, party: Party): string => queuesOf(party)[isOfMachine(job) ? 'clock' : 'make'];
