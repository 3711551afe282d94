/** The package as its users import it, by name. */
import {mkdtempSync, readdirSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import test from 'ava';
import * as dnnc from 'dnnc';
import {load} from 'dnnc/runtime';
import {hasCompiler} from './tiny-build.js';

const model = fileURLToPath(new URL('../../examples/signs/models/number-compact.onnx', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'dnnc-api-'));
test.after.always(() => rmSync(folder, {recursive: true, force: true}));

/** Numbers between -1 and 1. */
const pixels = Float32Array.from({length: 3 * 48 * 48}, (_, i) => Math.sin(i * 0.7));

(hasCompiler ? test : test.skip)('a model is built and agrees with the reference evaluator', async t => {
  const {tasks} = dnnc.resolveTasks({models: [model]});
  const built = await dnnc.build(tasks, {
    directory: join(folder, 'number'),
    name: 'number',
    targets: dnnc.targetsNamed(['generic']),
    measure: false,
    flags: ['-O1'],
  });
  t.true(dnnc.isBuild(built.directory));
  const scores = load(built.directory).run('number-compact', pixels).scores as Float32Array;

  const {module} = dnnc.loadTasks(tasks, {name: 'number', bind: new Map()});
  const input = dnnc.tensorFrom('f32', [1, 3, 48, 48], pixels);
  const values = dnnc.evaluate(module, new Map([['pixels', input]]));
  const wanted = Array.from(values.get(module.heads[0]!.outputs[0]!)!.data, Number);
  t.is(scores.length, wanted.length);
  const largest = Math.max(...wanted.map(Math.abs));
  for (const [i, want] of wanted.entries()) t.true(Math.abs(scores[i]! - want) < 1e-4 * largest, `${i}: ${scores[i]}, ${want}`);
});

test('a module goes through text, passes and the back end without a file', t => {
  const {module: loaded} = dnnc.loadTasks(dnnc.resolveTasks({models: [model]}).tasks, {name: 'm', bind: new Map()});
  const bytes = new Map(loaded.graph.constants.map(({blob}) => [blob.hash, blob.bytes]));
  const module = dnnc.parse(dnnc.print(loaded), {blobs: hash => bytes.get(hash)});
  const reports: string[] = [];
  const optimized = dnnc.runPasses(module, dnnc.exact, ({pass}) => reports.push(pass.name));
  t.deepEqual(
    reports,
    dnnc.exact.map(({name}) => name),
  );
  t.true(optimized.graph.nodes.length < module.graph.nodes.length);
  const macs = dnnc.costOfHead(module.graph, module.heads[0]!).macs;
  t.is(macs, 769_640);
  const before = readdirSync(folder);
  const {texts, weights, plan} = dnnc.compile(module, {targets: dnnc.targets, sources: ['m.onnx']});
  t.deepEqual(readdirSync(folder), before);
  t.deepEqual(
    [...texts.keys()].map(({name}) => name),
    dnnc.targets.map(({name}) => name),
  );
  t.true(weights.length > 0);
  t.true(dnnc.printPlan(plan).includes('conv2d'));
});

test('errors have a kind, and problems with a rule, a place, values and a cure', t => {
  const error = t.throws(() => dnnc.resolveTasks({models: ['nowhere.onnx']}), {instanceOf: dnnc.DnncError});
  t.is(error?.kind, 'input');
  t.is(dnnc.exitCodes[error!.kind], 4);
  t.like(error?.problems[0], {code: 'file.missing', where: 'nowhere.onnx', cure: 'check the path'});
  t.throws(() => dnnc.targetsNamed(['vax']), {instanceOf: dnnc.DnncError, message: /vax.*generic/s});
});
