/** Whether a day comes out as it was recorded, to the last bit. */
import {fail} from '../../ir/diagnostics.js';
import {type Policy, type PolicyName, type Problem, policies, policyNames, type Setting} from '../../runtime/schedule/index.js';
import {decisionLine, headerLine, type Summary, simulate, type Trace} from '../../runtime/simulate/index.js';
import {linesOf, lineWriter} from './lines.js';

/** Simulates, and writes the header and every decision. */
export function record(file: string, problem: Problem, setting: Setting, policy: Policy, trace: Trace): Summary {
  const writer = lineWriter(file);
  try {
    writer.write(headerLine(policy.name, problem, setting));
    const summary = simulate({
      ...{problem, setting, policy, trace},
      watch: (decision, explain) => writer.write(decisionLine(problem, decision, explain)),
    });
    writer.keep();
    return summary;
  } catch (error) {
    writer.discard();
    throw error;
  }
}

/** How a recorded day was set up. */
export type Recorded = {readonly file: string; readonly policy: PolicyName; readonly setting: Setting};

/** Throws `input` where the file is no record made with this catalog. */
export function openRecord(file: string, problem: Problem): Recorded {
  return {file, ...readHeader(file, linesOf(file).next().value ?? '', problem)};
}

/** Throws `check` at the first decision that differs. */
export function replay({file, policy, setting}: Recorded, problem: Problem, trace: Trace): Summary {
  const lines = linesOf(file);
  lines.next();
  let number = 1;
  const differs = (now: string): never =>
    fail(
      'check',
      'simulate.replay',
      `${file}:${number}`,
      `the decision is another one now: ${now}`,
      'replay with the same catalog, trace and version of dnnc',
    );
  const summary = simulate({
    ...{problem, setting, policy: policies[policy], trace},
    watch(decision, explain) {
      number++;
      const now = decisionLine(problem, decision, explain);
      if (lines.next().value !== now) differs(now);
    },
  });
  if (!lines.next().done) fail('check', 'simulate.replay', file, 'has more decisions than the trace has requests');
  return summary;
}

function readHeader(file: string, line: string, problem: Problem): {policy: PolicyName; setting: Setting} {
  const refuse = (says: string): never =>
    fail('input', 'simulate.record', file, says, 'name a file that --record has written, with the catalog and trace of then');
  let header: unknown;
  try {
    header = JSON.parse(line);
  } catch {
    return refuse('does not begin with a line of JSON');
  }
  if (typeof header !== 'object' || header === null || !('decisions' in header) || header.decisions !== 1)
    return refuse('is no record of decisions, or one of another version');
  const {policy: name, setting, catalog} = header as {policy?: unknown; setting?: unknown; catalog?: unknown};
  if (catalog !== problem.name) return refuse(`was recorded with the catalog "${String(catalog)}"`);
  const policy = policyNames.find(each => each === name);
  if (policy === undefined) return refuse(`has the unknown policy "${String(name)}"`);
  const numbers = (value: unknown): Record<string, number> =>
    typeof value === 'object' && value !== null
      ? Object.fromEntries(Object.entries(value).filter((entry): entry is [string, number] => typeof entry[1] === 'number'))
      : {};
  const limits = numbers((setting as {limits?: unknown} | undefined)?.limits);
  const none = Infinity;
  const {day, idle = 0, ...doubts} = numbers(setting);
  if (day === undefined) return refuse('does not say how long the day was');
  return {policy, setting: {day, idle, ...doubts, limits: {energy: none, money: none, data: none, memory: none, ...limits}}};
}
