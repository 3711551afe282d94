/** Builds for wasm32 as pages and Node load them: the same session as on native code, and what is said when a file is wrong. */
import {createHash} from 'node:crypto';
import {readFileSync, writeFileSync} from 'node:fs';
import {createServer} from 'node:http';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import test, {type ExecutionContext} from 'ava';
import {loadWasm} from 'dnnc/wasm';
import {exitFile} from '../codegen/exit.js';
import {findTarget} from '../codegen/targets/index.js';
import {build} from '../compiler/build.js';
import {resolveTasks} from '../compiler/tasks.js';
import {type DnncRuntimeError, load, type RuntimeErrorCode, readManifest} from '../runtime/index.js';
import type {Manifest, Variant} from '../runtime/manifest.js';
import {dnnc, tinyModel} from './support/cli.js';
import {temporaryFolder} from './support/temporary.js';
import {hasWasmCompiler} from './support/wasm.js';
import {hasCompiler} from './tiny-build.js';

const needsBoth = hasWasmCompiler && hasCompiler ? test : test.skip;
const folder = temporaryFolder();
const directory = join(folder, 'tiny');
const at = (name: string, place = directory): string => join(place, name);
const bytesOf = (name: string): Uint8Array<ArrayBuffer> => Uint8Array.from(readFileSync(at(name)));
const manifest = (): Manifest => readManifest(JSON.parse(readFileSync(at('manifest.json'), 'utf8')));
const files = () => ({module: bytesOf('tiny.wasm32.wasm'), weights: bytesOf('tiny.weights')});
const pixels = Float32Array.from({length: 3 * 48 * 48}, (_, i) => Math.sin(i * 0.7));

const buildAs = (name: string, targets: readonly string[], more: object = {}) =>
  build(resolveTasks({models: [at('tiny.onnx', folder)]}).tasks, {
    ...{directory: join(folder, name), name: 'tiny', measure: false, flags: ['-O1'], cuts: 'all', typed: false},
    ...{targets: targets.map(target => findTarget(target)!), ...more},
  });

test.before(async () => {
  writeFileSync(at('tiny.onnx', folder), tinyModel());
  if (hasWasmCompiler && hasCompiler) await buildAs('tiny', ['generic', 'wasm32']);
});

async function refuses(t: ExecutionContext, code: RuntimeErrorCode, action: () => unknown, says = /./): Promise<void> {
  const error = await t.throwsAsync<DnncRuntimeError>(async () => action(), {message: says});
  t.is(error?.code, code, error?.message);
  t.truthy(error?.where);
}

needsBoth('the same answers as native code, by every way of asking', async t => {
  const [native, session] = [load(directory), await loadWasm(manifest(), files())];
  t.is(native.target, 'generic'); // wasm32 is taken where it is asked for
  t.is(session.target, 'wasm32');
  const wanted = native.run('tiny', pixels).scores as Float32Array;
  const near = (scores: ArrayLike<number | bigint>): void => {
    t.is(scores.length, wanted.length);
    for (const [i, want] of wanted.entries()) t.true(Math.abs(Number(scores[i]) - want) < 1e-5, `${scores[i]} and ${want}`);
  };
  const {scores, index} = session.run('tiny', pixels);
  near(scores);
  t.is(index, native.run('tiny', pixels).index);
  t.deepEqual((await session.runAsync('tiny', pixels)).scores, scores);
  t.deepEqual(session.runTogether(['tiny'], pixels).tiny.scores, scores);
  const [cut] = session.manifest.cuts;
  t.deepEqual(session.runFrom('tiny', cut!.id, session.runTo('tiny', cut!.id, pixels)).scores, scores);
  t.is(session.loadSegment(session.manifest.segments[0]!.id), 0);
  t.deepEqual(load(directory, {target: 'wasm32'}).run('tiny', pixels).scores, scores);
  const entry = session.entry('tiny');
  const [output] = entry.newOutputs();
  entry.fixed([pixels], [output!])();
  t.deepEqual(output, scores);
  const times = entry.bench([pixels], [output!], 3, 1);
  t.is(times.length, 3);
  t.true(times.every(nanoseconds => nanoseconds > 0));
});

