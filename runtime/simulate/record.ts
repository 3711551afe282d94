/** A day as lines of JSON: what was known before it, then every decision with its reasons. The same day gives the same lines. */
import type {Setting} from '../schedule/policy.js';
import type {Problem} from '../schedule/problem.js';
import type {Decision} from './simulate.js';

/** JSON has no infinity: a limit that is none is left out. */
export function headerLine(policy: string, {name}: Problem, {limits, day, ...others}: Setting): string {
  const finite = Object.fromEntries(Object.entries(limits).filter(([, limit]) => limit < Infinity));
  return JSON.stringify({decisions: 1, catalog: name, policy, setting: {day, ...others, limits: finite}});
}

export function decisionLine({kinds, segments}: Problem, decision: Decision, explain: () => unknown): string {
  const {time, kind, option, energy, load, paged, state} = decision;
  const {name, options} = kinds[kind]!;
  const chosen = options[option];
  const {left} = state;
  return JSON.stringify({
    ...{t: time, request: name, variant: chosen?.variant ?? null, place: chosen?.place ?? null},
    ...{energy: energy + load, money: chosen?.money ?? 0, data: chosen?.bytes ?? 0},
    ...(paged.loaded.length > 0 && {loaded: paged.loaded.map(s => segments[s]!.id)}),
    ...(paged.evicted.length > 0 && {evicted: paged.evicted.map(s => segments[s]!.id)}),
    ...{left: {energy: left.energy, money: left.money, data: left.data}, connected: state.connected},
    why: explain(),
  });
}
