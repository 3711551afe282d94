/**
 * A day as lines of JSON: what was known before it, then all that happened, and every decision with its reasons. The same day gives
 * the same lines. In a simulated day, executions take what is annotated and are paid at once. In a live one, a line says later
 * what a decision took, and `left` of a decision is what was not held for it or others.
 */
import type {Decision, Took} from '../schedule/decision.js';
import type {Setting} from '../schedule/policy.js';
import type {Problem} from '../schedule/problem.js';
import type {Paged} from '../schedule/state.js';

/** JSON has no infinity: a limit that is none is left out. */
export function headerLine(policy: string, {name}: Problem, {limits, day, ...others}: Setting, live = false): string {
  const finite = Object.fromEntries(Object.entries(limits).filter(([, limit]) => limit < Infinity));
  return JSON.stringify({
    ...{decisions: 1, catalog: name, policy, ...(live && {live})},
    setting: {day, ...others, limits: finite},
  });
}

export function decisionLine({kinds, segments}: Problem, decision: Decision, explain: () => unknown): string {
  const {number, time, kind, option, again, refused, begins, energy, load, money, data, paged, state} = decision;
  const {name, options} = kinds[kind]!;
  const chosen = options[option];
  const {left} = state;
  const idsOf = (positions: readonly number[]) => (positions.length > 0 ? positions.map(s => segments[s]!.id) : undefined);
  const pages = ({loaded, evicted}: Paged) => ({loaded: idsOf(loaded), evicted: idsOf(evicted)});
  // What is undefined is left out.
  return JSON.stringify({
    ...{t: time, request: name, n: number, again},
    ...{variant: chosen?.variant ?? null, place: chosen?.place ?? null, cut: chosen?.cut},
    ...{energy: energy + load, money, data},
    ...pages(paged),
    begins: begins && {load: begins.number, energy: begins.energy, ...pages(begins.paged)},
    left: {energy: left.energy, money: left.money, data: left.data},
    connected: state.connected,
    // Where many are refused, saying so must cost little.
    why: refused === undefined ? explain() : {reason: refused},
  });
}

/** The connection came or went. */
export const linkLine = (time: number, link: boolean): string => JSON.stringify({t: time, link});

/** A load has arrived, or has failed. */
export const arrivedLine = (time: number, load: number, failed: boolean): string =>
  JSON.stringify({t: time, arrived: load, ...(failed && {failed})});

/** So many bytes are held for a decision from now on. */
export const heldLine = (time: number, {number, data}: Decision): string => JSON.stringify({t: time, held: number, data});

/** What a decision took, and for people what was answered: labels by task. */
export function tookLine(time: number, {number}: Decision, took: Took, answers?: Readonly<Record<string, string>>): string {
  const {energy, data, milliseconds, occupied, failed} = took;
  return JSON.stringify({
    ...{t: time, took: number},
    ...(energy !== undefined && {energy}),
    ...(data !== undefined && {data}),
    ...(milliseconds !== undefined && {milliseconds}),
    ...(occupied !== undefined && {occupied}),
    ...(failed && {failed}),
    ...(answers && {answers}),
  });
}
