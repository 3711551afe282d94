/** Live days with executors that only pretend, and a clock that is moved by hand. */
import {setImmediate as turn} from 'node:timers/promises';
import {
  createRouter,
  type Executor,
  type Job,
  type LiveSummary,
  type RouterOptions,
  type Served,
} from '../../runtime/live/index.js';
import {type Catalog, type Decision, problemOf, readCatalog, type Setting} from '../../runtime/schedule/index.js';
import {feasibilityChecker, type Random, type Trace} from '../../runtime/simulate/index.js';

const none = Number.POSITIVE_INFINITY;
/** Seconds. */
export const length = 250;
const input = Float32Array.of(1);

/** The catalog, with a variant of some build for every task, and loads that take up to so many seconds. */
export const runnable = (catalog: Catalog, loading = 0): Catalog =>
  readCatalog({
    ...catalog,
    segments: catalog.segments.map((segment, i) => ({
      ...segment,
      loadLatency: (1000 * loading * (i + 1)) / catalog.segments.length,
    })),
    requests: catalog.requests.map(request => ({
      ...request,
      variants: request.variants.map(variant => ({...variant, parts: request.tasks.map(({name}) => `${name}/${variant.id}`)})),
    })),
  });

export function randomSetting(dice: Random): Setting {
  const some = (most: number): number => (dice.below(4) === 0 ? none : most * dice.unit());
  return {
    limits: {energy: 80 * dice.unit(), money: some(40), data: some(2500), memory: some(150)},
    ...{day: length * (0.3 + 2 * dice.unit()), idle: dice.below(3) === 0 ? 0.05 * dice.unit() : 0},
    energyDoubt: dice.below(2) / 20,
  };
}

/** Answers every task with what the function says, or fails with it: at once, or when it has waited. */
export const pretending = (
  what: (job: Job) => {readonly energy?: number; readonly data?: number; readonly milliseconds?: number} | Error,
  wait?: () => Promise<unknown>,
): Executor => ({
  async run(job, answered) {
    const took = what(job);
    if (wait) await wait();
    if (took instanceof Error) throw took;
    for (const task of job.tasks) answered({task, label: 'x', index: 0, scores: input, under: job.prior(task)});
    return {milliseconds: 1, ...took};
  },
});

export type Played = {
  readonly lines: readonly string[];
  readonly summary: LiveSummary;
  readonly served: readonly Served[];
};

type Playing = Omit<RouterOptions, 'log' | 'clock'> & {
  /** Requests run until so many later ones have come. */
  readonly overlap?: number;
  /** Whether loads take the time of the catalog, beside the requests. */
  readonly beside?: boolean;
};

/** Walks a trace with a clock that stands where the trace is. */
export async function play({overlap = 0, beside = false, device, ...options}: Playing, trace: Trace): Promise<Played> {
  const lines: string[] = [];
  const served: Promise<Served>[] = [];
  const coming: {readonly at: number; readonly arrive: () => void}[] = [];
  let now = 0;
  const seconds = new Map(options.catalog.segments.map(({id, loadLatency = 0}) => [id, loadLatency / 1000]));
  const load: NonNullable<Executor['load']> = change =>
    new Promise(arrive => {
      coming.push({at: now + change.load.reduce((sum, id) => sum + seconds.get(id)!, 0), arrive});
      coming.sort((a, b) => a.at - b.at);
    });
  const router = createRouter({
    ...{...options, device: beside ? {...device, load} : device},
    ...{clock: () => now, log: line => void lines.push(line)},
  });
  const arriveUntil = async (until: number): Promise<void> => {
    while (coming.length > 0 && coming[0]!.at <= until) {
      const {at, arrive} = coming.shift()!;
      if (at > now) now = at;
      arrive();
      await turn();
    }
  };
  const names = options.catalog.requests.map(({name}) => name);
  for (const {time, kind, up} of trace) {
    await arriveUntil(time);
    now = time;
    if (kind < 0) router.setLink(up);
    else served.push(router.submit(names[kind]!, input).served);
    if (overlap === 0 || served.length % overlap === 0) await Promise.allSettled(served);
  }
  await arriveUntil(none);
  await router.close();
  return {lines, summary: router.summary(), served: await Promise.all(served)};
}

type Pages = {readonly loaded?: readonly string[]; readonly evicted?: readonly string[]};
type Line = Pages & {
  readonly t: number;
  readonly request?: string;
  readonly n: number;
  readonly variant: string;
  readonly place: string;
  readonly cut?: string;
  readonly begins?: Pages & {readonly load: number; readonly energy: number};
  readonly connected: boolean;
};

/** The checker over a live record: executions that are not paid yet count as what is held for them. */
export function violationsOf(lines: readonly string[], catalog: Catalog, setting: Setting): readonly string[] {
  const problem = problemOf(catalog);
  const paid = new Map<number, {energy?: number; data?: number}>();
  for (const line of lines) {
    const {took, held, ...amounts} = JSON.parse(line) as {took?: number; held?: number; energy?: number; data?: number};
    if (took !== undefined) paid.set(took, {...paid.get(took), ...amounts});
    else if (held !== undefined) paid.set(held, {data: amounts.data!});
  }
  const checker = feasibilityChecker(problem, setting, 'measured');
  for (const line of lines.slice(1)) {
    const event = JSON.parse(line) as Line;
    if (event.request === undefined) continue;
    const kind = problem.kinds.findIndex(({name}) => name === event.request);
    const {options} = problem.kinds[kind]!;
    const option = options.findIndex(
      each => each.variant === event.variant && each.place === event.place && each.cut === event.cut,
    );
    const positions = (ids: readonly string[] = []) => ids.map(id => problem.segments.findIndex(segment => segment.id === id));
    const pagedOf = ({loaded, evicted}: Pages) => ({loaded: positions(loaded), evicted: positions(evicted)});
    const {begins} = event;
    checker.see({
      ...{time: event.t, kind, option, number: event.n, load: 0, money: 0, again: undefined, refused: undefined},
      ...{
        energy: paid.get(event.n)?.energy ?? options[option]?.energy ?? 0,
        data: paid.get(event.n)?.data ?? options[option]?.bytes ?? 0,
      },
      paged: pagedOf(event),
      begins: begins && {number: begins.load, energy: begins.energy, paged: pagedOf(begins)},
      state: {connected: event.connected} as Decision['state'],
    });
  }
  return checker.violations;
}
