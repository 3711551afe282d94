/** How tasks are cut into segments, from modules as text; and that models which share compute the same, once. */
import {readFileSync} from 'node:fs';
import {join} from 'node:path';
import test from 'ava';
import {parse} from '../ir/parse.js';
import {pathOf, segmentsOf} from '../ir/segments.js';
import {DnncRuntimeError, load} from '../runtime/index.js';
import {documentOf, dnnc as run} from './support/cli.js';
import {temporaryFolder} from './support/temporary.js';
import {hasCompiler} from './tiny-build.js';

/** Layers that multiply, so that sharing them is worth it. */
const moduleOf = (body: string) => parse(`dnnc-ir 1 module @m { input %x : f32[1,4] ${body} }`);
const weights = (...names: string[]): string => names.map((name, i) => `const %${name} : f32[4,4] = random(${i + 1})`).join('\n');
const layer = (y: string, x: string, w: string): string => `%${y} = linear(%${x}, %${w}) : f32[1,4]`;

/** `name from>to tasks` of each segment. */
const told = (module: ReturnType<typeof moduleOf>, granularity?: 'all'): readonly string[] => {
  const name = (id: number | null): string =>
    id === null ? '' : module.graph.nodes.flatMap(({outputs}) => outputs).find(value => value.id === id)!.name;
  return segmentsOf(module, granularity).map(
    ({name: own, from, to, heads}) => `${own} ${name(from)}>${name(to)} ${heads.map(head => head.name)}`,
  );
};

test('two tasks part at the last cut that both have', t => {
  const module = moduleOf(`${weights('a', 'b', 'c', 'd')}
    ${layer('t', 'x', 'a')} ${layer('u', 't', 'b')} ${layer('y', 'u', 'c')} ${layer('z', 'u', 'd')} head @one = %y head @two = %z`);
  t.deepEqual(told(module), ['trunk >u one,two', 'one_head u> one', 'two_head u> two']);
  t.deepEqual(
    pathOf(segmentsOf(module), module.heads[1]!).map(({name}) => name),
    ['trunk', 'two_head'],
  );
});

test('three tasks part one after the other, and one that shares nothing has no segment', t => {
  const module = moduleOf(`${weights('a', 'b', 'c', 'd', 'e')}
    ${layer('t', 'x', 'a')} ${layer('u', 't', 'b')} ${layer('y', 'u', 'c')} ${layer('z', 'u', 'd')} ${layer('o', 't', 'c')} ${layer('p', 'x', 'e')}
    head @one = %y head @two = %z head @early = %o head @alone = %p`);
  t.deepEqual(told(module), [
    'trunk_1 >t one,two,early',
    'trunk_2 t>u one,two',
    'one_head u> one',
    'two_head u> two',
    'early_head t> early',
  ]);
});

test('all cuts: every piece multiplies, trunks are cut where all their tasks can be', t => {
  const chain = moduleOf(`${weights('a', 'b', 'c')}
    ${layer('t', 'x', 'a')} %r = relu(%t) : f32[1,4] ${layer('u', 'r', 'b')} ${layer('y', 'u', 'c')} %s = relu(%y) : f32[1,4] head @one = %s`);
  t.deepEqual(told(chain), []);
  t.deepEqual(told(chain, 'all'), ['one_head_1 >t one', 'one_head_2 t>u one', 'one_head_3 u> one']);
  const two = moduleOf(`${weights('a', 'b', 'c', 'd')}
    ${layer('t', 'x', 'a')} ${layer('u', 't', 'b')} ${layer('y', 'u', 'c')} ${layer('z', 'u', 'd')} head @one = %y head @two = %z`);
  t.deepEqual(told(two, 'all'), ['trunk_1 >t one,two', 'trunk_2 t>u one,two', 'one_head u> one', 'two_head u> two']);
});

test('behind what only moves data, some share a trunk and others do not', t => {
  const module = moduleOf(`${weights('a', 'b', 'c', 'd')} %q = relu(%x) : f32[1,4]
    ${layer('t', 'q', 'a')} ${layer('y', 't', 'b')} ${layer('z', 't', 'c')} ${layer('o', 'q', 'd')}
    head @one = %y head @other = %o head @two = %z`);
  t.deepEqual(told(module), ['trunk >t one,two', 'one_head t> one', 'two_head t> two']);
});

test('equal tasks are one segment; what only moves data is none', t => {
  const same = moduleOf(`${weights('a')} ${layer('y', 'x', 'a')} head @one = %y head @two = %y`);
  t.deepEqual(told(same), ['one_head > one,two']);
  const moved = moduleOf(`${weights('a', 'b')} %r = relu(%x) : f32[1,4] ${layer('y', 'r', 'a')} ${layer('z', 'r', 'b')}
    head @one = %y head @two = %z`);
  t.deepEqual(told(moved), []);
});

