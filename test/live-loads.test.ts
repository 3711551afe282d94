/** Weights that come into memory beside the requests: who waits for them, what they cost, and that the day can be told again. */
import {setImmediate as turn} from 'node:timers/promises';
import test, {type ExecutionContext} from 'ava';
import {createRouter, deviceExecutor, type RouterOptions, type Submission} from '../runtime/live/index.js';
import {catalogFromManifest, policies, problemOf, readCatalog} from '../runtime/schedule/index.js';
import {decisionLine, feasibilityChecker, random, replay, simulate} from '../runtime/simulate/index.js';
import {length, play, pretending, randomSetting, runnable, violationsOf} from './support/live-day.js';
import {pretended, pretendedBuild, profile} from './support/pretended-build.js';
import {randomCatalog, randomTrace} from './support/random-catalog.js';

const x = Float32Array.of(1, 2, 3, 4);
const plenty = {energy: 1e6, money: 1, data: 1e9, memory: Number.POSITIVE_INFINITY};

/** Loading `full` takes longer than a first answer may, `small` does not: Algorithm 1 begins with it. */
const slowly = {...profile(0.01), device: {...profile().device, loadMillisecondsPerMegabyte: 7e5}};
const catalog = catalogFromManifest(pretended, slowly);

/** A store of weights that gives a segment when it is told to, and a router over a device that reads from it. */
function slowStore(options: Partial<RouterOptions> = {}, memory = plenty.memory) {
  const waiting = new Map<string, {readonly give: () => void; readonly fail: (error: Error) => void}>();
  const build = pretendedBuild(
    pretended,
    0,
    segment => new Promise((give, fail) => waiting.set(segment, {give, fail: error => fail(error)})),
  );
  const device = deviceExecutor({session: build.session});
  const lines: string[] = [];
  const router = createRouter({
    ...{catalog, device, policy: 'mcdnn', log: line => void lines.push(line)},
    setting: {limits: {...plenty, memory}, day: 1000, idle: 0},
    ...options,
  });
  const asked = (): readonly string[] => [...waiting.keys()].sort();
  const give = async (t: ExecutionContext, ...segments: readonly string[]): Promise<void> => {
    await turn();
    for (const segment of segments) {
      t.true(waiting.has(segment), `${segment} of ${asked()}`);
      waiting.get(segment)!.give();
      waiting.delete(segment);
    }
    await turn();
  };
  const fail = (segment: string): void => {
    waiting.get(segment)!.fail(new Error('cannot be read'));
    waiting.delete(segment);
  };
  return {router, lines, asked, give, fail, device, ...build};
}

const variantOf = async ({served}: Submission): Promise<string> => (await served).variant ?? 'none';

test('hits are answered by what is in memory, however long the update takes (C10)', async t => {
  const {router, lines, asked, give, calls, device} = slowStore();
  const first = router.submit('age', x);
  await give(t, 'age_small');
  t.is(await variantOf(first), 'age/small', 'a first request waits for what is there soonest (C9)');
  // Better weights set out with the next request, and are not given: sixty requests are answered all the same.
  const hits = Array.from({length: 60}, () => router.submit('age', x));
  for (const hit of hits) t.is(await variantOf(hit), 'age/small');
  t.deepEqual(asked(), ['age_head', 'trunk']);
  t.is(calls.get('age_small_code'), 61);
  t.is(calls.get('trunk_code'), undefined);
  const {used, paged} = router.summary();
  t.is(paged, 3);
  await give(t, 'trunk', 'age_head');
  t.is(await variantOf(router.submit('age', x)), 'age/full', 'swapped when it is there');
  t.is(device.residentBytes(), 3000);
  await router.close();
  // Loads were paid once, when they set out.
  const problem = problemOf(catalog);
  const load = (...ids: readonly string[]): number =>
    problem.segments.filter(({id}) => ids.includes(id)).reduce((sum, {loadEnergy}) => sum + loadEnergy, 0);
  const [full, small] = ['full', 'small'].map(
    recipe => problem.kinds[1]!.options.find(({variant, place}) => variant === `age/${recipe}` && place === 'device')!.energy,
  );
  t.true(Math.abs(used.energy - load('age_small', 'trunk', 'age_head') - 61 * small!) < 1e-9);
  t.true(Math.abs(router.summary().used.energy - used.energy - full!) < 1e-9);
  t.deepEqual(replay({name: 'log', lines}, problem).used, router.summary().used);
  t.is(lines.filter(line => line.includes('"arrived"')).length, 1);
});

test('a request that needs what is on its way waits, and others pass it', async t => {
  const {router, give, asked} = slowStore();
  const age = router.submit('age', x);
  const mood = router.submit('mood', x);
  await give(t, 'mood_small');
  t.is(await variantOf(mood), 'mood/small');
  t.deepEqual(asked(), ['age_small']);
  await give(t, 'age_small');
  t.is(await variantOf(age), 'age/small');
  await router.close();
});

test('where both do not fit, the one that answers goes when it has answered, and never is more in memory than there is room', async t => {
  const {router, give, memory, lines} = slowStore({}, 2000);
  const first = router.submit('age', x);
  await give(t, 'age_small');
  await first.served;
  const [hit, miss] = [router.submit('age', x), router.submit('age', x)];
  t.is(await variantOf(hit), 'age/small');
  await give(t, 'trunk', 'age_head');
  t.is(await variantOf(miss), 'age/full');
  t.is(memory.most, 2000);
  await router.close();
  t.true(lines.some(line => /"begins":\{[^}]*"evicted":\["age_small"\]/.test(line)));
  t.deepEqual(violationsOf(lines, catalog, {limits: {...plenty, memory: 2000}, day: 1000, idle: 0}), []);
});

