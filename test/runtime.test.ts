/** A session on a build: labels, images, batches, and what is said when a file or an input is wrong. */
import {cpSync, mkdtempSync, renameSync, rmSync, truncateSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {pathToFileURL} from 'node:url';
import test, {type ExecutionContext} from 'ava';
import {DnncRuntimeError, load, pickLibrary, type RuntimeErrorCode} from '../runtime/index.js';
import {blobOf, buildTiny, hasCompiler} from './tiny-build.js';

const needsCc = hasCompiler ? test : test.skip;
const tiny = hasCompiler ? buildTiny() : undefined;
const open = () => load(tiny!.manifest, {directory: tiny!.directory});
test.after.always(() => tiny && rmSync(tiny.directory, {recursive: true}));

/** A copy of the build for a test that spoils it. */
function spoiled(t: ExecutionContext, spoil: (at: (name: string) => string) => void): string {
  const directory = mkdtempSync(join(tmpdir(), 'dnnc-spoiled-'));
  t.teardown(() => rmSync(directory, {recursive: true}));
  cpSync(tiny!.directory, directory, {recursive: true});
  spoil(name => join(directory, name));
  return directory;
}

function refuses(t: ExecutionContext, code: RuntimeErrorCode, action: () => unknown, says?: RegExp): void {
  const error = t.throws(action, {instanceOf: DnncRuntimeError});
  t.is(error?.code, code, error?.message);
  t.truthy(error?.where);
  if (says) t.regex(error?.message ?? '', says);
}

needsCc('run answers with the label of the largest score', t => {
  const {label, index, scores, outputs} = open().run('age', Float32Array.of(1, 2, 3, 4));
  const typed: 'child' | 'adult' = label;
  t.is(typed, 'adult');
  t.is(index, 1);
  t.deepEqual(scores, Float32Array.of(3.5, 7.25));
  t.is(outputs.y, scores);
  t.is(open().run('age', Float32Array.of(9, 2, 3, 4)).label, 'child');
});

needsCc('a prior changes the answer, not the scores; together answers like one by one', t => {
  const session = open();
  const x = Float32Array.of(1, 2, 3, 4);
  // Scores 3.5 and 7.25: the first class must be some e^3.75 times as frequent to win.
  const {label, index, scores, probabilities} = session.run('age', x, {prior: {child: 50, adult: 1}});
  t.is(label, 'child');
  t.is(index, 0);
  t.deepEqual(scores, Float32Array.of(3.5, 7.25));
  t.true(Math.abs(probabilities![0]! - 1 / (1 + Math.exp(3.75) / 50)) < 1e-9);
  t.is(session.run('age', x, {prior: {child: 40, adult: 1}}).label, 'adult');
  t.is(session.run('age', x, {prior: {child: 1}}).label, 'child');
  refuses(t, 'session.prior', () => session.run('age', x, {prior: [0, 0]}));
  t.deepEqual(session.runTogether(['age'], x), {age: session.run('age', x)});
});

needsCc('a build opens from its directory, its manifest.json and a URL', t => {
  const {directory} = tiny!;
  for (const place of [directory, join(directory, 'manifest.json'), pathToFileURL(`${directory}/`)]) {
    const session = load(place);
    t.is(session.target, 'generic');
    t.is(session.run('age', Float32Array.of(1, 2, 3, 4)).label, 'adult');
  }
});

needsCc('several inputs go by name; an offset leaves the first output without a label', t => {
  const session = open();
  const b = BigInt64Array.of(5n, 7n);
  const hat = session.run('pair', {a: Uint8Array.of(1, 2, 3), b});
  t.is(hat.label, 'hat');
  t.is(hat.index, 2);
  t.deepEqual(hat.outputs.z, BigInt64Array.of(7n, 5n));
  t.is(session.run('pair', {a: Uint8Array.of(3, 2, 1), b}).label, undefined);
});

needsCc('an image is prepared as the manifest says', t => {
  const session = open();
  // 2x2 grey, nearest from 4x4: pixels (1,1), (1,3), (3,1), (3,3)
  const data = Uint8Array.from({length: 16}, (_, i) => i * 2);
  const {scores} = session.run('age', {width: 4, height: 4, channels: 1, data});
  t.deepEqual(scores, Float32Array.of(0 + 2 + 0.5, 8 + 10 + 0.25));
  const rgb = session.run('age', {width: 2, height: 2, channels: 3, data: new Uint8Array(12).fill(30)});
  t.deepEqual(rgb.scores, Float32Array.of(20.5, 20.25));
  refuses(t, 'session.input', () => session.run('age', {width: 4, height: 4, channels: 3, data}), /does not have 16 values/);
});

needsCc('a batch gives one answer per row', t => {
  const session = open();
  const x = Float32Array.of(1, 2, 4, 3, 5, 6);
  t.deepEqual(
    session.runBatch('rows', x).map(answer => answer.label),
    ['right', 'left', 'right'],
  );
  t.deepEqual(session.runBatch('rows', x)[1]?.scores, Float32Array.of(4, 3));
  refuses(t, 'session.batch', () => session.run('rows', x), /runBatch/);
});

needsCc('async calls overlap, each with an arena of its own', async t => {
  const session = open();
  const answers = await Promise.all([1, 2, 3, 4].map(x => session.runAsync('slow', Float32Array.of(x))));
  t.deepEqual(
    answers.map(answer => answer.scores[0]),
    [1, 2, 3, 4],
  );
  t.true(Math.max(...answers.map(answer => answer.scores[1] ?? 0)) > 1);
});

needsCc("an entry works on the caller's arrays and is bound once", t => {
  const session = open();
  const entry = session.entry('age');
  t.is(session.entry('age', 'age/full'), entry);
  const outputs = entry.newOutputs();
  entry.call([Float32Array.of(1, 2, 3, 4)], outputs);
  t.deepEqual(outputs, [Float32Array.of(3.5, 7.25)]);
  t.is(entry.newInputs()[0]?.length, 4);
  t.is(entry.variant.recipe, 'full');
  t.is(entry.trace?.([Float32Array.of(1, 2, 3, 4)], outputs, 3, 1, 0).length, 3);
  t.is(session.entry('nop').trace, undefined);
});

needsCc('wrong inputs are named', t => {
  const session = load(tiny!.directory);
  t.throws(() => session.run('age', new Float32Array(5)), {
    instanceOf: RangeError,
    message: /age, input "x": has 5 elements\n.*Float32Array of 4 elements, f32\[1,1,2,2\]/,
  });
  refuses(t, 'session.input', () => session.run('age', new Uint8Array(4)), /is a Uint8Array/);
  refuses(t, 'session.input', () => session.run('age', {z: new Float32Array(4)}), /input "x": is missing/);
  refuses(t, 'session.input', () => session.run('pair', new Uint8Array(3)), /takes 2 inputs\n.*a, b/);
  refuses(t, 'session.task', () => session.run('constructor', new Float32Array(4)), /one of: age, pair/);
  refuses(t, 'session.variant', () => session.entry('age', 'pair/full'), /one of: age\/full/);
  refuses(t, 'session.scores', () => session.run('age', Float32Array.of(1, 2, 3, Number.NaN)), /not a number/);
  refuses(t, 'library.symbol', () => session.entry('age', 'age/missing'), /no symbol tiny_none_invoke/);
  t.throws(() => session.run('age', new Float32Array(4), {variant: 'age/broken'}), {message: /tiny_broken_invoke returned 3/});
});

const damage: readonly (readonly [RuntimeErrorCode, (blob: Buffer) => Buffer])[] = [
  ['weights.truncated', blob => blob.subarray(0, 0)],
  ['weights.truncated', blob => blob.subarray(0, 63)],
  ['weights.truncated', blob => blob.subarray(0, 71)],
  ['weights.format', blob => blob.fill('PK', 0, 2)],
  ['weights.version', blob => blob.fill(9, 4, 5)],
  ['weights.byte-order', blob => blob.subarray(0, 8).swap32() && blob.fill(Buffer.from([1, 2, 3, 4]), 8, 12).fill('DNNC', 0, 4)],
  ['weights.build', blob => blob.fill(78, 12, 13)],
  ['weights.damaged', blob => blob.fill(1, 70, 71)],
];

for (const [i, [code, spoil]] of damage.entries()) {
  needsCc(`weights are refused: ${code} (${i})`, t => {
    const directory = spoiled(t, at => writeFileSync(at('tiny.weights'), spoil(blobOf())));
    refuses(t, code, () => load(directory), /tiny\.weights/);
  });
}

needsCc('a directory that is not whole', t => {
  const without = (name: string) => spoiled(t, at => rmSync(at(name)));
  refuses(t, 'manifest.file', () => load(without('manifest.json')));
  refuses(t, 'loader.missing', () => load(without('loader.node')));
  refuses(t, 'library.file', () => load(without('tiny.generic.so')));
  refuses(t, 'weights.file', () => load(without('tiny.weights')), /No such file/);
  refuses(t, 'library.hash', () => load(spoiled(t, at => truncateSync(at('tiny.generic.so'), 5000))));
  const noLibrary = spoiled(t, at => writeFileSync(at('tiny.generic.so'), 'text'));
  refuses(t, 'library.file', () => load(noLibrary, {verify: false}), /tiny\.generic\.so/);
  refuses(t, 'manifest.file', () => load(spoiled(t, at => writeFileSync(at('manifest.json'), '{'))), /JSON/);
  refuses(t, 'manifest.invalid', () => load(spoiled(t, at => writeFileSync(at('manifest.json'), '{}'))), /schema/);
  const folder = spoiled(t, at => {
    rmSync(at('tiny.weights'));
    renameSync(at('tiny.c'), at('x'));
    cpSync(at('x'), join(at('tiny.weights'), 'x'));
  });
  refuses(t, 'weights.file', () => load(folder), /regular file/);
});

needsCc('weights inside the library need no file', t => {
  const {manifest} = tiny!;
  const directory = spoiled(t, at => rmSync(at('tiny.weights')));
  const session = load({...manifest, weights: {...manifest.weights, symbol: 'tiny_blob'}}, {directory});
  t.is(session.run('age', Float32Array.of(1, 2, 3, 4)).label, 'adult');
  refuses(t, 'library.symbol', () => load({...manifest, weights: {...manifest.weights, symbol: 'tiny_none'}}, {directory}));
});

needsCc('a target can be asked for', t => {
  t.is(load(tiny!.directory, {target: 'generic'}).target, 'generic');
  refuses(t, 'library.none', () => load(tiny!.directory, {target: 'sparc'}), /there are generic/);
  refuses(t, 'library.file', () => load(tiny!.directory, {target: 'linked'}));
});

test('the library with the most needs that the CPU has', t => {
  const library = (target: string, needs: string[], platform?: string) => ({
    target,
    file: target,
    sha256: '',
    needs,
    ...(platform ? {platform} : {}),
  });
  const all = [
    library('generic', []),
    library('avx512', ['avx2', 'fma', 'avx512f']),
    library('avx2', ['avx2', 'fma']),
    library('neon', ['neon'], 'linux-arm64'),
  ];
  t.is(pickLibrary(all, ['avx2', 'fma', 'avx512f'], 'linux-x64').target, 'avx512');
  t.is(pickLibrary(all, ['avx2', 'fma'], 'linux-x64').target, 'avx2');
  t.is(pickLibrary(all, ['avx2'], 'linux-x64').target, 'generic');
  t.is(pickLibrary(all, ['neon'], 'linux-x64').target, 'generic');
  t.is(pickLibrary(all, ['neon'], 'linux-arm64').target, 'neon');
  refuses(t, 'library.none', () => pickLibrary(all.slice(1, 3), ['avx2'], 'linux-x64'), /avx512 \(avx2 fma avx512f\)/);
});
