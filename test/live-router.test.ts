/** The live half against executors that only pretend: budgets, replay, memory, failures on the way, and what comes when. */
import test from 'ava';
import {createRouter, type Executor, type Job, type LiveSummary, type RouterOptions, type Served} from '../runtime/live/index.js';
import {type Catalog, type Decision, policies, problemOf, readCatalog, type Setting} from '../runtime/schedule/index.js';
import {feasibilityChecker, type Random, random, replay, simulate, type Trace} from '../runtime/simulate/index.js';
import {randomCatalog, randomTrace} from './support/random-catalog.js';

const none = Number.POSITIVE_INFINITY;
const length = 250;
const input = Float32Array.of(1);

/** The catalog, with a variant of some build for every task. */
const runnable = (catalog: Catalog): Catalog =>
  readCatalog({
    ...catalog,
    requests: catalog.requests.map(request => ({
      ...request,
      variants: request.variants.map(variant => ({...variant, parts: request.tasks.map(({name}) => `${name}/${variant.id}`)})),
    })),
  });

function randomSetting(dice: Random): Setting {
  const some = (most: number): number => (dice.below(4) === 0 ? none : most * dice.unit());
  return {
    limits: {energy: 80 * dice.unit(), money: some(40), data: some(2500), memory: some(150)},
    ...{day: length * (0.3 + 2 * dice.unit()), idle: dice.below(3) === 0 ? 0.05 * dice.unit() : 0},
    energyDoubt: dice.below(2) / 20,
  };
}

/** Answers every task at once with what the function says, or fails with it. */
const pretending = (
  what: (job: Job) => {readonly energy?: number; readonly data?: number; readonly milliseconds?: number} | Error,
): Executor => ({
  async run(job, answered) {
    const took = what(job);
    if (took instanceof Error) throw took;
    for (const task of job.tasks) answered({task, label: 'x', index: 0, scores: input, under: job.prior(task)});
    return {milliseconds: 1, ...took};
  },
});

type Played = {
  readonly lines: readonly string[];
  readonly summary: LiveSummary;
  readonly served: readonly Served[];
};

/** Walks a trace with a clock that stands where the trace is. `overlap`: requests run until so many later ones have come. */
async function play(options: Omit<RouterOptions, 'log' | 'clock'>, trace: Trace, overlap = 0): Promise<Played> {
  const lines: string[] = [];
  const served: Promise<Served>[] = [];
  let now = 0;
  const router = createRouter({...options, clock: () => now, log: line => void lines.push(line)});
  const names = options.catalog.requests.map(({name}) => name);
  for (const {time, kind, up} of trace) {
    now = time;
    if (kind < 0) router.setLink(up);
    else served.push(router.submit(names[kind]!, input).served);
    if (overlap === 0 || served.length % overlap === 0) await Promise.allSettled(served);
  }
  await router.close();
  return {lines, summary: router.summary(), served: await Promise.all(served)};
}

test('live decisions are the simulated ones where executions take what is annotated', async t => {
  for (let seed = 1; seed <= 12; seed++) {
    const dice = random(seed, 5);
    const catalog = runnable(randomCatalog(dice));
    const [problem, setting, trace] = [problemOf(catalog), randomSetting(dice), randomTrace(dice, catalog, length)];
    const policy = (['dnnc', 'mcdnn', 'cloud-only', 'device-only'] as const)[seed % 4]!;
    const wanted: string[] = [];
    const simulated = simulate({
      ...{problem, setting, policy: policies[policy], trace},
      watch: ({kind, option}) => {
        const chosen = problem.kinds[kind]!.options[option];
        wanted.push(`${chosen?.variant ?? null} ${chosen?.place ?? null}`);
      },
    });
    const executor = pretending(() => ({}));
    const {served, summary} = await play({catalog, setting, policy, device: executor, remote: executor}, trace);
    t.deepEqual(
      served.map(({variant, place}) => `${variant} ${place}`),
      wanted,
      `seed ${seed}`,
    );
    t.deepEqual(summary.used, simulated.used);
    t.is(summary.accuracy, simulated.accuracy);
  }
});