needsBoth('arrays are checked as the addon checks them', async t => {
  const entry = (await loadWasm(manifest(), files())).entry('tiny');
  const [output] = entry.newOutputs();
  t.throws(() => entry.call([], [output!]), {instanceOf: RangeError, message: /takes 1 inputs, 0 given/});
  t.throws(() => entry.call([new Float64Array(3)], [output!]), {
    instanceOf: TypeError,
    message: /input 0 must be a Float32Array/,
  });
  t.throws(() => entry.call([pixels.subarray(1)], [output!]), {instanceOf: RangeError, message: /6911 elements, 6912 needed/});
  t.throws(() => entry.call([pixels], [pixels.subarray(0, 5)]), {instanceOf: RangeError, message: /shares memory/});
  const detached = pixels.slice();
  const fixed = entry.fixed([detached], [output!]);
  structuredClone(detached, {transfer: [detached.buffer]});
  t.throws(fixed, {instanceOf: RangeError, message: /0 elements/});
});

needsBoth('a fitted head runs; it is not missed until it is asked for', async t => {
  const {buildHash, cuts, variants} = manifest();
  const cut = cuts[0]!;
  const [, channels = 0, rows = 0, columns = 0] = cut.shape;
  const shape = {channels, rows, columns, grid: 1, classes: 5, channelsLast: cut.layout === 'channels-last', softmax: true};
  const head = exitFile(
    shape,
    Float32Array.from({length: 5 * channels}, (_, i) => Math.cos(i)),
    new Float32Array(5),
    buildHash,
  );
  const exit = {cut: cut.id, file: 'tiny.exit', sha256: createHash('sha256').update(head).digest('hex'), bytes: head.length};
  const {entry: _entry, ...full} = variants[0]!;
  const early: Variant = {...full, id: 'tiny/exit@1', recipe: 'exit@1', path: full.path.slice(0, 1), exit};
  const {tasks, ...rest} = manifest();
  const task = {...tasks['tiny']!, variants: [...tasks['tiny']!.variants, early.id]};
  const more: Manifest = {...rest, tasks: {tiny: task}, variants: [...variants, early]};
  writeFileSync(at('tiny.exit'), head);
  const variant = {variant: early.id};
  const wanted = load(more, {directory}).run('tiny', pixels, variant).scores as Float32Array;
  const session = await loadWasm(more, {...files(), heads: {'tiny.exit': Uint8Array.from(head)}});
  for (const scores of [
    session.run('tiny', pixels, variant).scores,
    load(more, {directory, target: 'wasm32'}).run('tiny', pixels, variant).scores,
  ]) // prettier-ignore
    for (const [i, want] of wanted.entries()) t.true(Math.abs(Number(scores[i]) - want) < 1e-6);
  const without = await loadWasm(more, files());
  t.truthy(without.run('tiny', pixels));
  await refuses(t, 'weights.file', () => without.run('tiny', pixels, variant), /tiny\.exit/);
  const spoilt = Uint8Array.from(head).fill(1, 200, 204);
  await refuses(t, 'weights.damaged', () => loadWasm(more, {...files(), heads: {'tiny.exit': spoilt}}), /sha256/);
});

needsBoth('what is wrong with a file is said in one error', async t => {
  const {module, weights} = files();
  const open = (parts: object, options = {}) => loadWasm(manifest(), {...files(), ...parts, ...options});
  await refuses(t, 'weights.truncated', () => open({weights: weights.subarray(0, 70)}), /tiny\.weights/);
  await refuses(t, 'weights.format', () => open({weights: new Uint8Array(weights.length)}));
  const damaged = weights.slice();
  damaged[100]! ^= 1;
  await refuses(t, 'weights.damaged', () => open({weights: damaged}));
  await refuses(t, 'weights.file', () => loadWasm(manifest(), {module}), /tiny\.weights/);
  const other = module.slice();
  other[other.length - 1]! ^= 1;
  await refuses(t, 'library.hash', () => open({module: other}), /tiny\.wasm32\.wasm/);
  await refuses(t, 'library.file', () => open({module: Uint8Array.of(1, 2, 3)}, {verify: false}));
  await refuses(t, 'library.symbol', () => open({module: Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0)}, {verify: false}), /memory/);
  const strange = {...manifest(), buildHash: 'f'.repeat(32)};
  await refuses(t, 'weights.build', () => loadWasm(strange, files()), /manifest/);
  const native = {...manifest(), libraries: manifest().libraries.filter(({target}) => target !== 'wasm32')};
  await refuses(t, 'library.none', () => loadWasm(native, files()), /--target wasm32/);
  await refuses(t, 'library.none', () => load(native, {directory, target: 'wasm32'}), /--target wasm32/);
  const huge = {...manifest(), arena: {...manifest().arena, bytes: 2 ** 33}};
  await refuses(t, 'library.memory', () => loadWasm(huge, files()), /no room for 8\d+ bytes/);
});

