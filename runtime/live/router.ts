/**
 * One input to all tasks that watch it: decides, runs, and hands out answers as they come. A request whose execution fails on the way
 * is decided once more, among what needs no connection.
 */
import {DnncRuntimeError} from '../errors.js';
import type {Catalog} from '../schedule/catalog.js';
import type {Decision, Load, Took} from '../schedule/decision.js';
import type {Percentiles} from '../schedule/latencies.js';
import {policies} from '../schedule/policies.js';
import type {PolicyName, Setting} from '../schedule/policy.js';
import {type Option, type Place, problemOf} from '../schedule/problem.js';
import type {Refusal} from '../schedule/queue.js';
import type {Amounts} from '../schedule/state.js';
import type {Summary} from '../simulate/tally.js';
import type {Executor, Job, LiveInput, Ran, TaskAnswer} from './executor.js';
import {newLedger} from './ledger.js';
import {watchLink} from './link.js';
import {partsOf} from './parts.js';
import {newProfiler, type Profiled} from './profiler.js';
import {type Results, results} from './results.js';

/** What requests ask for lately, task by task: `contextsOf` of dnnc/contexts makes one. */
export type Contexts = {
  /** How often each class is expected now, by output index, or null where nothing is known. */
  prior(task: string): readonly number[] | null;
  /** Takes notice of an answer that was given under a prior. */
  observe(task: string, answer: {readonly probabilities?: ArrayLike<number>}, under?: readonly number[] | null): void;
};

export type RouterOptions = {
  /** Its variants name their `parts`, as `catalogFromManifest` has them. */
  readonly catalog: Catalog;
  readonly setting: Setting;
  /** Absent: `dnnc`. The oracle knows the future, which no live day does. */
  readonly policy?: Exclude<PolicyName, 'oracle'>;
  readonly device: Executor;
  /** Absent: there is no connection. */
  readonly remote?: Executor;
  /** Whether the server is there now: asked after failures. Absent: `setLink` alone says when the connection is back. */
  readonly probe?: () => Promise<boolean>;
  /** Seconds between such questions. */
  readonly probing?: {readonly first: number; readonly most: number};
  readonly contexts?: Contexts;
  /** Takes the lines of the record of the day. */
  readonly log?: (line: string) => void;
  /** Seconds. Absent: since the page or process began. */
  readonly clock?: () => number;
};

/** Requests under way at once on the device, and with the server, where the setting does not say. */
const usualQueue = 256;

/** How a request was answered; `place` is null where it was not. */
export type Served = {
  readonly request: string;
  readonly variant: string | null;
  readonly place: Place | null;
  /** Milliseconds from the request to the last answer. */
  readonly milliseconds: number;
  /** Joules, with loads. */
  readonly energy: number;
  /** Why it was not answered, where it would have been if less had waited; nothing was charged. */
  readonly refused?: Refusal;
  /** The error of the place that was tried first, where another one answered or none could. */
  readonly failure?: unknown;
};

/** Answers as they become available, and at the end how. Rejects where the device fails; iteration ends in the same error. */
export type Submission = AsyncIterable<TaskAnswer> & {readonly served: Promise<Served>};

export type LiveSummary = Summary &
  Profiled & {
    readonly left: Amounts;
    /** Executions and loads that failed. */
    readonly failures: number;
    /** Milliseconds of the executions of each option that was used. */
    readonly latencies: Readonly<Record<string, Percentiles>>;
  };

export type Router = {
  /** Throws `live.request` where nothing is known of such a request. The input must stay as it is until it is served. */
  submit(request: string, input: LiveInput): Submission;
  /** Whether what needs the server may be chosen now. */
  readonly connected: boolean;
  /** For callers who know of the connection before a request fails. */
  setLink(up: boolean): void;
  summary(): LiveSummary;
  /** Waits for what runs, and asks for the connection no more. */
  close(): Promise<void>;
};

