/**
 * The one interface of all policies. A policy depends on nothing but its arguments: no clock, no randomness, nothing global. The
 * same problem, setting and events give the same decisions, bit for bit.
 */
import type {Problem} from './problem.js';
import type {Limits, State} from './state.js';

export const policyNames = ['device-only', 'cloud-only', 'mcdnn', 'dnnc', 'oracle'] as const;
export type PolicyName = (typeof policyNames)[number];

/** What is known before the day begins. */
export type Setting = {
  readonly limits: Limits;
  /** Seconds that the budgets should last. */
  readonly day: number;
  /** By how much the day may be shorter or longer, as a factor from 1. Absent: 1, its length is sure. */
  readonly dayDoubt?: number;
  /** Probability that an option takes far less energy than annotated, as it may where energies are modelled. Absent: 0. */
  readonly energyDoubt?: number;
  /** Watts that the device takes all the time, out of the same energy. */
  readonly idle: number;
  /**
   * How weights come into memory. `beside`: what is there answers meanwhile, where there is something, as the paper has it
   * (Algorithm 1). Absent: before the answer of the request that needs them.
   */
  readonly loads?: 'beside';
  /** Requests that may be under way at once on the device, and as many with the server. Absent: any number. */
  readonly queue?: number;
};

/** Requests still to come, by kind, with and without a connection: what only an oracle knows. */
export type Future = {readonly connected: Float64Array; readonly alone: Float64Array};

export type Policy = {readonly name: string; readonly begin: (problem: Problem, setting: Setting, future?: Future) => Scheduler};

/** A policy at work on one day. */
export type Scheduler = {
  /**
   * A request arrives: the position of the chosen option of its kind, or -1 to leave it unserved. `again`: a request that was
   * already chosen for, whose execution failed.
   */
  choose(state: State, kind: number, again?: boolean): number;
  /** The connection has come or gone: `state.connected` says which. */
  linkChanged?(state: State): void;
  /** What the option that was just chosen took beside loads, in joules: annotations may be wrong. */
  observe?(kind: number, option: number, energy: number): void;
  /** Joules that an option must be expected to take at most, beside loads. Absent: what is annotated. */
  most?(kind: number, option: number): number;
  /** `state.slow` has changed. */
  optionsChanged?(state: State): void;
  /** Whether what the option that was just chosen lacks is meant to stay in memory. Absent: it is. */
  stays?(kind: number, option: number): boolean;
  /** What a segment is worth keeping: the least goes first when room is needed. Absent: what was used last stays. */
  worth?(state: State, segment: number): number;
  /** Why the last choice was made. For people and logs; it costs more than the choice. */
  explain(): Explanation;
};

/** Numbers are rounded only when they are printed. */
export type Explanation = {
  readonly reason: string;
  readonly [detail: string]: string | number | readonly string[] | {readonly [name: string]: number};
};
