/** `dnnc simulate`: what battery, money and data a policy takes, and how accurate it is, before anything is shipped. */
import {type Command, InvalidArgumentError, Option} from 'commander';
import {fail} from '../../ir/diagnostics.js';
import {
  boundsOf,
  type PolicyName,
  type Problem,
  policies,
  policyNames,
  problemOf,
  type Setting,
} from '../../runtime/schedule/index.js';
import {
  futureOf,
  type RecordSource,
  readHeader,
  recordTrace,
  replay,
  type Summary,
  simulate,
  type Trace,
  traceLine,
} from '../../runtime/simulate/index.js';
import {writeWhole} from '../data/files.js';
import {bytesText, printJson, progress, say, table} from '../output.js';
import {lineWriter} from '../simulate/lines.js';
import {openCatalog} from '../simulate/open-catalog.js';
import {generated, shapeNames, traceFile} from '../simulate/open-trace.js';
import {record, recordFile} from '../simulate/records.js';
import {reportOf} from '../simulate/report.js';
import {type JsonFlag, withJson} from './options.js';

type Flags = JsonFlag & {
  readonly trace?: string;
  readonly generate?: (typeof shapeNames)[number];
  readonly seed: number;
  readonly outages?: string;
  readonly writeTrace?: string;
  readonly policy: PolicyName;
  readonly compare?: boolean;
  readonly profile?: string;
  readonly energy: number;
  readonly money: number;
  readonly data: number;
  readonly memory: number;
  readonly day: number;
  readonly dayDoubt: number;
  readonly energyDoubt: number;
  readonly idle: number;
  readonly record?: string;
  readonly replay?: string;
  readonly report?: string;
};

export function defineSimulate(program: Command): void {
  const command = program
    .command('simulate')
    .description('runs a scheduling policy over a trace of requests, under budgets')
    .argument('<MANIFEST>', 'a build (its directory or manifest.json, with --profile), or a catalog file')
    .option('--trace <FILE>', 'requests and changes of the connection, one JSON object per line')
    .addOption(new Option('--generate <WAY>', 'make a trace up, at the rates of the catalog').choices(shapeNames))
    .option('--seed <N>', 'of a generated trace', amount, 1)
    .option('--outages <LEAST-MOST>', 'a generated connection: spells up and down, so many seconds long')
    .option('--write-trace <FILE>', 'also write the trace')
    .addOption(new Option('--policy <P>', 'who decides').choices(policyNames).default('dnnc'))
    .option('--compare', 'all policies')
    .option('--profile <FILE>', 'what energy, transmission and the cloud cost, and how requests come (JSON), for a build')
    .addOption(limit('--energy <JOULES>', 'budget of the day', 'none'))
    .addOption(limit('--money <DOLLARS>', 'budget of the day for the cloud', 'none'))
    .addOption(limit('--data <BYTES>', 'that may be sent during the day', 'no limit'))
    .addOption(limit('--memory <BYTES>', 'for what is loaded', 'no limit'))
    .option('--day <SECONDS>', 'how long the budgets should last', amount, 36_000)
    .option('--day-doubt <FACTOR>', 'by how much the day may be shorter or longer', factor, 1)
    .option('--energy-doubt <P>', 'probability that an option takes far less energy than annotated', part, 0)
    .option('--idle <WATTS>', 'that the device takes all the time', amount, 0)
    .option('--record <FILE>', 'write every decision with its reasons')
    .option('--replay <FILE>', 'instead of a trace: check that every decision of a record, simulated or live, comes out again')
    .option('--report <FILE>', 'draw the day: one HTML page');
  withJson(command).action(run);
}

const limit = (flag: string, says: string, without: string): Option =>
  new Option(flag, says).argParser(amount).default(Number.POSITIVE_INFINITY, without);

function amount(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !(value >= 0)) throw new InvalidArgumentError('it must be a number from 0');
  return value;
}

function factor(text: string): number {
  const value = amount(text);
  if (!(value >= 1 && value < Infinity)) throw new InvalidArgumentError('it must be a factor from 1');
  return value;
}

function part(text: string): number {
  const value = amount(text);
  if (value > 1) throw new InvalidArgumentError('it must be a number from 0 to 1');
  return value;
}

