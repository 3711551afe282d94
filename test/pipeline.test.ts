/** The order of passes, without running anything; what the manager holds passes to; and rest: a second run changes nothing. */
import test from 'ava';
import {exact} from '../compiler/pipeline.js';
import {DnncError} from '../ir/diagnostics.js';
import {parse} from '../ir/parse.js';
import {print} from '../ir/print.js';
import type {Module, ValueId} from '../ir/types.js';
import {checkPipeline, PassFailure, type PassReport, runPasses} from '../passes/framework/manager.js';
import {definePass, type Pass} from '../passes/framework/pass.js';
import {filesBelow, halvesOf, read} from './support/files.js';
import {randomModule} from './support/random-module.js';

const passCases = filesBelow('passes', '.ir').map(file => parse(halvesOf(file).before, {file}));
const fixtures = filesBelow('test/fixtures', '.ir').map(file => parse(read(file), {file}));
const modules: readonly Module[] = [...passCases, ...fixtures, ...Array.from({length: 40}, (_, i) => randomModule(9000 + i))];

/** An id by number, as a parser gives it to the value at that place. */
const valueId = (number: number): ValueId =>
  parse(`dnnc-ir 1 module @ids { ${Array.from({length: number}, (_, i) => `input %v${i} : f32[]`).join(' ')} }`).graph.inputs.at(
    -1,
  )!.id;

const small = parse('dnnc-ir 1 module @m { input %x : f32[2] %y = relu(%x) : f32[2] head @h = %y }');

const pass = (rest: Partial<Pass>): Pass =>
  definePass({
    name: 'strange',
    summary: 'a pass for this test',
    requires: [],
    establishes: [],
    breaks: [],
    tolerance: null,
    stats: {},
    run: module => module,
    ...rest,
  });

test('the pipeline gives every pass what it requires', t => {
  t.notThrows(() => checkPipeline(exact));
  t.is(new Set(exact.map(({name}) => name)).size, new Set(exact).size);
});

test('a pass before what it requires is refused by name, without a module', t => {
  const fuse = exact.find(({name}) => name === 'fuse')!;
  const error = t.throws(() => checkPipeline([fuse, ...exact]), {instanceOf: DnncError});
  t.is(error?.kind, 'bug');
  t.is(error?.message, "pipeline.order: fuse: requires 'batchnorm-folded', which nothing before it establishes");
  for (const [i, {requires}] of exact.entries())
    if (requires.some(need => need !== 'well-formed'))
      t.throws(() => checkPipeline(exact.slice(i)), {message: /pipeline\.order/}, `${exact[i]!.name} first`);
});

test('what a pass breaks no longer holds', t => {
  const breaking = pass({requires: ['unique'], breaks: ['unique']});
  const establishing = pass({establishes: ['unique']});
  t.notThrows(() => checkPipeline([establishing, breaking]));
  t.throws(() => checkPipeline([establishing, breaking, breaking]), {message: /requires 'unique'/});
});

test('a pass that throws leaves the module that it was given, and its name', t => {
  const failing = pass({
    run: () => {
      throw new RangeError('of its own');
    },
  });
  const error = t.throws(() => runPasses(small, [failing]), {instanceOf: PassFailure});
  t.is(error?.kind, 'bug');
  t.is(error?.pass, 'strange');
  t.is(error?.before, small);
  t.true(error?.cause instanceof RangeError);
  t.regex(error?.message ?? '', /pass\.failed: pass strange: of its own/);
});

test('a pass that counts what it does not declare is refused', t => {
  const counting = pass({
    run: (module, context) => {
      context.count('apples');
      return module;
    },
  });
  t.throws(() => runPasses(small, [counting]), {message: /does not declare the statistic "apples"/});
});

test('every invariant that holds is checked after a pass', t => {
  const {graph} = small;
  const backwards: Pass = pass({run: module => ({...module, graph: {...graph, inputs: []}})});
  t.throws(() => runPasses(small, [backwards]), {message: /well-formed\.order.*before it is made/s});
  const [relu] = graph.nodes;
  const wrongType: Pass = pass({
    run: module => ({
      ...module,
      graph: {...graph, nodes: [{...relu!, outputs: [{...relu!.outputs[0], type: {dtype: 'f32', shape: [3]}}]}]},
    }),
  });
  t.throws(() => runPasses(small, [wrongType]), {message: /inferred: %y = relu: has type f32\[3\], but its rule gives f32\[2\]/});
  const [y] = relu!.outputs;
  const z = {...y, id: valueId(1 + y.id), name: 'z'};
  const twice: Pass = pass({
    establishes: ['unique'],
    run: module => ({...module, graph: {...graph, nodes: [relu!, {...relu!, outputs: [z]}]}}),
  });
  t.throws(() => runPasses(small, [twice]), {message: /unique: %z = relu: computes the same as %y/});
});

test('observers see every pass, whether it changed something, and what it counted', t => {
  const seen: PassReport[] = [];
  const module = parse(halvesOf('passes/fuse/cases/relu-into-convolution.ir').before);
  const result = runPasses(module, exact, report => seen.push(report));
  t.deepEqual(
    seen.map(report => report.pass.name),
    exact.map(({name}) => name),
  );
  t.deepEqual(
    seen.filter(({changed}) => changed).map(report => report.pass.name),
    ['fuse'],
  );
  t.deepEqual([...seen.find(({changed}) => changed)!.counts], [['fused', 1]]);
  t.is(seen.at(-1)!.module, result);
});

test('no pass changes its input, and one that finds nothing returns it', t => {
  for (const module of modules) {
    let current = module;
    runPasses(module, exact, ({module: next, changed, pass: {name}}) => {
      if (!changed) t.is(next, current, `${name} on ${module.name}`);
      else t.not(print(next), print(current), `${name} on ${module.name}`);
      current = next;
    });
  }
});

test('the pipeline comes to rest: a second run returns the same object', t => {
  for (const module of modules) {
    const before = print(module);
    const once = runPasses(module, exact);
    t.is(runPasses(once, exact), once, module.name);
    t.is(print(module), before, 'the original is as it was');
  }
});

test('every pass says in words what it counts and does', t => {
  for (const {summary, stats, name} of exact) {
    t.true(summary.length > 10, name);
    for (const words of Object.values(stats)) t.true(words.length > 5, name);
  }
});
