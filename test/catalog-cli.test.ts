/** `dnnc build --catalog` as users run it: one directory, its log, reruns that cost nothing, interruptions, and what is refused. */
import {spawn} from 'node:child_process';
import {existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import test from 'ava';
import type {CatalogLog} from '../compiler/catalog/log.js';
import {npz, splits} from '../examples/signs/data.js';
import {load} from '../runtime/index.js';
import {cli, dnnc, documentOf, textOf, writeTiny} from './support/cli.js';
import {temporaryFolder} from './support/temporary.js';
import {hasCompiler} from './tiny-build.js';

const withCompiler = hasCompiler ? test.serial : test.serial.skip;

type Document = {
  readonly upToDate: boolean;
  readonly variants: readonly {readonly variant: string; readonly quality: {readonly value: number}}[];
  readonly catalog: CatalogLog;
};

const folder = temporaryFolder();
const at = (...name: readonly string[]): string => join(folder, ...name);
const env = {XDG_CACHE_HOME: at('cache')};
const store = at('cache', 'dnnc', 'catalog');
if (hasCompiler) {
  writeTiny(folder);
  writeFileSync(at('evaluate.npz'), npz({seed: splits.tune, count: 120}));
  writeFileSync(at('calibrate.npz'), npz({seed: splits.calibrate, count: 40}));
}
const build = [
  ...['build', at('tiny.onnx'), '--catalog', '--calibrate', at('calibrate.npz'), '--target', 'generic', '--json'],
  ...['--max-loss', '5', '--no-measure', '-o', at('out')],
];
/** All but times. */
const factsOf = ({variants, catalog}: Document) => ({
  variants: variants.map(({variant, quality}) => [variant, quality.value]),
  tried: catalog.tried.map(({seconds: _, costs, ...tried}) => [tried, costs && {...costs, p50: 0, p90: 0, cold: 0}]),
});

const files = (what: 'results' | 'networks'): readonly string[] =>
  readdirSync(join(store, what)).map(name => join(store, what, name));

/** Milliseconds: to say that a file was used rounds when it was written. */
const isOf = (time: number, file: string): boolean => Math.abs(statSync(file).mtimeMs - time) < 1;

withCompiler('one command tries what there is, keeps the front, and tells of both', async t => {
  const outcome = await dnnc(build, {env});
  t.is(outcome.code, 0, outcome.stderr);
  const {variants, catalog, upToDate} = documentOf<Document>(outcome);
  t.false(upToDate);
  t.deepEqual(
    catalog.tried.map(({recipe}) => recipe),
    ['full', 'int8', 'w8', 'w4', 'w4:32', 'stride', 'tie', 'lowrank:0.75', 'lowrank:0.6:macs', 'prune:0.75', 'input:0.86'],
  );
  t.deepEqual(
    variants.map(({variant}) => variant),
    catalog.tried.filter(({kept}) => kept).map(({task, recipe}) => `${task}/${recipe}`),
  );
  t.true(variants.length >= 2);
  for (const {variant, quality} of variants) {
    const {accuracy, costs} = catalog.tried.find(({task, recipe}) => `${task}/${recipe}` === variant)!;
    t.is(quality.value, accuracy!.value, variant);
    t.true(costs!.p50 > 0 && costs!.loadBytes > 0);
  }
  t.regex(catalog.tried.find(({recipe}) => recipe === 'lowrank:0.75')!.reason, /no layer that could be smaller/);
  const log = JSON.parse(textOf(at('out', 'build.log.json'))) as {
    readonly catalog: CatalogLog;
    readonly tasks: readonly unknown[];
  };
  t.deepEqual(log.catalog, catalog);
  t.is(log.tasks.length, 1);
  // The directory runs by itself.
  const session = load(at('out'), {target: 'generic'});
  for (const {variant} of variants) t.is(session.entry('weather', variant).variant.id, variant);
});

withCompiler(
  'again it costs nothing; a directory that was changed is made anew, a result that was lost or damaged too',
  async t => {
    const first = documentOf<Document>(await dnnc(build, {env}));
    t.true(first.upToDate);
    const written = new Map(files('results').map(file => [file, statSync(file).mtimeMs]));
    writeFileSync(at('out', 'tiny.ir'), 'not mine');
    const again = documentOf<Document>(await dnnc(build, {env}));
    t.false(again.upToDate);
    t.deepEqual(factsOf(again), factsOf(first));
    t.not(textOf(at('out', 'tiny.ir')), 'not mine');
    const redone = (): readonly string[] => files('results').filter(file => !isOf(written.get(file) ?? 0, file));
    // Of the search nothing was done again; what names the directory was written again.
    t.true(redone().length <= 1);
    const [damaged, lost] = files('results').filter(file => textOf(file).includes('"right"'));
    writeFileSync(damaged!, textOf(damaged!).replace('"right":"', '"right":"1'));
    rmSync(lost!);
    const [network] = files('networks').filter(file => statSync(file).size > 100);
    const bytes = readFileSync(network!);
    bytes[60]! ^= 1;
    writeFileSync(network!, bytes);
    const repaired = documentOf<Document>(await dnnc(build, {env}));
    t.deepEqual(factsOf(repaired).variants, factsOf(first).variants);
    t.true(existsSync(lost!));
  },
);

withCompiler(
  'a build that was killed goes on where it was, with other workers; apart from times it is that of another cache',
  async t => {
    const other = {XDG_CACHE_HOME: at('cache2')};
    const results = at('cache2', 'dnnc', 'catalog', 'results');
    const child = spawn(process.execPath, [cli, ...build, '--workers', '2'], {env: {...process.env, ...other}, stdio: 'ignore'});
    const ended = new Promise(resolve => child.once('close', resolve));
    const count = (): number => (existsSync(results) ? readdirSync(results).filter(name => name.endsWith('.json')).length : 0);
    while (child.exitCode === null && count() < 4) await new Promise(resolve => setTimeout(resolve, 20));
    child.kill('SIGKILL');
    await ended;
    const before = readdirSync(results).map(name => [name, statSync(join(results, name)).mtimeMs] as const);
    const resumed = documentOf<Document>(await dnnc([...build, '--workers', '2'], {env: other}));
    for (const [name, time] of before) if (name.endsWith('.json')) t.true(isOf(time, join(results, name)));
    t.deepEqual(factsOf(resumed), factsOf(documentOf<Document>(await dnnc(build, {env}))));
    t.deepEqual(readdirSync(at('cache2', 'dnnc', 'catalog', 'networks')).sort(), readdirSync(join(store, 'networks')).sort());
  },
);

withCompiler('where nothing is worth having it ends with 5 and says why; few samples are told', async t => {
  const models = ['build', at('tiny.onnx'), '--catalog', '--target', 'generic'];
  const [samples, data] = [['--calibrate', at('calibrate.npz')], temporaryFolder()];
  writeFileSync(join(data, 'few.npz'), npz({seed: splits.tune, count: 20}));
  const few = await dnnc(
    [...models, ...samples, '--evaluate', join(data, 'few.npz'), '--max-loss', '8', '--no-measure', '-o', at('few')],
    {
      env,
    },
  );
  t.is(few.code, 0, few.stderr);
  t.regex(few.stdout, /one of 20 samples is 5\.0 points/);
  t.regex(few.stdout, /variants tried, \d+ kept/);
  // Without samples there is only w8, which has nothing to do in a network as small as this.
  const none = await dnnc([...models, '--evaluate', at('evaluate.npz'), '-o', at('none')], {env});
  t.is(none.code, 5, none.stdout);
  t.regex(none.stderr, /catalog\.nothing: weather: .*w8 has no layer/);
  t.false(existsSync(at('none')));
});

withCompiler('what cannot be asked for is said at once', async t => {
  const refused = async (...flags: readonly string[]): Promise<string> => {
    const {code, stderr} = await dnnc(['build', at('tiny.onnx'), '--catalog', ...flags], {env, cwd: folder});
    t.is(code, 2, stderr);
    return stderr;
  };
  t.regex(await refused('--recipe', 'int8'), /catalog\.recipe/);
  t.regex(await refused('--share', 'retarget'), /catalog\.share/);
  t.regex(await refused('--workers', '0'), /workers/);
  writeFileSync(at('bare.json'), '{"tasks": {"weather": {"model": "tiny.onnx"}}}');
  const bare = await dnnc(['build', '--config', at('bare.json'), '--catalog'], {env, cwd: folder});
  t.is(bare.code, 2);
  t.regex(bare.stderr, /catalog\.evaluate.*--evaluate/s);
});
