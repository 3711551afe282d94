/** Every command as users run it, on one small build. Documents have the fields that the README states. */
import {existsSync, readdirSync, readFileSync, statSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import test from 'ava';
import {PNG} from 'pngjs';
import {writeNpy} from '../compiler/data/npy.js';
import {dataset, npz, splits} from '../examples/signs/data.js';
import {parse} from '../ir/parse.js';
import {tensorFrom} from '../ir/tensor.js';
import {fromWire, load, toWire} from '../runtime/index.js';
import {documentOf, type Outcome, dnnc as run, textOf, writeTiny} from './support/cli.js';
import {temporaryFolder} from './support/temporary.js';
import {hasCompiler} from './tiny-build.js';

const folder = temporaryFolder();
const models = join(folder, 'models');
const model = join(models, 'tiny.onnx');
const out = join(folder, 'out');
const dnnc = (...args: readonly string[]): Promise<Outcome> => run(args, {env: {XDG_CACHE_HOME: join(folder, 'cache')}});
const compiled = hasCompiler ? test.serial : test.serial.skip;

type Built = {
  directory: string;
  name: string;
  tasks: string[];
  seconds: number;
  variants: Record<string, unknown>[];
  shared: unknown[];
};
let built: Outcome = {code: -1, stdout: '', stderr: ''};

test.before(async () => {
  writeTiny(models);
  writeFileSync(join(models, 'evaluate.npz'), npz({seed: splits.evaluate, count: 20}));
  if (hasCompiler) built = await dnnc('build', model, '--target', 'generic', '-o', out, '--json');
});

/** Exit code 0, one document, and nothing on standard error. */
function document<T>(t: {is(a: unknown, b: unknown): void}, outcome: Outcome): T {
  t.is(outcome.stderr, '');
  t.is(outcome.code, 0);
  return documentOf<T>(outcome);
}

const filesOf = (directory: string): string[] =>
  readdirSync(directory, {recursive: true, encoding: 'utf8'})
    .filter(file => statSync(join(directory, file)).isFile())
    .sort();

compiled('build: the document, and the files that it stands for', t => {
  const {directory, name, tasks, seconds, variants, shared} = document<Built>(t, built);
  t.is(directory, out);
  t.is(name, 'tiny');
  t.deepEqual(tasks, ['weather']);
  t.true(seconds > 0);
  t.deepEqual(shared, []);
  t.like(variants[0], {task: 'weather', recipe: 'full', variant: 'weather/full', macs: 12 * 12 * 8 * 48 + 40});
  for (const field of ['weightBytes', 'arenaBytes', 'arenaLowerBound']) t.is(typeof variants[0]?.[field], 'number', field);
  const files = filesOf(out);
  for (const file of ['tiny.h', 'tiny.c', 'tiny.weights', 'CMakeLists.txt', 'Makefile', 'tiny.generic.so', 'manifest.ts'])
    t.true(files.includes(file), file);
  for (const file of ['manifest.json', 'tiny.ir', 'tiny.plan', 'build.log.json']) t.true(files.includes(file), file);
  t.true(files.some(file => file.startsWith('kernels')));
  t.false(readdirSync(folder).some(file => file.includes('.partial')));
});

compiled('build: the same again, byte for byte', async t => {
  const again = join(folder, 'again');
  const outcome = await dnnc('build', model, '--target', 'generic', '-o', again);
  t.is(outcome.code, 0, outcome.stderr);
  t.deepEqual(filesOf(again), filesOf(out));
  for (const file of filesOf(out)) t.deepEqual(readFileSync(join(again, file)), readFileSync(join(out, file)), file);
});

compiled('report: a real build as a page; the memory that is drawn is the memory that it takes', async t => {
  const page = join(folder, 'out.html');
  const {file, bytes, variants} = document<{file: string; bytes: number; variants: number}>(
    t,
    await dnnc('report', out, '--json'),
  );
  t.deepEqual([file, bytes, variants], [page, statSync(page).size, 1]);
  const text = readFileSync(page, 'utf8');
  t.true(text.includes('weather/full'));
  t.true(text.includes('The graph of operations'));
  t.false(text.includes('Kernels were chosen otherwise'));
});

test.serial('inspect: the document', async t => {
  type Head = {
    task: string;
    macs: number;
    arenaBytes: number;
    layers: {op: string; type: string; origin: string}[];
    cuts: object[];
  };
  const {name, heads} = document<{name: string; heads: Head[]}>(t, await dnnc('inspect', model, '--json'));
  t.is(name, 'tiny');
  t.is(heads[0]?.task, 'weather');
  t.is(heads[0]?.macs, 55_336);
  t.true((heads[0]?.arenaBytes ?? 0) > 0);
  t.true(heads[0]?.layers.some(({op, type, origin}) => op === 'conv2d' && type === 'f32[1,8,12,12]' && origin.includes('see')));
  t.true((heads[0]?.cuts.length ?? 0) > 0);
});

test.serial('inspect: IR that can be read and inspected again, and a drawing', async t => {
  const svg = join(folder, 'tiny.svg');
  const printed = await dnnc('inspect', model, '--ir', '--svg', svg);
  t.is(printed.code, 0, printed.stderr);
  const module = parse(printed.stdout, {blobs: (_, {shape}) => new Uint8Array(4 * shape.reduce((n, d) => n * d, 1))});
  t.deepEqual(
    module.heads.map(head => head.name),
    ['weather'],
  );
  t.true(isWellFormed(textOf(svg)));

  const file = join(folder, 'tiny.ir');
  writeFileSync(file, printed.stdout);
  const {heads} = document<{heads: {macs: number}[]}>(t, await dnnc('inspect', file, '--json'));
  t.is(heads[0]?.macs, 55_336);
});

/** Every element is closed, in order, and there is one root. */
function isWellFormed(xml: string): boolean {
  const open: string[] = [];
  let roots = 0;
  for (const [, closing, name, rest] of xml.replace(/<(\?|!)[^>]*>/g, '').matchAll(/<(\/?)([\w:]+)((?:[^">]|"[^"]*")*)>/g)) {
    if (closing === '/') {
      if (open.pop() !== name) return false;
    } else if (!rest?.endsWith('/')) {
      if (open.length === 0) roots++;
      open.push(name!);
    }
  }
  return open.length === 0 && roots === 1;
}

compiled('run: a picture and its bytes get one answer', async t => {
  const {image} = [...dataset({seed: splits.evaluate, count: 1})][0]!;
  const png = new PNG({width: 48, height: 48});
  for (let at = 0; at < 48 * 48; at++) png.data.set([...image.subarray(3 * at, 3 * at + 3), 255], 4 * at);
  const [picture, array, results] = ['one.png', 'one.npy', 'results'].map(name => join(folder, name)) as [string, string, string];
  writeFileSync(picture, PNG.sync.write(png));
  writeNpy(array, tensorFrom('u8', [48, 48, 3], image));
  type Answers = {results: {task: string; variant: string; label: string; index: number; score: number}[]};
  const ofPicture = document<Answers>(t, await dnnc('run', out, '--input', picture, '--json'));
  const ofArray = document<Answers>(
    t,
    await dnnc('run', out, '--input', array, '--task', 'weather', '--output', results, '--json'),
  );
  const [answer] = ofPicture.results;
  t.like(answer, {task: 'weather', variant: 'weather/full'});
  t.true(['clear', 'rain', 'fog', 'night', 'snow'].indexOf(answer!.label) === answer!.index);
  t.like(ofArray.results[0], {label: answer!.label, score: answer!.score});
  t.true(existsSync(join(results, 'logits.npy')));
});

compiled('verify: agrees with the reference evaluator, and with onnxruntime', async t => {
  type Verified = {ok: boolean; results: Record<string, unknown>[]};
  const {ok, results} = document<Verified>(t, await dnnc('verify', out, '--json'));
  t.true(ok);
  t.true(results.some(({against}) => against === 'reference'));
  for (const result of results) {
    t.like(result, {task: 'weather', variant: 'weather/full', sameLabel: true});
    t.true((result['maxRelative'] as number) < 1e-5);
    t.is(typeof result['maxAbsolute'], 'number');
  }
});

compiled('bench: median and tails, beside onnxruntime', async t => {
  type Times = {p10: number; p50: number; p90: number};
  type Result = {task: string; variant: string; target: string; threads: number; ours: Times; onnxruntime: Times; ratio: number};
  const outcome = await dnnc('bench', out, '--against', 'onnxruntime', '--seconds', '1', '--json');
  const [result] = document<{results: Result[]}>(t, outcome).results;
  t.like(result, {task: 'weather', variant: 'weather/full', target: 'generic', threads: 1});
  for (const {p10, p50, p90} of [result!.ours, result!.onnxruntime]) t.true(p10 > 0 && p10 <= p50 && p50 <= p90);
  t.true(Math.abs(result!.ratio - result!.onnxruntime.p50 / result!.ours.p50) < 0.01);
});

compiled('build --tune: the regret of the cost models, found once and remembered', async t => {
  type Tuning = {layers: number; changed: number; modelMicroseconds: number; tunedMicroseconds: number};
  const tune = () => dnnc('build', model, '--tune', '-o', join(folder, 'tuned'), '--no-measure', '--json');
  const {tuning} = document<{tuning: Tuning}>(t, await tune());
  t.is(tuning.layers, 2);
  t.true(tuning.changed <= 2 && tuning.tunedMicroseconds > 0 && tuning.tunedMicroseconds <= tuning.modelMicroseconds);
  t.deepEqual(document<{tuning: Tuning}>(t, await tune()).tuning, tuning);
});

compiled('evaluate: data from the flag and from the configuration beside the model', async t => {
  type Results = {
    results: {task: string; variant: string; metric: string; n: number; correct: number; value: number; interval: number[]}[];
  };
  type Compared = {results: {onnxruntime: {correct: number}; same: number}[]};
  const [given, configured, compared] = await Promise.all([
    dnnc('evaluate', out, '--data', `weather=${join(models, 'evaluate.npz')}`, '--json'),
    dnnc('evaluate', out, '--json'),
    dnnc('evaluate', out, '--against', 'onnxruntime', '--json'),
  ]);
  const {results} = document<Results>(t, given!);
  t.like(results[0], {task: 'weather', variant: 'weather/full', metric: 'top1', n: 20});
  const {correct, value, interval} = results[0]!;
  t.is(value, 5 * correct);
  t.true(interval[0]! <= value && value <= interval[1]!);
  t.deepEqual(document<Results>(t, configured!).results, results);
  const [peer] = document<Compared>(t, compared!).results;
  t.is(peer?.same, 20);
  t.is(peer?.onnxruntime.correct, correct);
});

compiled('evaluate --per-class: rows of the confusion matrix add up', async t => {
  type Row = {label: string; n: number; correct: number; value: number; answers: {label: string; n: number}[]};
  const {results} = document<{results: {n: number; correct: number; classes: Row[]}[]}>(
    t,
    await dnnc('evaluate', out, '--per-class', '--json'),
  );
  const [{n, correct, classes} = {n: 0, correct: 0, classes: []}] = results;
  const sum = (of: (row: Row) => number): number => classes.reduce((total, row) => total + of(row), 0);
  t.is(
    sum(row => row.n),
    n,
  );
  t.is(
    sum(row => row.correct),
    correct,
  );
  for (const {label, n: own, correct: right, value, answers} of classes) {
    t.true(['clear', 'rain', 'fog', 'night', 'snow'].includes(label));
    t.is(
      answers.reduce((total, answer) => total + answer.n, 0),
      own,
    );
    t.is(answers.find(answer => answer.label === label)?.n ?? 0, right);
    t.is(value, Number(((100 * right) / own).toFixed(2)));
  }
  t.regex((await dnnc('evaluate', out, '--per-class')).stdout, /class +right +correct +else taken for/);
});

compiled('calibration, and accuracy in a context', async t => {
  type Built = {variants: {calibration: {temperature: number; frequencies: number[]; n: number}}[]};
  type Results = {results: {value: number; context: {classes: number[]; share: number; raw: number; corrected: number}}[]};
  const place = join(folder, 'calibrated');
  const data = join(models, 'evaluate.npz');
  const flags = ['--target', 'generic', '--calibrate', data, '--no-measure', '-o', place, '--json'];
  const [variant] = document<Built>(t, await dnnc('build', model, ...flags)).variants;
  const {temperature, frequencies, n} = variant!.calibration;
  t.is(n, 20);
  t.true(temperature > 0 && Math.abs(frequencies.reduce((a, b) => a + b, 0) - 1) < 1e-4);
  const [result] = document<Results>(t, await dnnc('evaluate', place, '--context', 'rain,snow@0.9', '--json')).results;
  const {classes, share, raw, corrected} = result!.context;
  t.is(classes.length, 2);
  t.is(share, 0.9);
  for (const value of [raw, corrected]) t.true(value >= 0 && value <= 100);
});

compiled('splits: what is sent, and what accuracy it leaves', async t => {
  type Split = {cut: string; low: number; step: number; bytes: number; inputBytes: number; quality: {value: number; n: number}};
  const place = join(folder, 'split');
  const data = join(models, 'evaluate.npz');
  const flags = ['--target', 'generic', '--cuts', 'all', '--calibrate', data, '--evaluate', data, '--no-measure', '-o', place];
  const [variant] = document<{variants: {splits: Split[]}[]}>(t, await dnnc('build', model, ...flags, '--json')).variants;
  const [split] = variant!.splits;
  t.true(split!.bytes < split!.inputBytes);
  t.is(split!.quality.n, 20);
  const session = load(place);
  const [input] = session.entry('weather').newInputs();
  const pixels = (input as Float32Array).map((_, i) => Math.sin(i));
  const activation = session.runTo('weather', split!.cut, pixels) as Float32Array;
  const arrived = fromWire(toWire(activation, split!), split!);
  activation.forEach((value, i) => {
    const held = Math.min(Math.max(value, split!.low), split!.low + 255 * split!.step);
    t.true(Math.abs(arrived[i]! - held) <= 0.5001 * split!.step);
  });
  t.is(session.runFrom('weather', split!.cut, arrived).scores.length, 5);
});

test.serial('ops and targets', async t => {
  type Ops = {operators: {operator: string; sets: string; runs: string}[]; ops: {name: string; summary: string}[]};
  const [ops, targets, help] = await Promise.all([dnnc('ops', '--json'), dnnc('targets', '--json'), dnnc('--help')]);
  const {operators, ops: own} = document<Ops>(t, ops!);
  t.true(operators.some(({operator, runs}) => operator === 'Conv' && runs === 'kernel conv2d'));
  t.true(own.every(({name, summary}) => name !== '' && summary !== ''));
  if (hasCompiler) {
    type Targets = {host: {cpu: string; native: string; compiler: string}; targets: {name: string; runsHere: boolean}[]};
    const {host, targets: all} = document<Targets>(t, targets!);
    t.like(all[0], {name: 'generic', runsHere: true});
    t.true(all.some(({name, runsHere}) => name === host.native && runsHere));
  }
  for (const word of ['build', 'inspect', 'run', 'verify', 'bench', 'evaluate', 'report', 'ops', 'targets'])
    t.regex(help!.stdout, new RegExp(`^  ${word} `, 'm'));
});
