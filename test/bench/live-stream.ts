/** A session that specializes itself, on a stream of samples: accuracy, time, and what fitting does to requests meanwhile. */
import {mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import type {Labelled} from '../../compiler/data/dataset.js';
import {labelsOf} from '../../compiler/evaluate-variant.js';
import {percentiles} from '../../compiler/measure.js';
import {inputTensor} from '../../compiler/samples.js';
import {type Live, specializeLive} from '../../compiler/specialize/live/index.js';
import {adaptive, contextsOf, load, type Manifest, type Session, type TypedArray, withContexts} from '../../runtime/index.js';
import {type Spells, streamOf} from './streams.js';

/**
 * In percent, and in milliseconds per request: medians by who answered, weighed by how often that was, since a machine that does
 * other things too would spoil a mean.
 */
type Part = {readonly accuracy: number; readonly milliseconds: number};
type Way = {readonly way: string; readonly inside: Part; readonly outside: Part};

const requests = 6000;

/** Milliseconds between requests while a thread fits: enough to leave it the machine. */
const pause = 10;

/** Nothing but this folder remembers heads and features. */
async function withoutMemory<T>(action: () => Promise<T>): Promise<T> {
  const cache = mkdtempSync(join(tmpdir(), 'dnnc-cache-'));
  const before = process.env['XDG_CACHE_HOME'];
  process.env['XDG_CACHE_HOME'] = cache;
  try {
    return await action();
  } finally {
    if (before === undefined) delete process.env['XDG_CACHE_HOME'];
    else process.env['XDG_CACHE_HOME'] = before;
    rmSync(cache, {recursive: true, force: true});
  }
}

export async function liveFigures(
  directory: string,
  samples: Readonly<Record<'fit' | 'tune' | 'evaluate', Labelled>>,
  labelsKey: string,
  spells: Spells,
) {
  const session = load(directory);
  const {data} = samples.evaluate;
  const task = session.manifest.tasks['task']!;
  const labels = labelsOf(task, data);
  const stream = streamOf(spells, labels, requests, 0);
  const inputs = labels.map((_, i) => inputTensor(data.sample(i), task.inputs[0]!, data.where(i)).data);
  const started = () =>
    specializeLive<Manifest, string>(session, {
      ...{task: 'task', directory, fit: samples.fit.path, tune: samples.tune.path, labelsKey},
      goal: {reference: 'corrected', wanted: {loss: 0.005}},
    });

  const live = started();
  const prior = withContexts<Manifest>(session, contextsOf(session.manifest, adaptive()));
  const waits: number[] = [];
  const none = (): Count => ({right: 0, times: new Map()});
  const parts = [0, 1].map(() => ({requests: 0, general: none(), prior: none(), live: none()}));
  for (const {sample, isInside} of stream) {
    const its = parts[isInside ? 0 : 1]!;
    const input = inputs[sample]!;
    its.requests++;
    // One after the other, so that whatever else the machine does slows all.
    for (const [ran, answer] of [
      [its.general, () => session.run<string>('task', input)],
      [its.prior, () => prior.run('task', input)],
      [its.live, () => live.run(input)],
    ] as const) {
      const begun = performance.now();
      const {index, answeredBy = ''} = answer();
      const time = performance.now() - begun;
      const known = ran.times.get(answeredBy);
      if (known) known.push(time);
      else ran.times.set(answeredBy, [time]);
      if (index === labels[sample]) ran.right++;
    }
    // The next request waits for a fit: at one in some seconds, as streams have them, it would find it ready.
    const waiting = performance.now();
    await live.settled();
    if (live.fits() > waits.length) waits.push((performance.now() - waiting) / 1000);
  }
  if (live.trouble() !== null) throw new Error(live.trouble()!);
  await live.close();
  const first = await withoutMemory(() => whileFitting(started(), session, stream, inputs));
  const ways = [
    wayOf('general network', 'general', parts),
    wayOf('the same, adaptive prior', 'prior', parts),
    wayOf('specializes itself', 'live', parts),
  ];
  return {ways, fits: live.fits(), laterFit: percentiles(waits.slice(1)).p50, ...first};
}

type Count = {right: number; readonly times: Map<string, number[]>};
type Counts = {readonly requests: number} & Readonly<Record<'general' | 'prior' | 'live', Count>>;

function wayOf(way: string, which: 'general' | 'prior' | 'live', parts: readonly Counts[]): Way {
  const [inside, outside] = parts.map(({requests: all, ...of}): Part => {
    const {right, times} = of[which];
    const total = [...times.values()].reduce((sum, each) => sum + each.length * percentiles(each).p50, 0);
    return {accuracy: (100 * right) / all, milliseconds: total / all};
  });
  return {way, inside: inside!, outside: outside!};
}

/** Requests of the first spell, until a cascade is there; and of as many before the thread begins. */
async function whileFitting(
  live: Live<Manifest, string>,
  session: Session,
  stream: ReturnType<typeof streamOf>,
  inputs: readonly TypedArray[],
) {
  const spell = stream.slice(stream.findIndex(({isInside}) => isInside));
  const turn = (): Promise<void> => new Promise(resolve => setTimeout(resolve, pause));
  const timed = (at: number): number => {
    const begun = performance.now();
    session.run('task', inputs[spell[at % spell.length]!.sample]!);
    return performance.now() - begun;
  };
  const idle: number[] = [];
  for (let at = 0; at < 300; at++) {
    idle.push(timed(at));
    await turn();
  }
  let at = 0;
  while (live.fits() === 0 && at < 700) live.run(inputs[spell[at++]!.sample]!);
  const [begun, used] = [performance.now(), process.cpuUsage()];
  const busy: number[] = [];
  let isOver = false;
  const over = live.settled().then(() => {
    isOver = true;
  });
  while (!isOver) {
    busy.push(timed(busy.length));
    await turn();
  }
  await over;
  const {user, system} = process.cpuUsage(used);
  const firstFit = {seconds: (performance.now() - begun) / 1000, cpuSeconds: (user + system) / 1e6};
  await live.close();
  const shown = (times: readonly number[]): readonly [number, number] => {
    const sorted = times.toSorted((a, b) => a - b);
    return [Number(percentiles(times).p50.toPrecision(3)), Number(sorted[Math.floor(0.99 * sorted.length)]!.toPrecision(3))];
  };
  return {firstFit, calls: [shown(idle), shown(busy)] as const};
}
