/** Energy, price and cold time from the command line to the manifest, and on to a simulated day. */
import {mkdirSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import test from 'ava';
import {build} from '../compiler/build.js';
import {findRapl} from '../compiler/energy/rapl.js';
import {cpuModel, targetsNamed} from '../compiler/host.js';
import {resolveTasks} from '../compiler/tasks.js';
import {npz, splits} from '../examples/signs/data.js';
import {load, type Manifest, readManifest} from '../runtime/index.js';
import {documentOf, dnnc as run, textOf, writeTiny} from './support/cli.js';
import {temporaryFolder} from './support/temporary.js';
import {hasCompiler} from './tiny-build.js';

const folder = temporaryFolder();
const out = join(folder, 'out');
const dnnc = (...args: readonly string[]) => run(args, {env: {XDG_CACHE_HOME: join(folder, 'cache')}});
const compiled = hasCompiler ? test.serial : test.serial.skip;

const own = {
  ...{schema: 1, name: 'own', kind: 'phone', summary: 'a device of the user'},
  coefficients: {
    float: {value: 1000, unit: 'pJ/MAC', source: 'a test'},
    floatTime: {value: 9, unit: 'ms/GMAC', source: 'a test'},
  },
};

test.before(() => {
  mkdirSync(join(folder, 'models'));
  writeTiny(join(folder, 'models'));
  writeFileSync(join(folder, 'models', 'evaluate.npz'), npz({seed: splits.evaluate, count: 20}));
  const config = JSON.parse(textOf(folder, 'models', 'dnnc.config.json')) as object;
  writeFileSync(join(folder, 'models', 'own.json'), JSON.stringify(own));
  writeFileSync(join(folder, 'models', 'dnnc.config.json'), JSON.stringify({...config, profiles: ['own.json', 'pixel-3']}));
});

const buildArgs = (): readonly string[] => [
  ...['build', join(folder, 'models', 'tiny.onnx'), '--target', 'generic', '-o', out, '--profile', 'aws-c7i-large'],
  ...['--evaluate', join(folder, 'models', 'evaluate.npz')],
];

compiled('profiles of the configuration and of the command line end in the manifest; building again gives the same', async t => {
  const first = await dnnc(...buildArgs(), '--json');
  t.is(first.code, 0, first.stderr);
  const manifest = readManifest(JSON.parse(textOf(out, 'manifest.json')));
  const [variant] = manifest.variants;
  t.deepEqual(variant!.energy?.own, {
    ...{millijoules: Number((variant!.macs * 1e-6).toPrecision(4)), source: 'modelled', profile: 'own'},
  });
  const {millijoules, interval} = variant!.energy!['pixel-3']!;
  t.true(interval![0] < millijoules && millijoules < interval![1]);
  t.deepEqual(Object.keys(variant!.price ?? {}), ['aws-c7i-large']);
  t.true(variant!.price!['aws-c7i-large']!.dollars > 0);
  const {cold, p50} = variant!.latency!.generic!;
  t.true(p50 > 0 && cold !== undefined && cold >= 0);
  const {variants} = documentOf<{variants: readonly Manifest['variants'][number][]}>(first);
  t.deepEqual(variants[0]!.energy, variant!.energy);
  t.deepEqual(variants[0]!.price, variant!.price);
  const again = await dnnc(...buildArgs());
  t.is(again.code, 0, again.stderr);
  t.regex(again.stdout, /cold/);
  t.regex(again.stdout, /variant +own +pixel-3 +aws-c7i-large/);
  t.deepEqual(JSON.parse(textOf(out, 'manifest.json')), manifest as unknown);
  t.regex(textOf(out, 'manifest.ts'), /'pixel-3': \{\s*millijoules/);
});

compiled('a session gives back the memory of its weights and answers as before', t => {
  const session = load(out);
  const pixels = Float32Array.from({length: 3 * 48 * 48}, (_, i) => i % 7);
  const {scores} = session.run('weather', pixels);
  const bytes = session.unload();
  t.true(bytes >= session.manifest.weights.bytes);
  t.deepEqual(session.run('weather', pixels).scores, scores);
});

compiled('a meter that is given counts what calls take, once: building again remembers', async t => {
  process.env.XDG_CACHE_HOME = join(folder, 'cache');
  const {tasks} = resolveTasks({models: [join(folder, 'models', 'tiny.onnx')]});
  const options = {directory: join(folder, 'metered'), name: 'tiny', targets: targetsNamed(['generic']), measure: false};
  // A machine that takes 10 W while this process computes, and nothing otherwise.
  const joules = (): number => {
    const {user, system} = process.cpuUsage();
    return (user + system) / 1e5;
  };
  const {manifest} = await build(tasks, {...options, meter: {zones: ['package-0'], joules}});
  const {millijoules, source, profile, interval, host} = manifest.variants[0]!.energy!.generic!;
  t.deepEqual({source, profile, host}, {source: 'measured', profile: 'rapl', host: cpuModel()});
  t.true(interval![0] <= millijoules && millijoules <= interval![1] && interval![0] > 0);
  const broken = (): number => {
    throw new Error('asked again');
  };
  const again = await build(tasks, {...options, meter: {zones: [], joules: broken}});
  t.deepEqual(again.manifest, manifest);
});

const day = (parts: object): string => {
  const requests = [{name: 'frame', tasks: [{name: 'weather'}], rate: 1, inputBytes: 7000}];
  const file = join(folder, 'day.json');
  writeFileSync(file, JSON.stringify({schema: 1, name: 'named', requests, ...parts}));
  return file;
};
const cloud = {profile: 'aws-c7i-large'};
const link = {profile: 'pixel-3', over: 'wifi', milliseconds: 50};

compiled('simulate takes device, link and cloud by name', async t => {
  const device = {profile: 'pixel-3', loadJoulesPerMegabyte: 0.02};
  const args = ['simulate', out, '--generate', 'poisson', '--energy', '50', '--money', '1', '--json', '--profile'];
  const named = await dnnc(...args, day({device, link, cloud}));
  t.is(named.code, 0, named.stderr);
  const [variant] = (JSON.parse(textOf(out, 'manifest.json')) as Manifest).variants;
  const {millijoules} = variant!.energy!['pixel-3']!;
  const {budgets, served, requests} = documentOf<{
    budgets: {energy: {used: number}};
    served: {device: number};
    requests: number;
  }>(named);
  t.is(served.device, requests);
  // Each call as the manifest models it, and one load of a few kilobytes.
  t.true(Math.abs(budgets.energy.used - (requests * millijoules) / 1000) < 0.001, `${budgets.energy.used}`);
  for (const [parts, says] of [
    [
      {device: 'pixel-3', link, cloud},
      /profile\.coefficient: .*device\.loadJoulesPerMegabyte: pixel-3 has no coefficient "load"/,
    ],
    [{device, link: {...link, over: 'smoke'}, cloud}, /profile\.link/],
    [{device: {profile: 'pixel-9'}, link, cloud}, /profile\.unknown/],
  ] as const)
    t.regex((await dnnc(...args, day(parts))).stderr, says);
});

test.serial('profiles: all of them, or one with its sources', async t => {
  const all = await dnnc('profiles');
  t.is(all.code, 0, all.stderr);
  for (const name of ['pixel-1', 'raspberry-pi-4', 'stm32l4r5', 'aws-g4dn-xlarge', 'rapl measures'])
    t.true(all.stdout.includes(name), name);
  t.regex((await dnnc('profiles', 'jetson-tk1')).stdout, /MCDNN/);
  const {profiles} = documentOf<{profiles: readonly {name: string}[]}>(await dnnc('profiles', '--json'));
  t.true(profiles.length >= 8);
  t.is((await dnnc('profiles', 'fridge')).code, 2);
});

const unmetered = 'why' in findRapl() ? compiled : test.serial.skip;
unmetered('where the machine has no meter, asking for it is an error that says so, and nothing is built', async t => {
  const {code, stderr} = await dnnc(
    'build',
    join(folder, 'models', 'tiny.onnx'),
    '-o',
    join(folder, 'none'),
    '--profile',
    'rapl',
  );
  t.is(code, 4);
  t.regex(stderr, /profile\.meter: rapl: this machine's energy cannot be measured/);
});