(hasWasmCompiler && hasCompiler ? test.serial : test.serial.skip)(
  'an engine without vectors, or without WebAssembly, is told from a bad file',
  async t => {
    const {WebAssembly: api} = globalThis as {WebAssembly?: {validate: unknown}};
    const {validate} = api!;
    api!.validate = () => false;
    await refuses(t, 'library.none', () => loadWasm(manifest(), files()), /SIMD/);
    api!.validate = validate;
    Reflect.deleteProperty(globalThis, 'WebAssembly');
    await refuses(t, 'library.none', () => load(directory, {target: 'wasm32'}), /no WebAssembly/);
    Object.defineProperty(globalThis, 'WebAssembly', {value: api, configurable: true, writable: true});
    t.is((await loadWasm(manifest(), files())).target, 'wasm32');
  },
);

needsBoth('a build is fetched by its address, and what the server lacks is named', async t => {
  const server = createServer((request, response) => {
    try {
      response.end(readFileSync(at(decodeURI(request.url ?? '').slice('/out/'.length))));
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => server.close());
  const address = server.address();
  const base = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
  const {scores} = load(directory, {target: 'wasm32'}).run('tiny', pixels);
  for (const place of [`${base}/out`, `${base}/out/`, new URL(`${base}/out/manifest.json`)])
    t.deepEqual((await loadWasm(place)).run('tiny', pixels).scores, scores);
  t.deepEqual((await loadWasm(manifest(), {directory: `${base}/out`})).run('tiny', pixels).scores, scores);
  await refuses(t, 'manifest.file', () => loadWasm(`${base}/out/nowhere`), /404/);
  await refuses(t, 'library.file', () => loadWasm(manifest(), {directory: `${base}/out/nowhere`}), /tiny\.wasm32\.wasm/);
  await refuses(t, 'manifest.file', () => loadWasm('out'), /dnnc\/runtime/);
});

needsBoth('modules are the same bytes each time, alone and with weights inside', async t => {
  const built = await buildAs('again', ['generic', 'wasm32']);
  t.deepEqual(readFileSync(join(built.directory, 'tiny.wasm32.wasm')), Buffer.from(bytesOf('tiny.wasm32.wasm')));
  const inside = await buildAs('inside', ['wasm32'], {weights: 'c'});
  const session = load(inside.directory, {target: 'wasm32'});
  t.deepEqual(session.run('tiny', pixels).scores, load(directory, {target: 'wasm32'}).run('tiny', pixels).scores);
  t.false(Object.keys(inside.manifest.files).some(file => file.endsWith('.o')));
  await refuses(t, 'library.none', () => load(inside.directory), /wasm32 \(simd128\)/);
});

test('without clang one error names it, and the folder stays as it was', async t => {
  const place = join(folder, 'none');
  const env = {DNNC_WASM_CC: join(folder, 'no-such-clang')};
  const {code, stderr} = await dnnc(['build', at('tiny.onnx', folder), '--target', 'wasm32', '-o', place], {env});
  t.is(code, 2, stderr);
  t.regex(stderr, /no-such-clang.*WebAssembly.*clang and lld/s);
  t.throws(() => readFileSync(join(place, 'manifest.json')), {code: 'ENOENT'});
});

test('nothing that a page imports from dnnc/wasm and dnnc/schedule knows Node', t => {
  const seen = new Set<string>();
  const pending = ['wasm/index.js', 'schedule/index.js'].map(name =>
    fileURLToPath(new URL(`../runtime/${name}`, import.meta.url)),
  );
  for (let file = pending.pop(); file !== undefined; file = pending.pop()) {
    if (seen.has(file)) continue;
    seen.add(file);
    const text = readFileSync(file, 'utf8');
    for (const [, from = ''] of text.matchAll(/^(?:import|export)\b[^;]*?\bfrom '([^']+)'|^import '([^']+)'/gm)) {
      t.true(from.startsWith('.'), `${file} imports ${from}`);
      pending.push(fileURLToPath(new URL(from, `file://${file}`)));
    }
    t.notRegex(text, /\bimport\(|\bprocess\.|\bBuffer\b|\brequire\(/, file);
  }
  t.true(seen.size > 20);
});
