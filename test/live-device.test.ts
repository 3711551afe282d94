/** Answers on this device: what is computed, in which order, and what is in memory. */
import test from 'ava';
import {type Contexts, createRouter, deviceExecutor, type Router, type RouterOptions} from '../runtime/live/index.js';
import {random} from '../runtime/simulate/index.js';
import {catalog, pretended, pretendedBuild} from './support/pretended-build.js';

const x = Float32Array.of(1, 2, 3, 4);
const plenty = {energy: 1e6, money: 1, data: 1e9, memory: Number.POSITIVE_INFINITY};
const setting = {limits: plenty, day: 36_000, idle: 0};

const alone = (options: Partial<RouterOptions> & Pick<RouterOptions, 'device'>): Router =>
  createRouter({catalog: catalog(0.01), setting, ...options});

test('what tasks share is computed once for an input, asked at once or one by one', async t => {
  const {session, calls} = pretendedBuild();
  const frame = session.frame(x);
  const [age, mood] = await Promise.all([frame.run('age'), frame.run('mood')]);
  const late = await frame.run('age');
  t.deepEqual(
    [...calls],
    [
      ['trunk_code', 1],
      ['age_head_code', 1],
      ['mood_head_code', 1],
    ],
  );
  t.deepEqual([age.label, mood.label, late.label], ['adult', 'glad', 'adult']);
  t.deepEqual(age.scores, Float32Array.of(-10, 10));
  t.deepEqual(await frame.runTo('age', 'cut'), Float32Array.of(0.5, 1, 1.5, 2));
  t.is(calls.get('trunk_code'), 1);
});

test('a frame keeps the input that it was given, and runs slow code on the thread pool', async t => {
  const slow = {...pretended, segments: pretended.segments.map(({latency: _, ...segment}) => segment)};
  const {session, calls} = pretendedBuild(slow, 1);
  const given = x.slice();
  const frame = session.frame(given);
  const answers = [frame.run('age'), frame.run('mood'), frame.run('age', {variant: 'age/small'})];
  given.fill(0);
  t.deepEqual(
    (await Promise.all(answers)).map(({label}) => label),
    ['adult', 'glad', 'adult'],
  );
  t.is(calls.get('trunk_code'), 1);
  await t.throwsAsync(frame.run('weight'), {message: /session\.task/});
});

test('the router computes the trunk once for a request, and hands answers out as they come', async t => {
  const {session, calls} = pretendedBuild();
  const router = alone({device: deviceExecutor({session})});
  const submission = router.submit('both', x);
  const seen: string[] = [];
  for await (const {task, label, under} of submission) {
    seen.push(`${task} ${label}`);
    t.is(under, null);
  }
  t.deepEqual(seen.sort(), ['age adult', 'mood glad']);
  const {place, variant, failure} = await submission.served;
  t.deepEqual([place, variant, failure], ['device', 'both/full', undefined]);
  t.is(calls.get('trunk_code'), 1);
  // Late readers get all of it.
  const again: string[] = [];
  for await (const {task} of submission) again.push(task);
  t.is(again.length, 2);
  t.throws(() => router.submit('weight', x), {message: /live\.request: weight.*\n.*both, age, mood/});
  await router.close();
});

test('an input that does not fit fails its own request only', async t => {
  const {session} = pretendedBuild();
  const router = alone({device: deviceExecutor({session})});
  const wrong = router.submit('both', new Float32Array(3));
  const right = router.submit('both', x);
  await t.throwsAsync(wrong.served, {message: /has 3 elements/});
  await t.throwsAsync(async () => {
    for await (const _ of wrong);
  });
  t.is((await right.served).place, 'device');
  await router.close();
  const {requests, failures} = router.summary();
  t.deepEqual([requests, failures], [1, 1]);
});

test('weights in memory stay within the limit at every moment, and are those that the scheduler believes', async t => {
  for (const memory of [2000, 3000, 4000]) {
    const {session, memory: seen} = pretendedBuild();
    const device = deviceExecutor({session});
    const lines: string[] = [];
    const router = createRouter({
      ...{catalog: catalog(1), device, log: line => void lines.push(line)},
      setting: {limits: {...plenty, energy: 500, memory}, day: 1000, idle: 0},
    });
    const dice = random(memory);
    const names = ['both', 'age', 'mood'];
    const served = Array.from({length: 60}, () => router.submit(names[dice.below(3)]!, x).served);
    await Promise.all(served);
    await router.close();
    t.true(seen.most <= memory, `${seen.most} of ${memory}`);
    t.true(seen.most >= 2000);
    t.is(seen.now, device.residentBytes());
    const resident = new Set<string>();
    for (const line of lines) {
      const {loaded = [], evicted = []} = JSON.parse(line) as {loaded?: string[]; evicted?: string[]};
      for (const id of evicted) resident.delete(id);
      for (const id of loaded) resident.add(id);
    }
    t.is(seen.now, 1000 * resident.size);
  }
});

test('priors of contexts enter answers, which tell the contexts what they were', async t => {
  const {session} = pretendedBuild();
  const observed: string[] = [];
  const contexts: Contexts = {
    prior: task => (task === 'age' ? [1, 0] : null),
    observe: (task, {probabilities}, under) => void observed.push(`${task} ${probabilities?.[0]} ${under}`),
  };
  const router = alone({device: deviceExecutor({session}), contexts});
  for await (const {task, label} of router.submit('both', x)) t.is(label, task === 'age' ? 'child' : 'glad');
  t.deepEqual(observed.sort(), ['age 1 1,0', 'mood undefined null']);
  await router.close();
});

test('an option that is measured to be too slow is left alone for a while, then tried again', async t => {
  const late = {...catalog(1), requests: catalog(1).requests.map(request => ({...request, latencyLimit: 50}))};
  let now = 0;
  const router = createRouter({
    ...{catalog: late, setting, clock: () => now},
    device: {
      async run({option, tasks, prior}, answered) {
        for (const task of tasks) answered({task, label: 'x', index: 0, scores: x, under: prior(task)});
        return {milliseconds: option.variant.endsWith('full') && now < 100 ? 80 : 1};
      },
    },
  });
  const variants: (string | null)[] = [];
  for (; now < 200; now++) variants.push((await router.submit('age', x).served).variant);
  t.true(variants.slice(0, 8).every(variant => variant === 'age/full'));
  t.true(variants.slice(8, 60).every(variant => variant === 'age/small'));
  t.true(variants.slice(196).every(variant => variant === 'age/full'));
  t.true(router.summary().latencies['age: age/small (device)']!.p95 === 1);
});

test('energy is watts times measured time where that is asked for', async t => {
  const {session} = pretendedBuild();
  const router = alone({device: deviceExecutor({session, watts: 1000})});
  const {energy} = await router.submit('both', x).served;
  const {used} = router.summary();
  t.true(energy > 0 && energy === used.energy);
  await router.close();
});

test('rates, classes and waits are told as they are seen', async t => {
  const {session} = pretendedBuild();
  let now = 0;
  const router = alone({device: deviceExecutor({session}), clock: () => now});
  for (; now < 600; now += 2) await router.submit('both', x).served;
  const {rates, classes, waits} = router.summary();
  t.true(Math.abs(rates['both']! - 0.5) < 0.05, `${rates['both']}`);
  t.is(rates['age'], 0);
  t.deepEqual(Object.keys(classes['age']!), ['adult']);
  t.is(waits!.n, 300);
  await router.close();
});