test('weights that cannot be read are paid, count as gone, and are asked for again', async t => {
  const {router, give, fail, lines, asked} = slowStore();
  const first = router.submit('age', x);
  await turn();
  fail('age_small');
  await t.throwsAsync(first.served, {message: 'cannot be read'});
  const second = router.submit('age', x);
  await give(t, 'age_small');
  t.is(await variantOf(second), 'age/small');
  t.is(await variantOf(router.submit('age', x)), 'age/small');
  await give(t, 'trunk');
  fail('age_head');
  await turn();
  t.is(await variantOf(router.submit('age', x)), 'age/small');
  t.deepEqual(asked(), ['age_head', 'trunk'], 'under way once more');
  await give(t, 'trunk', 'age_head');
  t.is(await variantOf(router.submit('age', x)), 'age/full');
  await router.close();
  const {failures, used} = router.summary();
  t.is(failures, 2);
  t.deepEqual(replay({name: 'log', lines}, problemOf(catalog)).used, used);
});

test('a live day with loads beside the requests is the simulated one', async t => {
  let [begun, waited] = [0, 0];
  for (let seed = 1; seed <= 14; seed++) {
    const dice = random(seed, 7);
    const runs = runnable(randomCatalog(dice), 20);
    const [problem, plain, trace] = [problemOf(runs), randomSetting(dice), randomTrace(dice, runs, length)];
    const policy = (['dnnc', 'mcdnn', 'device-only'] as const)[seed % 3]!;
    const setting = {...plain, loads: 'beside'} as const;
    const checker = feasibilityChecker(problem, setting);
    const lines: string[] = [];
    const {used, accuracy} = simulate({
      ...{problem, setting, policy: policies[policy], trace},
      watch: (decision, explain) => {
        checker.see(decision);
        if (decision.begins) begun++;
        lines.push(JSON.parse(decisionLine(problem, decision, explain)).variant);
      },
      watchLoad: () => waited++,
    });
    t.deepEqual(checker.violations, [], `seed ${seed}`);
    const executor = pretending(() => ({}));
    const live = await play({catalog: runs, setting: plain, policy, device: executor, remote: executor, beside: true}, trace);
    t.deepEqual(
      live.served.map(({variant}) => variant),
      lines,
      `seed ${seed}`,
    );
    t.deepEqual([live.summary.used, live.summary.accuracy], [used, accuracy]);
    t.is(replay({name: 'log', lines: live.lines}, problem).value, live.summary.value);
    t.false(live.lines.some(line => /"place":"(device|cloud).*"reason":"(nothing is worth|no option)/.test(line)));
  }
  t.true(begun > 3 && waited > 3, `${begun} ${waited}`);
});

test('no load beside requests breaks a budget, whatever overlaps, waits and fails', async t => {
  let [begun, refused] = [0, 0];
  for (let seed = 1; seed <= 10; seed++) {
    const dice = random(seed, 8);
    const runs = runnable(randomCatalog(dice), 30);
    const [problem, trace] = [problemOf(runs), randomTrace(dice, runs, length)];
    const {limits, ...plain} = randomSetting(dice);
    const setting = {...plain, limits: {...limits, energy: 10 * limits.energy}, queue: 2 + dice.below(6)};
    const policy = (['dnnc', 'mcdnn'] as const)[seed % 2]!;
    // The paper's rule believes what is annotated.
    const most = policy === 'dnnc' ? 1.6 : 0.7;
    const executor = pretending(({option, claim}) => {
      const bytes = Math.round(option.bytes * (0.5 + dice.unit()));
      if (option.linked && (dice.below(5) === 0 || !claim(bytes))) return new Error('gone');
      return {
        energy: option.energy * (0.3 + most * dice.unit()),
        milliseconds: 100 * dice.unit(),
        ...(option.linked && {data: bytes}),
      };
    }, turn);
    const overlap = 1 + dice.below(8);
    const given = {
      catalog: runs,
      setting,
      policy,
      device: executor,
      ...(seed % 3 > 0 && {remote: executor}),
      beside: true,
      overlap,
    };
    const {lines, summary, served} = await play(given, trace);
    t.false(summary.overspent, `seed ${seed}`);
    t.deepEqual(violationsOf(lines, runs, setting), [], `seed ${seed}`);
    t.is(replay({name: 'log', lines}, problem).value, summary.value);
    t.is(summary.refused, served.filter(each => each.refused !== undefined).length);
    for (const {refused: why, energy, variant} of served) if (why) t.deepEqual([energy, variant], [0, null]);
    begun += lines.filter(line => line.includes('"begins"')).length;
    refused += summary.refused;
  }
  t.true(begun > 10 && refused > 30, `${begun} ${refused}`);
});

test('simulated days know no loads beside requests unless they are asked for', t => {
  const dice = random(3, 9);
  const runs = readCatalog(runnable(randomCatalog(dice), 20));
  const problem = problemOf(runs);
  simulate({
    ...{problem, setting: randomSetting(dice), policy: policies.mcdnn, trace: randomTrace(dice, runs, length)},
    watch: ({begins}) => t.is(begins, undefined),
  });
});
