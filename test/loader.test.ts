/** The addon itself: checks of arrays, calls that pass nothing, async calls, timing and tracing. */
import {readFileSync, rmSync} from 'node:fs';
import {join} from 'node:path';
import test from 'ava';
import {arrayTypes, type NativeEntry, type NativeLoader, type NativeTracedEntry, openLoader} from '../runtime/index.js';
import {buildTiny, hasCompiler} from './tiny-build.js';

const needsCc = hasCompiler ? test : test.skip;
const directory = hasCompiler ? buildTiny().directory : '';
test.after.always(() => directory && rmSync(directory, {recursive: true}));

const f32 = (elements: number) => ({bytes: 4 * elements, type: arrayTypes.f32.napi});
const loader = (): NativeLoader => openLoader(directory);

function bindTask(task: string, inputs = [f32(4)], outputs = [f32(2)]): NativeEntry {
  const native = loader();
  const library = native.open(join(directory, 'tiny.generic.so'));
  return native.bind(library, `tiny_${task}_invoke`, native.map(join(directory, 'tiny.weights')), 64, inputs, outputs);
}

function bindTraced(): NativeTracedEntry {
  const native = loader();
  const library = native.open(join(directory, 'tiny.generic.so'));
  const blob = native.map(join(directory, 'tiny.weights'));
  return native.bind(library, 'tiny_age_invoke', blob, 64, [f32(4)], [f32(2)], 'tiny_age_trace');
}

const x = () => Float32Array.of(1, 2, 3, 4);
const expected = Float32Array.of(3.5, 7.25);

needsCc('the features are those that the kernel lists', t => {
  const features = loader().cpuFeatures();
  t.true(process.arch !== 'x64' || features.includes('sse2'));
  if (process.platform !== 'linux' || process.arch !== 'x64') return;
  const flags = new Set(/^flags\s*:\s*(.*)$/m.exec(readFileSync('/proc/cpuinfo', 'utf8'))?.[1]?.split(' '));
  for (const name of ['avx2', 'fma', 'avx512f', 'avx512bw', 'avx512vl', 'avx512dq'])
    t.is(features.includes(name), flags.has(name), name);
});

needsCc("results go straight into the caller's arrays, wherever they lie", t => {
  const entry = bindTask('age');
  const memory = new SharedArrayBuffer(64);
  const input = new Float32Array(memory, 4, 4);
  input.set(x());
  const output = new Float32Array(memory, 40, 2);
  entry.call([input], [output]);
  t.deepEqual([...output], [...expected]);
});

needsCc('wrong arrays throw and nothing is written', t => {
  const entry = bindTask('age');
  const y = new Float32Array(2);
  const detached = new Float32Array(4);
  structuredClone(detached.buffer, {transfer: [detached.buffer]});
  const memory = new Float32Array(5);
  const getter: Float32Array[] = [];
  Object.defineProperty(getter, '0', {get: () => new Float32Array(3), enumerable: true});
  const bad: readonly (readonly [unknown, unknown, ErrorConstructor | RangeErrorConstructor | TypeErrorConstructor, RegExp])[] = [
    [[new Float32Array(3)], [y], RangeError, /tiny_age_invoke: input 0 has 3 elements, 4 needed/],
    [[x()], [new Float32Array(1)], RangeError, /output 0 has 1 elements, 2 needed/],
    [[], [y], RangeError, /takes 1 inputs, 0 given/],
    [[x(), x()], [y], RangeError, /takes 1 inputs, 2 given/],
    [[x()], [], RangeError, /takes 1 outputs, 0 given/],
    [[new Float64Array(4)], [y], TypeError, /input 0 must be a Float32Array/],
    [[new Int32Array(4)], [y], TypeError, /input 0 must be a Float32Array/],
    [[[1, 2, 3, 4]], [y], TypeError, /input 0 must be a Float32Array/],
    [[new DataView(new ArrayBuffer(16))], [y], TypeError, /must be a Float32Array/],
    [x(), [y], TypeError, /inputs must be an array/],
    [undefined, undefined, TypeError, /inputs must be an array/],
    [new Proxy([x()], {}), [y], TypeError, /inputs must be an array/],
    [[detached], [y], RangeError, /input 0 has 0 elements/],
    [getter, [y], RangeError, /input 0 has 3 elements/],
    [[memory.subarray(0, 4)], [memory.subarray(3, 5)], RangeError, /output 0 shares memory/],
  ];
  for (const [inputs, outputs, instanceOf, message] of bad) {
    const arrays = [inputs as Float32Array[], outputs as Float32Array[]] as const;
    t.throws(() => entry.call(...arrays), {instanceOf, message});
    t.throws(() => entry.callAsync(...arrays), {instanceOf, message});
    t.throws(() => entry.fixed(...arrays), {instanceOf, message});
    t.throws(() => entry.bench(...arrays, 1, 0), {instanceOf, message});
    t.throws(() => bindTraced().trace(...arrays, 3, 1, 0), {instanceOf, message});
    t.throws(() => bindTraced().capture(...arrays, []), {instanceOf, message});
  }
  t.deepEqual(y, new Float32Array(2));
});

