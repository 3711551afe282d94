/**
 * One day under one policy. Takes the events one by one and keeps sums, so memory does not grow with the trace; the same
 * arguments give the same decisions.
 */
import {beginDay} from '../schedule/day.js';
import type {Decision} from '../schedule/decision.js';
import type {Policy, Setting} from '../schedule/policy.js';
import type {Problem} from '../schedule/problem.js';
import {futureOf} from './count.js';
import {newTally, type Summary} from './tally.js';
import type {Trace} from './trace.js';

/** What each option really takes, as a factor of the annotated energy: [kind][option]. */
export type Truth = readonly (readonly number[])[];

export type Run = {
  readonly problem: Problem;
  readonly setting: Setting;
  readonly policy: Policy;
  readonly trace: Trace;
  readonly truth?: Truth;
  /** Called after every request, which is paid. */
  readonly watch?: (decision: Decision, explain: () => unknown) => void;
  /** Called after every change of the connection. */
  readonly watchLink?: (time: number, up: boolean) => void;
  /** Called after a load beside the requests has arrived. */
  readonly watchLoad?: (time: number, load: number) => void;
};

export function simulate({problem, setting, policy, trace, truth, watch, watchLink, watchLoad}: Run): Summary {
  const day = beginDay(problem, setting, policy, policy.name === 'oracle' ? futureOf(problem, trace) : undefined);
  const tally = newTally(problem);
  const started = performance.now();
  /** What is under way, the next to arrive first. */
  const coming: {readonly at: number; readonly load: number}[] = [];
  const arrive = (until: number): void => {
    while (coming.length > 0 && coming[0]!.at <= until) {
      const {at, load} = coming.shift()!;
      day.arrived(at, load, false);
      watchLoad?.(at, load);
    }
  };
  for (const {time, kind, up} of trace) {
    arrive(time);
    if (kind < 0) {
      day.link(time, up);
      watchLink?.(time, up);
      continue;
    }
    const decision = day.request(time, kind);
    const {begins} = decision;
    if (begins) {
      const milliseconds = begins.paged.loaded.reduce((sum, s) => sum + problem.segments[s]!.loadLatency, 0);
      coming.push({at: time + milliseconds / 1000, load: begins.number});
      coming.sort((a, b) => a.at - b.at);
    }
    const {option: chosen} = decision;
    const factor = truth?.[kind]?.[chosen] ?? 1;
    const took = factor === 1 ? {} : {energy: (problem.kinds[kind]!.options[chosen]?.energy ?? 0) * factor};
    day.pay(decision, took);
    tally.decided(decision);
    watch?.(decision, day.scheduler.explain);
    day.learn(decision, took);
  }
  return tally.summary(policy.name, day, (performance.now() - started) / 1000);
}
