/** How long things live that the addon gives out: the collector, worker threads, sanitizers. */
import {execFileSync} from 'node:child_process';
import {readFileSync, rmSync} from 'node:fs';
import {join} from 'node:path';
import {setFlagsFromString} from 'node:v8';
import {runInNewContext} from 'node:vm';
import {Worker} from 'node:worker_threads';
import test from 'ava';
import {arrayTypes, type NativeEntry, openLoader} from '../runtime/index.js';
import {buildTiny, cc, hasCompiler} from './tiny-build.js';

const needsCc = hasCompiler ? test : test.skip;
const directory = hasCompiler ? buildTiny().directory : '';
test.after.always(() => directory && rmSync(directory, {recursive: true}));

function bindAge(): NativeEntry {
  const native = openLoader(directory);
  const f32 = (elements: number) => ({bytes: 4 * elements, type: arrayTypes.f32.napi});
  const library = native.open(join(directory, 'tiny.generic.so'));
  return native.bind(library, 'tiny_age_invoke', native.map(join(directory, 'tiny.weights')), 64, [f32(4)], [f32(2)]);
}

const x = () => Float32Array.of(1, 2, 3, 4);
const expected = Float32Array.of(3.5, 7.25);

setFlagsFromString('--expose-gc');
const gc = runInNewContext('gc') as () => void;
const turn = () => new Promise(resolve => setImmediate(resolve));
const collect = async () => {
  for (let i = 0; i < 4; i++) {
    gc();
    await turn();
  }
};

needsCc('what is used stays; what is not is closed by the collector', async t => {
  const {call} = bindAge();
  const fixedOutput = new Float32Array(2);
  const fixed = bindAge().fixed([x()], [fixedOutput]);
  const output = new Float32Array(2);
  const pending: Promise<void>[] = [];
  const [native, weights] = [openLoader(directory), new Uint8Array(1 << 20)];
  for (let i = 0; i < 500; i++) {
    const entry = bindAge();
    if (i % 10 === 0) pending.push(entry.callAsync([x()], [new Float32Array(2)]));
    native.hold(weights);
    if (i % 50 === 0) gc();
  }
  await Promise.all(pending);
  await collect();
  call([x()], [output]);
  fixed();
  t.deepEqual([output, fixedOutput], [expected, expected]);
  if (process.platform !== 'linux') return;
  const maps = readFileSync('/proc/self/maps', 'utf8')
    .split('\n')
    .filter(line => line.includes(join(directory, 'tiny.weights')));
  t.true(maps.length < 20, `${maps.length} mappings of the weights are left`);
});

needsCc('worker threads load the addon too, and may end while calls run', async t => {
  const program = `
    const {workerData, parentPort} = require('node:worker_threads');
    const loader = require(workerData + '/loader.node');
    const library = loader.open(workerData + '/tiny.generic.so');
    const f32 = n => ({bytes: 4 * n, type: 7});
    const blob = loader.map(workerData + '/tiny.weights');
    const y = new Float32Array(2);
    loader.bind(library, 'tiny_age_invoke', blob, 64, [f32(4)], [f32(2)]).call([Float32Array.of(1, 2, 3, 4)], [y]);
    loader.bind(library, 'tiny_slow_invoke', blob, 64, [f32(1)], [f32(2)]).callAsync([Float32Array.of(1)], [new Float32Array(2)]);
    parentPort.postMessage(y);
  `;
  const answers = Array.from({length: 3}, async () => {
    const worker = new Worker(program, {eval: true, workerData: directory});
    const answer = await new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject));
    await worker.terminate();
    return answer;
  });
  t.deepEqual(await Promise.all(answers), [expected, expected, expected]);
});

/** The shared library of AddressSanitizer, or undefined where this compiler has none to preload. */
function sanitizerLibrary(): string | undefined {
  if (!hasCompiler || process.platform !== 'linux') return undefined;
  const path = execFileSync(cc, ['-print-file-name=libasan.so'], {encoding: 'utf8'}).trim();
  return path.startsWith('/') ? path : undefined;
}

const libasan = sanitizerLibrary();
(libasan ? test : test.skip)('no memory error under AddressSanitizer and UBSan', t => {
  const built = buildTiny(true);
  t.teardown(() => rmSync(built.directory, {recursive: true}));
  const program = `
    const d = ${JSON.stringify(built.directory)};
    const loader = require(d + '/loader.node');
    const f32 = n => ({bytes: 4 * n, type: 7});
    const x = () => Float32Array.of(1, 2, 3, 4), y = () => new Float32Array(2);
    const quiet = f => { try { f(); } catch {} };
    const once = async i => {
      const library = loader.open(d + '/tiny.generic.so'), blob = loader.map(d + '/tiny.weights');
      if (loader.check(library, 'tiny_check', blob) !== 0) throw new Error('check');
      const entry = loader.bind(library, 'tiny_age_invoke', blob, 64 + 40000 * i, [f32(4)], [f32(2)], 'tiny_age_trace');
      const out = y();
      entry.call([x()], [out]);
      entry.fixed([x()], [out])();
      entry.bench([x()], [out], 20, 2);
      entry.trace([x()], [out], 3, 5, 1);
      entry.capture([x()], [out], [[{offset: 0, bytes: 16}], [{offset: 24, bytes: 40}]]);
      quiet(() => entry.call([new Float32Array(3)], [out]));
      quiet(() => entry.fixed([x()], []));
      quiet(() => entry.capture([x()], [out], [[{offset: 60, bytes: 9e9}]]));
      quiet(() => loader.bind(library, 'tiny_nop_invoke', blob, 64, [f32(1), 3], []));
      quiet(() => loader.bind(library, 'tiny_none', blob, 64, [], []));
      await Promise.all([entry.callAsync([x()], [out]), entry.callAsync([x()], [y()]), entry.callAsync([x()], [y()])]);
      if (out[0] !== 3.5) throw new Error('answer ' + out[0]);
      gc();
    };
    (async () => { for (let i = 0; i < 60; i++) await once(i); console.log('done'); })();
  `;
  const output = execFileSync(process.execPath, ['--expose-gc', '-e', program], {
    encoding: 'utf8',
    env: {
      ...process.env,
      LD_PRELOAD: libasan,
      ASAN_OPTIONS: 'detect_leaks=0:allocator_may_return_null=1',
      UBSAN_OPTIONS: 'print_stacktrace=1',
    },
  });
  t.is(output.trim(), 'done');
});