test('a trunk ends before what one of its tasks still needs from earlier', t => {
  const module = moduleOf(`${weights('a', 'b', 'c')}
    ${layer('t', 'x', 'a')} ${layer('u', 't', 'b')} %s = add(%u, %t) : f32[1,4] ${layer('z', 'u', 'c')} head @skips = %s head @plain = %z`);
  t.deepEqual(told(module), ['trunk >t skips,plain', 'skips_head t> skips', 'plain_head t> plain']);
});

const folder = temporaryFolder();
const models = ['sign-shape', 'sign-colour', 'weather'].map(name => `examples/signs/models/${name}.onnx`);
type Document = {shared: {tasks: string[]; macs: number; weightBytes: number; cut: string}[]};

(hasCompiler ? test : test.skip)('models with a common trunk: found, reported, and the same to the last bit', async t => {
  t.timeout(300_000);
  const build = async (name: string, ...flags: string[]) => {
    const outcome = await run([
      'build',
      ...models,
      '-o',
      join(folder, name),
      '--target',
      'generic',
      '--no-measure',
      '--json',
      ...flags,
    ]);
    t.is(outcome.code, 0, outcome.stderr);
    return {document: documentOf<Document>(outcome), session: load(join(folder, name))};
  };
  const once = await build('once');
  const apart = await build('apart', '--share', 'off');
  t.like(once.document.shared[0], {tasks: ['sign-shape', 'sign-colour'], macs: 6220800});
  t.is(once.document.shared.length, 1);
  t.deepEqual(apart.document.shared, []);

  const tasks = ['sign-shape', 'sign-colour', 'weather'];
  const [input] = once.session.entry('sign-shape').newInputs();
  const pixels = (input as Float32Array).map((_, i) => Math.sin(i));
  const together = once.session.runTogether(tasks, pixels);
  for (const task of tasks) {
    const {scores, label} = apart.session.run(task, pixels);
    t.deepEqual(together[task]?.scores, scores, task);
    t.deepEqual(once.session.run(task, pixels).scores, scores, task);
    t.is(together[task]?.label, label);
  }
});

(hasCompiler ? test : test.skip)('a task runs to any cut, and from it on, to the last bit', async t => {
  const place = join(folder, 'cuts');
  const outcome = await run(['build', models[2]!, '--cuts', 'all', '-o', place, '--target', 'generic', '--no-measure', '--json']);
  t.is(outcome.code, 0, outcome.stderr);
  const session = load(place);
  const [input] = session.entry('weather').newInputs();
  const pixels = (input as Float32Array).map((_, i) => Math.cos(i));
  const {scores, label} = session.run('weather', pixels);
  const {cuts} = session.manifest;
  t.true(cuts.length >= 3);
  for (const {id, bytes} of cuts) {
    const activation = session.runTo('weather', id, pixels);
    t.is(activation.byteLength, bytes);
    t.like(session.runFrom('weather', id, activation), {scores, label});
  }
  const wrong = (action: () => unknown): string | undefined => t.throws(action, {instanceOf: DnncRuntimeError})?.code;
  t.is(
    wrong(() => session.runTo('weather', 'nowhere', pixels)),
    'session.cut',
  );
  t.is(
    wrong(() => session.runFrom('weather', cuts[0]!.id, new Float32Array(3))),
    'session.cut',
  );
  t.is(
    wrong(() => session.segment('nothing')),
    'session.segment',
  );

  // Every segment's weights lie together; giving them back takes memory from the process, not answers from the user.
  const {segments, weights} = session.manifest;
  t.true(segments.every(segment => segment.weights));
  t.true(segments.reduce((sum, segment) => sum + segment.weights!.bytes, 0) <= weights.bytes);
  for (const {id} of segments) session.loadSegment(id);
  const before = residentOf(join(place, weights.file));
  const given = segments.reduce((sum, {id}) => sum + session.unloadSegment(id), 0);
  t.true(given > 0.7 * weights.bytes, `${given} of ${weights.bytes}`);
  const after = residentOf(join(place, weights.file));
  t.true(before === null || before - after! >= given, `${before} ${after}`);
  t.deepEqual(session.run('weather', pixels).scores, scores);
  session.unload();
  const low = residentOf(join(place, weights.file));
  const loads = segments.map(({id}) => session.loadSegmentAsync(id));
  t.deepEqual(session.run('weather', pixels).scores, scores, 'calls go on while weights are read');
  t.deepEqual(
    await Promise.all(loads),
    segments.map(({id}) => session.loadSegment(id)),
  );
  t.true(low === null || residentOf(join(place, weights.file))! - low >= given, `${low}`);
  await t.throwsAsync(session.loadSegmentAsync('nothing'), {message: /session\.segment/});
  t.is(
    wrong(() => session.loadSegment('nothing')),
    'session.segment',
  );
});

/** Bytes of a mapped file in this process's memory, where the system says so. */
function residentOf(file: string): number | null {
  if (process.platform !== 'linux') return null;
  const lines = readFileSync('/proc/self/smaps', 'utf8').split('\n');
  const at = lines.findIndex(line => line.endsWith(file));
  const resident = lines.slice(at).find(line => line.startsWith('Rss:'));
  return 1024 * Number(/\d+/.exec(resident ?? '')?.[0] ?? 0);
}