test('budgets hold when requests overlap, servers fail and executions take up to twice what is annotated; every schedule is feasible and replays', async t => {
  let [served, retried] = [0, 0];
  for (let seed = 1; seed <= 24; seed++) {
    const dice = random(seed, 6);
    const catalog = runnable(randomCatalog(dice));
    const [problem, setting, trace] = [problemOf(catalog), randomSetting(dice), randomTrace(dice, catalog, length)];
    // Of each option: what is annotated wrongly is wrong by a factor.
    const factors = problem.kinds.flatMap(({options}) => options.map(() => 0.3 + 1.7 * dice.unit()));
    const took = ({option, claim}: Job) => {
      const bytes = Math.round(option.bytes * (0.5 + dice.unit()));
      if (option.linked && (dice.below(5) === 0 || !claim(bytes))) return new Error('gone');
      return {energy: option.energy * factors[option.at]!, ...(option.linked && {data: bytes})};
    };
    const executor = pretending(took);
    const {lines, summary, ...played} = await play(
      {catalog, setting, device: executor, remote: executor},
      trace,
      1 + dice.below(6),
    );
    t.false(
      lines.some(line => /"left":[^}]*:-/.test(line)),
      `seed ${seed}`,
    );
    t.false(summary.overspent, `seed ${seed}: ${JSON.stringify(summary.used)}`);
    const {limits} = setting;
    for (const budget of ['energy', 'money', 'data'] as const) t.true(summary.used[budget] <= limits[budget] * (1 + 1e-9));
    t.deepEqual(violationsOf(lines, catalog, setting), [], `seed ${seed}`);
    const again = replay({name: 'log', lines}, problem);
    t.deepEqual(again.used, summary.used);
    t.is(again.value, summary.value);
    served += summary.requests - summary.served.none;
    retried += played.served.filter(({failure}) => failure !== undefined).length;
  }
  t.true(served > 200 && retried > 10, `${served} ${retried}`);
});

/** The checker over a live record: executions that are not paid yet count as what is held for them. */
function violationsOf(lines: readonly string[], catalog: Catalog, setting: Setting): readonly string[] {
  const problem = problemOf(catalog);
  const paid = new Map<number, {energy?: number; data?: number}>();
  for (const line of lines) {
    const {took, held, ...amounts} = JSON.parse(line) as {took?: number; held?: number; energy?: number; data?: number};
    if (took !== undefined) paid.set(took, {...paid.get(took), ...amounts});
    else if (held !== undefined) paid.set(held, {data: amounts.data!});
  }
  const checker = feasibilityChecker(problem, setting, 'measured');
  for (const line of lines.slice(1)) {
    const event = JSON.parse(line) as {t: number; request?: string; n: number; variant: string; place: string; cut?: string} & {
      loaded?: string[];
      evicted?: string[];
      connected: boolean;
    };
    if (event.request === undefined) continue;
    const kind = problem.kinds.findIndex(({name}) => name === event.request);
    const {options} = problem.kinds[kind]!;
    const option = options.findIndex(
      each => each.variant === event.variant && each.place === event.place && each.cut === event.cut,
    );
    const positions = (ids: readonly string[] = []) => ids.map(id => problem.segments.findIndex(segment => segment.id === id));
    checker.see({
      ...{time: event.t, kind, option, number: event.n, load: 0, money: 0, again: undefined},
      ...{
        energy: paid.get(event.n)?.energy ?? options[option]?.energy ?? 0,
        data: paid.get(event.n)?.data ?? options[option]?.bytes ?? 0,
      },
      paged: {loaded: positions(event.loaded), evicted: positions(event.evicted)},
      state: {connected: event.connected} as Decision['state'],
    });
  }
  return checker.violations;
}
