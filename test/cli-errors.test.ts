/** What the command line does when it cannot: an exit code for each kind, words that lead to the cure, and nothing half done. */
import {spawn} from 'node:child_process';
import {chmodSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';
import test from 'ava';
import {targets} from '../codegen/targets/index.js';
import {writeNpy} from '../compiler/data/npy.js';
import {runsHere} from '../compiler/host.js';
import {tensorFrom, zeros} from '../ir/tensor.js';
import {type CliOptions, cli, type Outcome, dnnc as run, tinyModel, writeTiny} from './support/cli.js';
import {attribute, modelBytes, node, valueInfo} from './support/onnx-bytes.js';
import {temporaryFolder} from './support/temporary.js';
import {cc, hasCompiler} from './tiny-build.js';

const folder = temporaryFolder();
const model = join(folder, 'models', 'tiny.onnx');
const out = join(folder, 'out', 'tiny');
const cache = {XDG_CACHE_HOME: join(folder, 'cache')};
const dnnc = (args: readonly string[], {cwd = folder, env = {}}: CliOptions = {}): Promise<Outcome> =>
  run(args, {cwd, env: {...cache, ...env}});
const compiled = hasCompiler ? test.serial : test.serial.skip;
const target = ['--target', 'generic', '--no-measure'];

test.before(async () => {
  writeTiny(join(folder, 'models'));
  if (hasCompiler) await dnnc(['build', model, ...target, '-o', out]);
});

const file = (name: string, content: string | Uint8Array): string => {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
};

/** Files of a folder with their contents. */
const contents = (directory: string): readonly (readonly [string, string])[] =>
  readdirSync(directory, {recursive: true, encoding: 'utf8'})
    .filter(name => statSync(join(directory, name)).isFile())
    .sort()
    .map(name => [name, readFileSync(join(directory, name), 'latin1')]);

type Case = readonly [name: string, args: readonly string[], says: RegExp];

/** Ends with the code, says so on standard error, with a cure and without a stack, and prints nothing. */
const cases = (title: string, code: number, list: () => readonly Case[]): void =>
  test.serial(title, async t => {
    for (const [name, args, says] of list()) {
      const {code: got, stdout, stderr} = await dnnc(args);
      t.is(got, code, `${name}: ${stderr}`);
      t.is(stdout, '', name);
      t.regex(stderr, says, name);
      t.notRegex(stderr, /\n\s+at .*:\d+:\d+|a bug of dnnc/, name);
    }
  });

cases('2: wrong usage', 2, () => [
  ['unknown flag', ['build', model, '--fast'], /unknown option '--fast'/],
  ['unknown command', ['biuld', model], /Did you mean build/],
  ['unknown target', ['build', model, '--target', 'vax'], /vax.*\n.*native, generic/],
  ['no model', ['build'], /no model was given/],
  ['no model for bench', ['bench'], /missing required argument/],
  ['value that is no number', ['bench', model, '--seconds', 'soon'], /--seconds/],
  ['a binding of nothing', ['build', model, '--bind', 'N=2'], /N.*not a symbolic dimension/],
  ['pass that does not exist', ['build', model, '--dump-ir-after', 'magic'], /fold-constants/],
  [
    'layers in WebAssembly',
    ['bench', model, '--per-layer', '--target', 'wasm32'],
    /native code alone.*\n.*leave out --per-layer/,
  ],
  ['tuning of what is built', ['bench', folder, '--tune'], /built already.*\n.*dnnc build --tune/],
  ['form of weights', ['build', model, '--weights', 'gold'], /blob/],
  ...targets
    .filter(other => other.format === 'shared' && !runsHere(other))
    .map(
      ({name}) => [`code of ${name}`, ['bench', folder, '--target', name], /this processor has no .*\n.*dnnc targets/] as const,
    ),
]);

const hugeModel = (): Uint8Array =>
  modelBytes({
    name: 'huge',
    input: [valueInfo('x', [1, 4])],
    output: [valueInfo('y', [1, 4])],
    initializer: [{name: 'w', dims: [2 ** 40, 2 ** 10], dataType: 1, rawData: new Uint8Array(16)}],
    node: [node('MatMul', ['x', 'w'], ['y'], {name: 'product'})],
  });

const external = (location: string): Uint8Array =>
  modelBytes({
    name: 'external',
    input: [valueInfo('x', [1, 2])],
    output: [valueInfo('y', [1, 2])],
    initializer: [{name: 'w', dims: [2, 2], dataType: 1, dataLocation: 1, externalData: [{key: 'location', value: location}]}],
    node: [node('MatMul', ['x', 'w'], ['y'], {name: 'product'})],
  });

const circle = (): Uint8Array =>
  modelBytes({
    name: 'circle',
    input: [valueInfo('x', [1, 2])],
    output: [valueInfo('a', [1, 2])],
    node: [node('Add', ['x', 'b'], ['a'], {name: 'first'}), node('Relu', ['a'], ['b'], {name: 'second'})],
  });

cases('4: files that are no good', 4, () => [
  ['missing', ['build', 'nowhere.onnx'], /nowhere\.onnx.*no such file/],
  ['folder that is no build', ['run', folder, '--input', model], /not a folder that dnnc build wrote/],
  ['missing .ir', ['inspect', 'nowhere.ir'], /no such file/],
  ['empty', ['build', file('empty.onnx', '')], /empty\.onnx/],
  ['truncated', ['build', file('short.onnx', tinyModel().subarray(0, 700))], /short\.onnx/],
  [
    'random',
    [
      'build',
      file(
        'random.onnx',
        Uint8Array.from({length: 4096}, (_, i) => (i * 7919 + (i >> 3) * 104729) & 255),
      ),
    ],
    /random\.onnx/,
  ],
  ['a web page', ['build', file('page.onnx', '<!DOCTYPE html><html><body>Not Found</body></html>')], /page\.onnx.*web page/],
  ['absurd size', ['build', file('huge.onnx', hugeModel())], /"?w"?/],
  ['a circle', ['build', file('circle.onnx', circle())], /circle|cycle/],
  ['data outside its folder', ['build', file('outside.onnx', external('../../etc/passwd'))], /\.\./],
  ['data at an absolute path', ['build', file('absolute.onnx', external('/etc/passwd'))], /absolute path/],
  ['configuration that is no JSON', ['build', '--config', file('bad.json', '{')], /bad\.json/],
  ['configuration with a misspelt field', ['build', '--config', file('typo.json', '{"tasks": {"a": {"modle": "x"}}}')], /modle/],
]);

test.serial('3: everything that is not supported is listed at once', async t => {
  const graph = {
    name: 'strange',
    input: [valueInfo('x', [1, 4])],
    output: [valueInfo('y', [1, 4])],
    node: [
      node('Frobnicate', ['x'], ['a'], {name: 'first'}),
      node('Relu', ['a'], ['b'], {name: 'known'}),
      node('Twiddle', ['b'], ['y'], {name: 'second', domain: 'com.example', attribute: [attribute('k', {type: 2, i: 1})]}),
    ],
  };
  const opsetImport = [
    {domain: '', version: 17},
    {domain: 'com.example', version: 1},
  ];
  const {code, stdout, stderr} = await dnnc(['build', file('strange.onnx', modelBytes(graph, {opsetImport})), '--json']);
  t.is(code, 3, stderr);
  t.is(stdout, '');
  for (const word of ['first', 'Frobnicate', 'second', 'Twiddle']) t.true(stderr.includes(word), `${word}: ${stderr}`);
  t.false(stderr.includes('known"'), stderr);
});

compiled('2 and 4: inputs that do not fit', async t => {
  const wrong = join(folder, 'wrong.npy');
  writeNpy(wrong, zeros('f32', [1, 3, 7]));
  const right = join(folder, 'right.npy');
  writeNpy(right, zeros('u8', [48, 48, 3]));
  const whole = join(folder, 'whole.npy');
  writeNpy(whole, tensorFrom('i64', [2], [1, 2]));
  const runs: readonly (readonly [code: number, args: readonly string[], says: RegExp])[] = [
    [4, ['--input', wrong], /wrong\.npy|pixels/],
    [4, ['--input', whole], /whole\.npy|pixels/],
    [4, ['--input', 'nowhere.npy'], /nowhere\.npy/],
    [4, ['--input', file('page.png', '<html>')], /page\.png/],
    [2, ['--input', model], /tiny\.onnx/],
    [2, [], /no file was given for this input/],
    [2, ['--input', right, '--input', right], /1 input/],
  ];
  for (const [code, args, says] of runs) {
    const {code: got, stderr} = await dnnc(['run', out, ...args]);
    t.is(got, code, stderr);
    t.regex(stderr, says);
  }
});

test.serial('without a C compiler: which were tried, and what to do', async t => {
  const env = {PATH: join(folder, 'models'), CC: undefined, DNNC_CC: undefined};
  const {code, stderr} = await dnnc(['build', model, '-o', join(folder, 'no-cc')], {env});
  t.is(code, 2, stderr);
  t.regex(stderr, /cc, gcc, clang.*\n.*install gcc or clang, or set CC/);
  t.false(readdirSync(folder).some(name => name.includes('no-cc')));
});

compiled('a folder with files of others is refused, and stays as it is', async t => {
  const place = join(folder, 'holiday');
  mkdirSync(place);
  writeFileSync(join(place, 'photo.jpg'), 'precious');
  const {code, stderr} = await dnnc(['build', model, ...target, '-o', place]);
  t.is(code, 4, stderr);
  t.regex(stderr, /has files that dnnc did not write/);
  t.deepEqual(contents(place), [['photo.jpg', 'precious']]);
});

(hasCompiler && process.getuid?.() !== 0 ? test.serial : test.serial.skip)('a place that cannot be written', async t => {
  const place = join(folder, 'locked');
  mkdirSync(place);
  chmodSync(place, 0o555);
  const {code, stderr} = await dnnc(['build', model, ...target, '-o', join(place, 'tiny')]);
  t.is(code, 4, stderr);
  t.regex(stderr, /cannot be written \(EACCES\)/);
});

compiled('a file where the folder should be', async t => {
  const {code, stderr} = await dnnc(['build', model, ...target, '-o', file('taken', 'mine')]);
  t.is(code, 4, stderr);
  t.is(readFileSync(join(folder, 'taken'), 'utf8'), 'mine');
});

compiled('a build that fails leaves the one before', async t => {
  const before = contents(out);
  t.true(before.length > 5);
  const broken = file('cc', `#!/bin/sh\n[ "$1" = --version ] && exec ${cc} --version\necho no disk today >&2\nexit 1\n`);
  chmodSync(broken, 0o755);
  const {code, stderr} = await dnnc(['build', model, ...target, '-o', out], {env: {DNNC_CC: broken}});
  t.is(code, 1, stderr);
  t.regex(stderr, /no disk today/);
  t.deepEqual(contents(out), before);
  t.deepEqual(readdirSync(join(folder, 'out')), ['tiny']);
});

compiled('an interrupted build leaves the one before, and nothing else', async t => {
  const before = contents(out);
  const slow = file('slow-cc', `#!/bin/sh\n[ "$1" = --version ] && exec ${cc} --version\nexec sleep 20\n`);
  chmodSync(slow, 0o755);
  const env = {...process.env, ...cache, DNNC_CC: slow};
  const child = spawn(process.execPath, [cli, 'build', model, ...target, '-o', out], {env, stdio: 'ignore', detached: true});
  const ended = new Promise<number | null>(resolve => child.once('exit', resolve));
  const there = (): string[] => readdirSync(join(folder, 'out'));
  for (let i = 0; i < 600 && there().length < 2 && child.exitCode === null; i++) await sleep(50);
  t.is(there().length, 2);
  await sleep(300); // into the C compiler
  process.kill(-child.pid!, 'SIGINT'); // the group, as a terminal does
  t.is(await ended, 130);
  t.deepEqual(there(), ['tiny']);
  t.deepEqual(contents(out), before);
});

test.serial('who stops reading ends it without a word', async t => {
  const child = spawn(process.execPath, [cli, 'ops', '--json'], {stdio: ['ignore', 'pipe', 'pipe']});
  const said: Buffer[] = [];
  child.stderr.on('data', (part: Buffer) => said.push(part));
  // Nobody listens any more before the first word: every write fails.
  child.stdout.destroy();
  const code = await new Promise<number | null>(resolve => child.once('close', resolve));
  t.is(code, 0);
  t.is(Buffer.concat(said).toString(), '');
});
