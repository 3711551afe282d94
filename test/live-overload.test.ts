/** More requests than can be answered in time: cheaper variants first, then refusals, which cost nothing and are told. */
import test from 'ava';
import {createRouter, type Executor, type RouterOptions, type Served} from '../runtime/live/index.js';
import {catalogFromManifest, problemOf, type Setting} from '../runtime/schedule/index.js';
import {replay} from '../runtime/simulate/index.js';
import {pretended, profile} from './support/pretended-build.js';

const x = Float32Array.of(1, 2, 3, 4);
const limits = {energy: 1e6, money: 1, data: 1e9, memory: Number.POSITIVE_INFINITY};
const setting: Setting = {limits, day: 1000, idle: 0};
/** By the manifest `full` takes 0.06 ms and `small` 0.03: the test's executor says what they really take. */
const [full, small] = [40, 10];

/** Answers when it is told to. */
function gated() {
  const waiting: (() => void)[] = [];
  let started = 0;
  const executor: Executor = {
    async run({tasks, option, prior}, answered) {
      started++;
      await new Promise<void>(go => waiting.push(go));
      for (const task of tasks) answered({task, label: 'x', index: 0, scores: x, under: prior(task)});
      return {milliseconds: option.variant.endsWith('full') ? full : small};
    },
  };
  return {executor, started: () => started, go: () => void waiting.splice(0).map(each => each())};
}

const limited = (latencyLimit: number | undefined) =>
  catalogFromManifest(pretended, {
    ...profile(0.01),
    requests: profile(0.01).requests.map(request => ({...request, ...(latencyLimit !== undefined && {latencyLimit})})),
  });

function overloaded(latencyLimit: number | undefined, options: Partial<RouterOptions> = {}) {
  const gate = gated();
  const lines: string[] = [];
  const catalog = limited(latencyLimit);
  const router = createRouter({catalog, setting, device: gate.executor, log: line => void lines.push(line), ...options});
  const ask = (): Promise<Served> => router.submit('age', x).served;
  /** One answer after the other, until the router knows what they take. */
  async function learn(): Promise<void> {
    for (let i = 0; i < 60; i++) {
      const served = ask();
      gate.go();
      await served;
    }
  }
  return {...gate, router, lines, ask, learn, problem: problemOf(catalog)};
}

const brief = ({variant, place, refused}: Served): string => refused ?? `${variant} ${place}`;

test('what would come too late is answered by a cheaper variant, then refused, free of charge', async t => {
  const {router, ask, go, learn, lines, problem, started} = overloaded(100);
  await learn();
  const before = router.summary();
  const many = Array.from({length: 12}, ask);
  const asked = started();
  go();
  const all = await Promise.all(many);
  // 40 + 40 ms are within 100 ms, and so is all that takes as little as small is annotated with.
  const [two, ten] = [new Array(2).fill('age/full device'), new Array(10).fill('age/small device')];
  t.deepEqual(all.map(brief), [...two, ...ten]);
  t.is(asked, 72);
  // What it takes is learnt.
  for (let i = 0; i < 8; i++) {
    const some = Array.from({length: 12}, ask);
    go();
    await Promise.all(some);
  }
  const ran = started();
  const late = Array.from({length: 12}, ask);
  go();
  const known = await Promise.all(late);
  t.deepEqual(known.map(brief), [...two, ...ten.slice(0, 2), ...new Array(8).fill('too-late')]);
  t.is(started() - ran, 4, 'nothing is run for what is refused');
  for (const {energy, variant, place} of known.slice(4)) t.deepEqual([energy, variant, place], [0, null, null]);
  const {refused, served, requests, used, overspent} = router.summary();
  t.is(refused, served.none);
  t.is(requests, 60 + 12 * 10);
  t.false(overspent);
  t.true(used.energy > before.used.energy);
  t.deepEqual(replay({name: 'log', lines}, problem).refused, refused);
  t.true(lines.some(line => line.includes('"why":{"reason":"too-late"}')));
  await router.close();
});

test('a full queue refuses, and the server answers what the device has no room for', async t => {
  const {router, ask, go} = overloaded(undefined, {setting: {...setting, queue: 3}});
  const some = Array.from({length: 5}, ask);
  go();
  t.deepEqual((await Promise.all(some)).map(brief).slice(3), ['queue-full', 'queue-full']);
  t.is(router.summary().refused, 2);
  await router.close();

  const both = gated();
  const remote = overloaded(undefined, {setting: {...setting, queue: 3}, device: both.executor, remote: both.executor});
  const more = Array.from({length: 8}, remote.ask);
  both.go();
  const answers = (await Promise.all(more)).map(brief);
  t.deepEqual(answers.slice(6), ['queue-full', 'queue-full']);
  for (const place of ['device', 'cloud']) t.is(answers.filter(each => each.endsWith(place)).length, 3, place);
  t.is(replay({name: 'log', lines: remote.lines}, remote.problem).refused, 2);
  await remote.router.close();
});

test('a router has room for 256 unless the setting says otherwise', async t => {
  const {router, ask, go} = overloaded(undefined);
  const some = Array.from({length: 260}, ask);
  go();
  t.is((await Promise.all(some)).filter(({refused}) => refused === 'queue-full').length, 4);
  await router.close();
});