needsCc('misuse of handles throws', t => {
  const native = loader();
  const library = native.open(join(directory, 'tiny.generic.so'));
  const blob = native.map(join(directory, 'tiny.weights'));
  const wrong = {} as never;
  t.throws(() => native.open('/nowhere/x.so'), {message: /nowhere/});
  t.throws(() => native.open(3 as never), {instanceOf: TypeError});
  t.throws(() => native.open('a\0b'), {instanceOf: TypeError});
  t.throws(() => native.map('/nowhere'), {message: /No such file/});
  t.throws(() => native.map(directory), {message: /regular file/});
  for (const handle of [wrong, blob as never, null as never, undefined as never]) {
    t.throws(() => native.check(handle, 'tiny_check', blob), {
      instanceOf: TypeError,
      message: /library must come from this loader/,
    });
  }
  t.throws(() => native.check(library, 'tiny_check', library as never), {instanceOf: TypeError, message: /blob must come/});
  t.throws(() => native.check(library, 'nothing', blob), {message: /no symbol nothing/});
  t.true(native.has(library, 'tiny_check'));
  t.false(native.has(library, 'nothing'));
  t.is(native.check(library, 'tiny_check', blob), 0);
  t.is(native.check(library, 'tiny_check', native.embedded(library, 'tiny_blob', 72)), 0);
  t.is(native.check(library, 'tiny_check', native.embedded(library, 'tiny_blob', 71)), 1);
  const own = Uint8Array.from(readFileSync(join(directory, 'tiny.weights')));
  const held = native.hold(own);
  own.fill(0);
  t.is(native.check(library, 'tiny_check', held), 0);
  t.is(native.check(library, 'tiny_check', native.hold(own)), 2);
  t.is(native.check(library, 'tiny_check', native.hold(new Uint8Array())), 1);
  t.is(native.page(held, 0, 64, false), 0);
  t.throws(() => native.pageAsync(library as never, 0, 64), {instanceOf: TypeError, message: /blob must come/});
  t.throws(() => native.pageAsync(held, 0, 2 ** 50), {instanceOf: RangeError});
  for (const nothing of [new Int8Array(4), null, undefined])
    t.throws(() => native.hold(nothing as never), {instanceOf: TypeError, message: /Uint8Array/});
  const bind = (arena: number, inputs: unknown) => () =>
    native.bind(library, 'tiny_nop_invoke', blob, arena, inputs as never, []);
  t.throws(bind(-1, []), {instanceOf: RangeError});
  t.throws(bind(1.5, []), {instanceOf: RangeError});
  t.throws(bind(2 ** 50, []), {instanceOf: RangeError});
  t.throws(bind(64, [{bytes: 3, type: 7}]), {instanceOf: RangeError, message: /do not fill a Float32Array/});
  t.throws(bind(64, [{bytes: 4, type: 11}]), {instanceOf: RangeError});
  t.throws(bind(64, [7]), {message: /number|object/});
  t.throws(bind(64, Array(65).fill(f32(1))), {instanceOf: RangeError, message: /at most 64/});
  t.throws(() => native.bind(library, 'tiny_nop_invoke', blob, 64, [], [], 'nothing'), {message: /no symbol nothing/});
  t.notThrows(() => native.bind(library, 'tiny_nop_invoke', blob, 0, [{bytes: 0, type: 7}], []).call([new Float32Array(0)], []));
});

