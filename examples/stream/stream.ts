/**
 * `npm run stream`: a camera asks four questions about what it sees, within budgets of energy, money and data. Which variant answers,
 * and where, is decided frame by frame; at the end the record of all decisions is replayed.
 */
import {type ChildProcess, spawn} from 'node:child_process';
import {setTimeout as sleep} from 'node:timers/promises';
import {createRouter, deviceExecutor, httpLink, type LiveSummary, type Router, remoteExecutor, type TaskAnswer} from 'dnnc/live';
import {DnncRuntimeError, load, type Session} from 'dnnc/runtime';
import {catalogFromManifest, type Limits, type Problem, problemOf, readProfile} from 'dnnc/schedule';
import {alternating, replay} from 'dnnc/simulate';
import {nameOf, type Task, taskNames} from '../signs/tasks.js';
import {flags} from './flags.js';
import {drawn, type Frame, fromFolder} from './frames.js';
import {openLog} from './log.js';
import {buildOnce, cli, profileOf} from './network.js';
import {viewOf} from './view.js';

/** What the best answers to all expected requests would take, times `part`. */
function defaults({kinds}: Problem, seconds: number, part: number): Pick<Limits, 'energy' | 'money'> {
  const best = (place: 'device' | 'cloud', of: 'energy' | 'money'): number =>
    kinds.reduce((sum, {options, rate}) => {
      const [first] = options.filter(option => option.place === place).sort((a, b) => b.value - a.value || a[of] - b[of]);
      return sum + part * seconds * rate * (first?.[of] ?? 0);
    }, 0);
  return {energy: best('device', 'energy'), money: best('cloud', 'money')};
}

