/**
 * Whether a recorded day, simulated or live, comes out again to the last bit. What happened, clocks and measurements included, is
 * in the record; what was decided is found anew.
 */
import {isRecord} from '../check.js';
import {DnncRuntimeError} from '../errors.js';
import {beginDay, type Day} from '../schedule/day.js';
import type {Decision, Took} from '../schedule/decision.js';
import {policies} from '../schedule/policies.js';
import {type PolicyName, policyNames, type Setting} from '../schedule/policy.js';
import type {Problem} from '../schedule/problem.js';
import {futureOf} from './count.js';
import {decisionLine} from './record.js';
import {newTally, type Summary} from './tally.js';
import type {Trace, TraceEvent} from './trace.js';

/** How a recorded day was set up. Live: lines say what decisions took. */
export type RecordHeader = {readonly policy: PolicyName; readonly setting: Setting; readonly live: boolean};

/** Lines of a record, which can be read again and again; `name` is for errors. */
export type RecordSource = {readonly name: string; readonly lines: Iterable<string>};

/** A place in a record, as errors name it. */
type Place = {readonly name: string; readonly number: number};
type Line = Readonly<Record<string, unknown>>;

const cure = 'give a record that was made with the same catalog and version of dnnc';

const refuse = ({name, number}: Place, says: string): never => {
  throw new DnncRuntimeError('record.invalid', `${name}:${number}`, says, cure);
};

/** Throws `record.invalid` where it is no record that was made with this catalog. */
export function readHeader({name, lines}: RecordSource, problem: Problem): RecordHeader {
  const at = {name, number: 1};
  const [first] = lines;
  const header = parsed(first ?? '');
  if (header?.['decisions'] !== 1) return refuse(at, 'is no record of decisions, or one of another version');
  const {policy: policyName, setting, catalog, live = false} = header;
  if (catalog !== problem.name) return refuse(at, `was recorded with the catalog "${String(catalog)}"`);
  const policy = policyNames.find(each => each === policyName);
  if (policy === undefined) return refuse(at, `has the unknown policy "${String(policyName)}"`);
  const limits = numbersOf(isRecord(setting) ? setting['limits'] : undefined);
  const none = Infinity;
  const {day, idle = 0, ...numbers} = numbersOf(setting);
  const isBeside = isRecord(setting) && setting['loads'] === 'beside';
  if (day === undefined) return refuse(at, 'does not say how long the day was');
  const all = {energy: none, money: none, data: none, memory: none, ...limits};
  return {policy, setting: {day, idle, ...numbers, limits: all, ...(isBeside && {loads: 'beside'})}, live: live === true};
}

const numbersOf = (value: unknown): Readonly<Record<string, number>> =>
  isRecord(value)
    ? Object.fromEntries(Object.entries(value).filter((entry): entry is [string, number] => typeof entry[1] === 'number'))
    : {};

/** Requests and changes of the connection of a record, without those that were decided again. */
export function recordTrace(source: RecordSource, problem: Problem): Trace {
  return {
    *[Symbol.iterator]() {
      for (const [line, place] of linesOf(source)) {
        const event = eventOf(line, place, problem);
        if (event && line['again'] === undefined) yield event;
      }
    },
  };
}

/** Throws `record.differs` at the first decision that is another one now, and `record.invalid`. */
export function replay(source: RecordSource, problem: Problem): Summary {
  const {policy: name, setting, live} = readHeader(source, problem);
  const future = name === 'oracle' ? futureOf(problem, recordTrace(source, problem)) : undefined;
  const day = beginDay(problem, setting, policies[name], future);
  const tally = newTally(problem);
  const open = new Map<number, Decision>();
  const failed = new Map<number, Decision>();
  const started = performance.now();

  const decide = ({time, kind}: TraceEvent, line: Line, text: string, place: Place): void => {
    const {again} = line;
    const before = again === undefined ? undefined : (failed.get(Number(again)) ?? refuse(place, `${again} has not failed`));
    const decision = day.request(time, kind, before);
    if (!live) day.pay(decision, {});
    tally.decided(decision);
    const now = decisionLine(problem, decision, day.scheduler.explain);
    if (now !== text)
      throw new DnncRuntimeError(
        'record.differs',
        `${place.name}:${place.number}`,
        `the decision is another one now: ${now}`,
        cure,
      );
    if (!live) day.learn(decision, {});
    else if (decision.option >= 0) open.set(decision.number, decision);
  };

  for (const [line, place, text] of linesOf(source)) {
    const event = eventOf(line, place, problem);
    if (event && event.kind >= 0) decide(event, line, text, place);
    else if (event) day.link(event.time, event.up);
    else if (line['arrived'] !== undefined) arrive(line, place);
    else settle(day, line, place);
  }

  function arrive({arrived, failed: isFailed, ...line}: Line, place: Place): void {
    if (!day.arrived(timeOf(line, place), Number(arrived), isFailed === true))
      refuse(place, 'is about a load that is not under way');
  }

  function settle(to: Day, line: Line, place: Place): void {
    const {took: paid, held = paid} = line;
    const decision = open.get(Number(held)) ?? refuse(place, 'is about a decision that is not open');
    const time = timeOf(line, place);
    if (paid === undefined) {
      to.hold(decision, amountOf(line['data'], place));
      return;
    }
    to.advance(time);
    open.delete(decision.number);
    const took = tookOf(line, place);
    to.pay(decision, took);
    to.learn(decision, took);
    if (!took.failed) return;
    failed.set(decision.number, decision);
    tally.failed(decision);
  }

  return tally.summary(name, day, (performance.now() - started) / 1000);
}

function* linesOf({name, lines}: RecordSource): Generator<readonly [Line, Place, string]> {
  let number = 0;
  for (const text of lines) {
    const place = {name, number: ++number};
    if (number > 1) yield [parsed(text) ?? refuse(place, 'is not a JSON object'), place, text];
  }
}

/** Undefined for a line about a decision or a load of before. */
function eventOf(line: Line, place: Place, {kinds}: Problem): TraceEvent | undefined {
  const {request, link} = line;
  if (line['took'] !== undefined || line['held'] !== undefined || line['arrived'] !== undefined) return undefined;
  const time = timeOf(line, place);
  if (typeof link === 'boolean') return {time, kind: -1, up: link};
  const kind = kinds.findIndex(({name}) => name === request);
  return kind >= 0 ? {time, kind, up: false} : refuse(place, `"${String(request)}" is not requested in the catalog`);
}

function timeOf({t: time}: Line, place: Place): number {
  return typeof time === 'number' && time >= 0 ? time : refuse(place, 't is not a number of seconds from 0');
}

const amountOf = (value: unknown, place: Place): number =>
  typeof value === 'number' && value >= 0 ? value : refuse(place, 'has an amount that is no number from 0');

function tookOf({energy, data, milliseconds, occupied, failed}: Line, place: Place): Took {
  return {
    ...(energy !== undefined && {energy: amountOf(energy, place)}),
    ...(data !== undefined && {data: amountOf(data, place)}),
    ...(milliseconds !== undefined && {milliseconds: amountOf(milliseconds, place)}),
    ...(occupied !== undefined && {occupied: amountOf(occupied, place)}),
    ...(failed === true && {failed}),
  };
}

function parsed(line: string): Line | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return isRecord(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
