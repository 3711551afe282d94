/**
 * The day as it happens, with its log: every event goes into the day and, as a line, into the record, in the same order and with the
 * same numbers. So `replay` of dnnc/simulate gives the same decisions from the record alone.
 */
import {beginDay} from '../schedule/day.js';
import type {Decision, Took} from '../schedule/decision.js';
import type {Percentiles} from '../schedule/latencies.js';
import type {Policy, Setting} from '../schedule/policy.js';
import type {Problem} from '../schedule/problem.js';
import type {State} from '../schedule/state.js';
import {arrivedLine, decisionLine, headerLine, heldLine, linkLine, tookLine} from '../simulate/record.js';
import {newTally, type Summary} from '../simulate/tally.js';

export type Ledger = {
  readonly state: State;
  /** Seconds since the day began; never less than before. */
  now(): number;
  link(up: boolean): void;
  /** `again`: the decision of the same request that failed. */
  decide(kind: number, again?: Decision): Decision;
  /** Holds so many bytes for a decision: false where they are not left. */
  hold(decision: Decision, bytes: number): boolean;
  /** A load beside the requests has arrived, or has failed. */
  arrived(load: number, failed: boolean): void;
  settle(decision: Decision, took: Took, answers?: Readonly<Record<string, string>>): void;
  /** Milliseconds that executions of an option took. */
  latency(at: number): Percentiles | undefined;
  summary(): Summary;
};

export type LedgerOptions = {
  readonly problem: Problem;
  readonly setting: Setting;
  readonly policy: Policy;
  /** Seconds of some clock. */
  readonly clock: () => number;
  /** Takes the lines of the record. */
  readonly log?: ((line: string) => void) | undefined;
};

export function newLedger({problem, setting, policy, clock, log}: LedgerOptions): Ledger {
  const day = beginDay(problem, setting, policy);
  const tally = newTally(problem);
  const began = clock();
  let deciding = 0;
  const now = (): number => Math.max(day.state.time, clock() - began);
  log?.(headerLine(policy.name, problem, setting, true));
  return {
    state: day.state,
    now,
    link(up) {
      if (up === day.state.connected) return;
      const time = now();
      day.link(time, up);
      log?.(linkLine(time, up));
    },
    decide(kind, again) {
      const time = now();
      const started = performance.now();
      const decision = day.request(time, kind, again);
      deciding += performance.now() - started;
      tally.decided(decision);
      log?.(decisionLine(problem, decision, day.scheduler.explain));
      return decision;
    },
    hold(decision, bytes) {
      if (bytes === decision.data) return true;
      if (!day.hold(decision, bytes)) return false;
      log?.(heldLine(now(), decision));
      return true;
    },
    arrived(load, failed) {
      const time = now();
      if (day.arrived(time, load, failed)) log?.(arrivedLine(time, load, failed));
    },
    settle(decision, took, answers) {
      const time = now();
      const started = performance.now();
      day.advance(time);
      day.pay(decision, took);
      day.learn(decision, took);
      deciding += performance.now() - started;
      if (took.failed) tally.failed(decision);
      log?.(tookLine(time, decision, took, answers));
    },
    latency: day.latencies.of,
    summary: () => tally.summary(policy.name, day, deciding / 1000),
  };
}