/** Starts `dnnc serve`; its address. */
async function serve(directory: string): Promise<{readonly url: string; readonly child: ChildProcess}> {
  const child = spawn(process.execPath, [cli, 'serve', directory, '--port', '0', '--json'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let text = '';
  for await (const chunk of child.stdout!) {
    text += String(chunk);
    if (text.includes('\n}')) return {url: (JSON.parse(text) as {readonly url: string}).url, child};
  }
  throw new Error('dnnc serve ended before it said where it listens');
}

/** Says when the connection comes and goes, as the seed has it. */
async function breakConnections(router: Router, until: number, signal: AbortSignal): Promise<void> {
  const [least, most] = flags.outages;
  const began = performance.now();
  for (const [from, to] of alternating(flags.seed, until, least, most))
    for (const [time, up] of [
      [from, false],
      [to, true],
    ] as const) {
      await sleep(Math.max(0, 1000 * time - (performance.now() - began)), undefined, {signal});
      router.setLink(up);
    }
}

type Score = {right: number; asked: number};

/** The address that was given, if somebody answers there. */
async function reached(url: string): Promise<string> {
  if (await httpLink({url}).probe()) return url;
  throw new DnncRuntimeError('remote.unreachable', url, 'does not answer', 'start a server there: dnnc serve DIR --port N');
}

/** One line where it is clear what is wrong; the server that was started here ends in any case. */
async function run(): Promise<void> {
  let child: ChildProcess | undefined;
  try {
    const directory = flags.build ?? buildOnce();
    const session = load(directory);
    const {server = true} = flags;
    const started = server === true ? await serve(directory) : undefined;
    child = started?.child;
    await stream(session, started?.url ?? (typeof server === 'string' ? await reached(server) : null));
  } catch (error) {
    if (!(error instanceof DnncRuntimeError || error instanceof RangeError || (error as NodeJS.ErrnoException).code)) throw error;
    process.stderr.write(`${(error as Error).message}\n`);
    process.exitCode = 4;
  } finally {
    child?.kill();
  }
}

async function stream(session: Session, url: string | null): Promise<void> {
  const log = flags.log === undefined ? null : openLog(flags.log);
  const day = 3600 * flags.hours;
  const speed = day / flags.seconds;
  const rate = flags.fps / speed;
  const profile = readProfile(profileOf(session.manifest, {sign: rate, sky: rate / 5}, flags));
  const catalog = catalogFromManifest(session.manifest, profile);
  const problem = problemOf(catalog);
  const usual = defaults(problem, day, 0.5);
  const {energy = usual.energy, money = usual.money, data = Infinity, memory = Infinity} = flags;
  const setting = {limits: {energy, money, data, memory}, day, idle: 0};
  const device = deviceExecutor({session, ...(flags.watts !== undefined && {watts: flags.watts})});
  const link = url === null ? null : httpLink({url});
  const lines: string[] = [];
  const keep = (line: string): void => {
    lines.push(line);
    log?.write(line);
  };
  const router = createRouter({
    ...{catalog, setting, device, policy: flags.policy, log: keep},
    clock: () => (speed * performance.now()) / 1000,
    ...(link && {remote: remoteExecutor({manifest: session.manifest, send: link.send, runTo: device.runTo}), probe: link.probe}),
  });
  const ended = new AbortController();
  const connections = link ? breakConnections(router, flags.seconds, ended.signal).catch(() => undefined) : null;
  const scores = new Map<string, Score>();
  const view = flags.json ? null : viewOf(setting.limits);
  const frames: Iterator<Frame, never> = flags.folder === undefined ? drawn(flags.seed) : fromFolder(flags.folder);
  const running = new Set<Promise<void>>();
  const began = performance.now();

  async function watch(request: string, frame: Frame): Promise<void> {
    const answers: TaskAnswer[] = [];
    const time = (performance.now() - began) / 1000;
    const submission = router.submit(request, frame.image);
    for await (const answer of submission) answers.push(answer);
    const served = await submission.served;
    const {tasks} = catalog.requests.find(({name}) => name === request)!;
    for (const {name} of tasks) count(name, answers.find(({task}) => task === name)?.label, frame, scores);
    const picture = frame.labels ? (frame.image.data as Uint8Array) : null;
    const {connected} = router;
    view?.show({time, served, answers, connected, picture}, router.summary);
  }

  for (let n = 0; n < flags.seconds * flags.fps; n++) {
    await sleep(Math.max(0, (1000 * n) / flags.fps - (performance.now() - began)));
    const frame = frames.next().value;
    for (const {name} of catalog.requests) {
      if (name === 'sky' && n % 5 > 0) continue;
      const watching = watch(name, frame).finally(() => running.delete(watching));
      running.add(watching);
    }
  }
  await Promise.all(running);
  ended.abort();
  await connections;
  await router.close();
  view?.end();
  log?.close();
  const started = performance.now();
  const {requests} = replay({name: flags.log ?? 'the record', lines}, problem);
  const replayed = {requests, lines: lines.length, seconds: (performance.now() - started) / 1000};
  tell(router.summary(), setting.limits, scores, replayed);
}

function count(task: string, label: string | undefined, {labels}: Frame, scores: Map<string, Score>): void {
  const name = taskNames.find(each => each === task) as Task | undefined;
  if (!labels || !name) return;
  const score = scores.get(task) ?? {right: 0, asked: 0};
  scores.set(task, score);
  score.asked++;
  if (label === nameOf(name, labels[name])) score.right++;
}

const percent = ({right, asked}: Score): number => (asked > 0 ? (100 * right) / asked : 0);

type Replayed = {readonly requests: number; readonly lines: number; readonly seconds: number};

function tell(summary: LiveSummary, limits: Limits, scores: ReadonlyMap<string, Score>, replayed: Replayed): void {
  const {requests, served, refused, used, overspent, waits, failures, rates, decisionsPerSecond, latencies, paged} = summary;
  const accuracy = Object.fromEntries([...scores].map(([task, score]) => [task, percent(score)]));
  const microseconds = 1e6 / decisionsPerSecond;
  if (flags.json) {
    const finite = Object.fromEntries(Object.entries(limits).filter(([, limit]) => limit < Infinity));
    const document = {
      requests,
      served,
      refused,
      accuracy,
      expectedAccuracy: summary.accuracy,
      used,
      overspent,
      limits: finite,
      failures,
      waits,
      rates,
    };
    process.stdout.write(
      `${JSON.stringify({...document, latencies, loads: paged, decisionMicroseconds: microseconds, ...{replayed: replayed.requests, lines: replayed.lines, replaySeconds: replayed.seconds}}, null, 2)}\n`,
    );
    return;
  }
  const say = (line: string): void => void process.stdout.write(`${line}\n`);
  say(
    `${requests} requests: ${served.device} answered on the device, ${served.cloud} by the server, ${served.split} by both, ${served.none} not${refused > 0 ? ` (${refused} for want of time)` : ''}`,
  );
  say(
    `right answers, of all: ${
      Object.entries(accuracy)
        .map(([task, value]) => `${task} ${value.toFixed(1)}%`)
        .join(', ') || 'nobody knows'
    }`,
  );
  say(
    `used: ${used.energy.toFixed(3)} of ${limits.energy.toFixed(3)} J, $${used.money.toExponential(2)} of ${limits.money.toExponential(2)}, ${used.data} bytes sent${overspent ? '; an execution took more than was expected at most, and than was left' : ''}`,
  );
  if (waits)
    say(
      `answers after ${waits.p50.toFixed(1)} ms, 95% within ${waits.p95.toFixed(1)} ms; ${failures} executions failed; a decision took ${microseconds.toFixed(0)} us`,
    );
  say(
    `replayed from ${replayed.lines} lines in ${replayed.seconds.toFixed(1)} s: ${replayed.requests} requests, the same decisions to the last bit`,
  );
}

await run();