function run(path: string, flags: Flags): void {
  if ([flags.trace, flags.generate, flags.replay].filter(source => source !== undefined).length !== 1)
    fail('usage', 'simulate.trace', path, 'needs one trace', '--trace FILE, --generate poisson, or --replay RECORD');
  if (flags.replay !== undefined && (flags.record !== undefined || flags.compare))
    fail('usage', 'simulate.replay', flags.replay, 'is replayed alone, under its own policy', 'leave out --record and --compare');
  if (!(flags.day > 0)) fail('usage', 'simulate.day', `${flags.day}`, 'is not a length of a day', '--day 36000');
  const problem = problemOf(openCatalog(path, flags.profile));
  const source = flags.replay === undefined ? undefined : recordFile(flags.replay);
  const trace = source
    ? recordTrace(source, problem)
    : flags.trace !== undefined
      ? traceFile(flags.trace, problem)
      : generated(problem, flags.day, flags.generate!, flags.seed, flags.outages);
  const recorded = source && readHeader(source, problem);
  if (flags.writeTrace !== undefined) writeTrace(flags.writeTrace, problem, trace);
  const setting = recorded?.setting ?? settingOf(flags);
  const names = recorded ? [recorded.policy] : flags.compare ? policyNames : [flags.policy];
  const show = progress();
  try {
    const summaries = names.map(name => {
      show(`simulating ${name}`);
      return simulated(name, problem, setting, trace, flags, source);
    });
    const bounds = boundOf(problem, setting, trace);
    if (flags.report !== undefined) writeWhole(flags.report, reportOf(problem, setting, trace, names, bounds));
    show.done();
    const documents = summaries.map(summary => documentOf(summary, setting, bounds));
    if (flags.json) printJson(flags.compare ? {policies: documents} : documents[0]);
    else tell(summaries, setting, bounds, flags);
  } finally {
    show.done();
  }
}

const settingOf = ({energy, money, data, memory, day, dayDoubt, energyDoubt, idle}: Flags): Setting => ({
  limits: {energy, money, data, memory},
  ...{day, dayDoubt, energyDoubt, idle},
});

function simulated(
  name: PolicyName,
  problem: Problem,
  setting: Setting,
  trace: Trace,
  flags: Flags,
  source: RecordSource | undefined,
): Summary {
  if (source) return replay(source, problem);
  const policy = policies[name];
  return flags.record !== undefined && name === flags.policy
    ? record(flags.record, problem, setting, policy, trace)
    : simulate({problem, setting, policy, trace});
}

function writeTrace(file: string, {kinds}: Problem, trace: Trace): void {
  const writer = lineWriter(file);
  const names = kinds.map(({name}) => name);
  try {
    for (const event of trace) writer.write(traceLine(event, names));
    writer.keep();
  } catch (error) {
    writer.discard();
    throw error;
  }
}

/** Accuracies, in percent, that no scheduler can exceed on this day. */
export type BoundAccuracies = {readonly linear: number; readonly charged: number; readonly exact: boolean};

function boundOf(problem: Problem, {limits}: Setting, trace: Trace): BoundAccuracies {
  const future = futureOf(problem, trace);
  const {linear, charged, exact} = boundsOf(problem, future, limits);
  // Values are weighted: the best value is told as a share of one where all answers are right.
  const whole = problem.kinds.reduce((sum, {full}, k) => sum + full * (future.connected[k]! + future.alone[k]!), 0);
  const percent = (value: number): number => (whole > 0 ? (100 * value) / whole : 0);
  return {linear: percent(linear), charged: percent(charged), exact};
}

const finite = (limit: number): number | null => (limit === Infinity ? null : limit);

function documentOf(summary: Summary, {limits}: Setting, bounds: BoundAccuracies) {
  const {policy, requests, served, accuracy, weightedAccuracy, used, overspent, paged, evicted, decisionsPerSecond} = summary;
  const budget = (name: 'energy' | 'money' | 'data') => ({limit: finite(limits[name]), used: used[name]});
  return {
    ...{policy, requests, served, accuracy, weightedAccuracy},
    budgets: {energy: budget('energy'), money: budget('money'), data: budget('data'), memory: {limit: finite(limits.memory)}},
    ...{overspent, paged, evicted, decisionsPerSecond: Math.round(decisionsPerSecond)},
    bounds,
  };
}

function tell(summaries: readonly Summary[], {limits}: Setting, bounds: BoundAccuracies, {record: file, report}: Flags): void {
  const share = (used: number, limit: number, unit: (value: number) => string): string =>
    limit === Infinity ? unit(used) : `${unit(used)} of ${unit(limit)}`;
  const joules = (value: number): string => `${value.toFixed(1)} J`;
  const dollars = (value: number): string => `$${value.toFixed(4)}`;
  const percent = (count: number, of: number): string => `${((100 * count) / Math.max(1, of)).toFixed(1)}%`;
  say(
    table([
      ['policy', 'accuracy', 'of bound', 'device', 'cloud', 'split', 'none', 'energy', 'money', 'data', 'loads'],
      ...summaries.map(({policy, requests, served, accuracy, weightedAccuracy, used, paged, overspent}) => [
        overspent ? `${policy} (overspent)` : policy,
        `${accuracy.toFixed(2)}%`,
        percent(weightedAccuracy, bounds.charged),
        ...[served.device, served.cloud, served.split, served.none].map(count => percent(count, requests)),
        share(used.energy, limits.energy, joules),
        share(used.money, limits.money, dollars),
        share(used.data, limits.data, bytesText),
        `${paged}`,
      ]),
    ]),
  );
  const {linear, charged, exact} = bounds;
  say(
    `\n${summaries[0]?.requests ?? 0} requests; no scheduler exceeds ${charged.toFixed(2)}%${exact ? '' : ' (at most)'}, ${linear.toFixed(2)}% if loads were free`,
  );
  if (file !== undefined) say(`decisions: ${file}`);
  if (report !== undefined) say(`report: ${report}`);
}