export function createRouter(options: RouterOptions): Router {
  const {catalog, device, remote, probe, probing = {}, contexts, log} = options;
  const {loads: _, ...given} = options.setting;
  const setting: Setting = {queue: usualQueue, ...given, ...(device.load && {loads: 'beside'})};
  const policy = policies[options.policy ?? 'dnnc'];
  const problem = problemOf(catalog);
  const parts = partsOf(catalog);
  const ledger = newLedger({problem, setting, policy, log, clock: options.clock ?? (() => performance.now() / 1000)});
  const profiler = newProfiler(problem);
  const running = new Set<Promise<unknown>>();
  let failures = 0;
  const watch = probe && watchLink({probe, changed: ledger.link, ...probing});
  if (!remote) ledger.link(false);

  const optionOf = ({kind, option}: Decision): Option | undefined => problem.kinds[kind]!.options[option];

  const names = (segments: readonly number[]): readonly string[] => segments.map(s => problem.segments[s]!.id);

  function jobOf(decision: Decision, option: Option, input: LiveInput, priors: Map<string, readonly number[] | null>): Job {
    const {kind, paged} = decision;
    return {
      ...{request: problem.kinds[kind]!.name, tasks: catalog.requests[kind]!.tasks.map(({name}) => name)},
      ...{variants: parts[kind]!.get(option.variant)!, option, input},
      ...{
        segments: names(option.segments),
        load: names(paged.loaded),
        evict: names(paged.evicted),
        claim: bytes => ledger.hold(decision, bytes),
      },
      prior(task) {
        const known = priors.get(task);
        if (known !== undefined) return known;
        const prior = contexts?.prior(task) ?? null;
        priors.set(task, prior);
        return prior;
      },
    };
  }

  async function serve(decision: Decision, input: LiveInput, into: Results<TaskAnswer>, arrived: number): Promise<Served> {
    const request = problem.kinds[decision.kind]!.name;
    const option = optionOf(decision);
    const waited = (): number => performance.now() - arrived;
    const {refused} = decision;
    if (!option) return {request, variant: null, place: null, milliseconds: waited(), energy: 0, ...(refused && {refused})};
    const answers: Record<string, string> = {};
    const answered = (answer: TaskAnswer): void => {
      const {task, label, index, under} = answer;
      answers[task] = label ?? `${index}`;
      profiler.answered(ledger.now(), task, answers[task]);
      contexts?.observe(task, answer, under);
      into.push(answer);
    };
    const executor = option.linked ? remote! : device;
    let ran: Ran;
    try {
      const running = executor.run(jobOf(decision, option, input, new Map()), answered);
      if (decision.begins) void keep(bring(decision.begins));
      ran = await running;
    } catch (error) {
      return failed(error, decision, input, into, arrived);
    }
    if (option.linked) watch?.succeeded();
    ledger.settle(decision, tookOf(ran), answers);
    profiler.waited(waited());
    return {
      request,
      variant: option.variant,
      place: option.place,
      milliseconds: waited(),
      energy: decision.energy + decision.load,
    };
  }

  /** Weights come beside the requests, after what was decided before has no need of what goes for them. */
  async function bring({number, paged}: Load): Promise<void> {
    try {
      await device.load!({load: names(paged.loaded), evict: names(paged.evicted)});
      ledger.arrived(number, false);
    } catch {
      failures++;
      ledger.arrived(number, true);
    }
  }

  const keep = (work: Promise<unknown>): Promise<unknown> => {
    running.add(work);
    return work.then(() => running.delete(work));
  };

  /** What was tried is paid: who knows how far it came. */
  async function failed(
    error: unknown,
    decision: Decision,
    input: LiveInput,
    into: Results<TaskAnswer>,
    arrived: number,
  ): Promise<Served> {
    failures++;
    ledger.settle(decision, {failed: true});
    if (!optionOf(decision)!.linked) throw error;
    watch?.failed();
    ledger.link(false);
    const served = await serve(ledger.decide(decision.kind, decision), input, into, arrived);
    return {...served, failure: error};
  }

  return {
    submit(request, input) {
      const kind = problem.kinds.findIndex(({name}) => name === request);
      if (kind < 0) {
        const known = problem.kinds.map(({name}) => name).join(', ');
        throw new DnncRuntimeError('live.request', request, 'is not requested in the catalog', `one of ${known}`);
      }
      const into = results<TaskAnswer>();
      const arrived = performance.now();
      profiler.arrived(ledger.now(), kind);
      const served = serve(ledger.decide(kind), input, into, arrived);
      void keep(served.then(into.end, into.fail));
      return {[Symbol.asyncIterator]: into[Symbol.asyncIterator], served};
    },
    get connected() {
      return ledger.state.connected;
    },
    setLink(up) {
      if (remote) ledger.link(up);
    },
    summary() {
      const latencies = problem.kinds.flatMap(({name, options: all}) =>
        all.flatMap(({at, variant, place}) => {
          const seen = ledger.latency(at);
          return seen ? [[`${name}: ${variant} (${place})`, seen] as const] : [];
        }),
      );
      const {energy, money, data} = ledger.state.left;
      const seen = {...profiler.profiled(ledger.now()), latencies: Object.fromEntries(latencies)};
      return {...ledger.summary(), ...seen, left: {energy, money, data}, failures};
    },
    async close() {
      watch?.close();
      while (running.size > 0) await Promise.all(running);
    },
  };
}

const tookOf = ({milliseconds, occupied, energy, data}: Ran): Took => ({
  milliseconds,
  ...(occupied !== undefined && {occupied}),
  ...(energy !== undefined && {energy}),
  ...(data !== undefined && {data}),
});