needsCc('a fixed call passes nothing and notices a detached array', t => {
  const entry = bindTask('age');
  const input = x();
  const output = new Float32Array(2);
  const run = entry.fixed([input], [output]);
  run();
  t.deepEqual(output, expected);
  input[0] = 10;
  run();
  t.is(output[0], 12.5);
  structuredClone(input.buffer, {transfer: [input.buffer]});
  t.throws(run, {instanceOf: RangeError, message: /detached/});
});

needsCc('async: inputs may change at once, outputs appear with the promise', async t => {
  const entry = bindTask('age');
  const jobs = Array.from({length: 200}, async (_, i) => {
    const input = Float32Array.of(i, 0, 0, 0);
    const output = new Float32Array(2);
    const job = entry.callAsync([input], [output]);
    input.fill(-1);
    await job;
    return output[0];
  });
  t.deepEqual(
    await Promise.all(jobs),
    Array.from({length: 200}, (_, i) => i + 0.5),
  );
  const output = new Float32Array(2);
  const job = entry.callAsync([x()], [output]);
  structuredClone(output.buffer, {transfer: [output.buffer]});
  await t.throwsAsync(job, {instanceOf: RangeError, message: /output 0 was detached/});
  await t.throwsAsync(bindTask('broken').callAsync([x()], [new Float32Array(2)]), {message: /tiny_broken_invoke returned 3/});
});

needsCc('trace sums time per step; capture copies the arena after each', t => {
  const entry = bindTraced();
  const y = new Float32Array(2);
  const times = entry.trace([x()], [y], 3, 100, 10);
  t.is(times.length, 3);
  t.true(times.every(time => time >= 0 && time < 1e9));
  t.throws(() => entry.trace([x()], [y], 2, 1, 0), {instanceOf: RangeError, message: /more than the 2 steps/});
  const copies = entry.capture(
    [x()],
    [y],
    [
      [{offset: 0, bytes: 16}],
      [
        {offset: 16, bytes: 8},
        {offset: 0, bytes: 4},
      ],
      [],
    ],
  );
  const floats = copies.map(step => step.map(bytes => new Float32Array(bytes.buffer)));
  t.deepEqual(floats, [[x()], [Float32Array.of(3, 7), Float32Array.of(1)], []]);
  t.deepEqual(y, expected);
  t.throws(() => entry.capture([x()], [y], [[{offset: 60, bytes: 8}]]), {instanceOf: RangeError, message: /bytes/});
  t.throws(() => entry.capture([x()], [y], [[], [], [], [{offset: 0, bytes: 8}]]), {
    instanceOf: RangeError,
    message: /fewer steps/,
  });
  t.throws(() => entry.capture([x()], [y], [[3 as never]]));
  t.false('trace' in bindTask('age'));
});

needsCc('bench gives one time per call', t => {
  const times = bindTask('nop').bench([x()], [new Float32Array(2)], 1000, 100);
  t.is(times.length, 1000);
  t.true(times.every(time => time >= 0));
  t.throws(() => bindTask('broken').bench([x()], [new Float32Array(2)], 5, 0), {message: /returned 3/});
  t.is(bindTask('nop').bench([x()], [new Float32Array(2)], 0, 0).length, 0);
});

needsCc('the overhead of a call is far under a kernel', t => {
  const entry = bindTask('nop');
  const inputs = [x()];
  const outputs = [new Float32Array(2)];
  const fixed = entry.fixed(inputs, outputs);
  const perCall = (run: () => void): number => {
    const batches = Array.from({length: 20}, () => {
      const start = process.hrtime.bigint();
      for (let i = 0; i < 20_000; i++) run();
      return Number(process.hrtime.bigint() - start) / 20_000;
    });
    return Math.min(...batches);
  };
  const empty = perCall(() => undefined);
  const inC = entry.bench(inputs, outputs, 20_000, 1000).toSorted()[10_000] ?? 0;
  const call = perCall(() => entry.call(inputs, outputs)) - empty;
  const fix = perCall(fixed) - empty;
  t.log(`call ${call.toFixed(0)} ns, fixed ${fix.toFixed(0)} ns, in C with its clock ${inC} ns`);
  t.true(call < 20_000);
  t.true(fix < 20_000);
});
