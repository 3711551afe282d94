/**
 * `node build/examples/stream/overhead.js`: microseconds of CPU that scheduling adds to a request. A day of ten pictures a second on the
 * stream's catalog, its clock moved by hand; nothing is computed but decisions, accounts and records. Beside it: the networks.
 */
import {createRouter, type Executor} from 'dnnc/live';
import {load} from 'dnnc/runtime';
import {catalogFromManifest, problemOf, readProfile} from 'dnnc/schedule';
import {drawn} from './frames.js';
import {buildOnce, profileOf} from './network.js';

const [day, fps, requests] = [36_000, 10, 20_000];
const session = load(buildOnce());
const catalog = catalogFromManifest(session.manifest, readProfile(profileOf(session.manifest, {sign: fps, sky: 0})));
const all = problemOf(catalog).kinds[0]!.options.reduce((most, {energy}) => Math.max(most, energy), 0) * day * fps;
const limits = {energy: all / 2, money: 1, data: 1e9, memory: Infinity};
const pixels = new Float32Array(3 * 48 * 48);

/** Answers at once. */
const nothing: Executor = {
  async run({tasks}, answered) {
    for (const task of tasks) answered({task, label: 'x', index: 0, scores: pixels, under: null});
    return {milliseconds: 1};
  },
};

async function perRequest(isLogged: boolean): Promise<number> {
  let now = 0;
  let bytes = 0;
  const log = (line: string): void => {
    bytes += line.length;
  };
  const router = createRouter({
    ...{catalog, setting: {limits, day, idle: 0}, device: nothing, remote: nothing, clock: () => now},
    ...(isLogged && {log}),
  });
  const step = async (): Promise<void> => {
    now += 1 / fps;
    await router.submit('sign', pixels).served;
  };
  for (let n = 0; n < 2000; n++) await step();
  const started = process.cpuUsage();
  for (let n = 0; n < requests; n++) await step();
  const {user, system} = process.cpuUsage(started);
  if (isLogged) say(`a record takes ${Math.round(bytes / (requests + 2000))} bytes per request`);
  return (user + system) / requests;
}

async function networks(): Promise<number> {
  const frames = drawn(1);
  const inputs = Array.from({length: 50}, () => frames.next().value.image);
  const all = async (): Promise<void> => {
    for (const image of inputs) {
      const frame = session.frame(image);
      for (const task of ['shape', 'colour', 'number']) await frame.run(task);
    }
  };
  await all();
  const started = process.cpuUsage();
  for (let n = 0; n < 4; n++) await all();
  const {user, system} = process.cpuUsage(started);
  return (user + system) / (4 * inputs.length);
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

say(`scheduling, microseconds of CPU per request of three tasks: ${(await perRequest(false)).toFixed(1)}`);
say(`the same with a record of every decision and its reasons: ${(await perRequest(true)).toFixed(1)}`);
say(`the three networks on a picture of 48 x 48, its preparation included: ${(await networks()).toFixed(0)}`);
