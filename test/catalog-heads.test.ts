/** Heads of one task on another one's compressed networks: which of these, and that a build computes them once. */
import {writeFileSync} from 'node:fs';
import {join} from 'node:path';
import test from 'ava';
import {build} from '../compiler/build.js';
import type {Attempt} from '../compiler/catalog/attempt.js';
import {trunksOf} from '../compiler/catalog/heads.js';
import {findVariants} from '../compiler/catalog/index.js';
import type {DataRef, Done, Job, ResultOf, RetargetJob} from '../compiler/catalog/jobs.js';
import {perform} from '../compiler/catalog/perform/index.js';
import {rootOf} from '../compiler/catalog/roots.js';
import {openStore} from '../compiler/catalog/store.js';
import {openDataset} from '../compiler/data/dataset.js';
import {targetsNamed} from '../compiler/host.js';
import {resolveTasks} from '../compiler/tasks.js';
import {npz, splits} from '../examples/signs/data.js';
import {temporaryFolder} from './support/temporary.js';
import {hasCompiler} from './tiny-build.js';

process.env.XDG_CACHE_HOME = temporaryFolder();
const flags = ['shape', 'colour'].map(name => `${name}=examples/signs/models/sign-${name}.onnx`);

const attempt = (recipe: string, cycles: number, loss: number): Attempt => ({
  ...{recipe, from: 'full', network: recipe, reports: [], loss, error: 0, dropped: null, seconds: 1},
  measured: {right: '1', costs: {...{macs: 1, weightBytes: 1, arenaBytes: 1, loadBytes: 1}, ...{cycles, p50: 1, p90: 1}}},
});

test('trunks are the network as it is, and the most accurate ones that are much cheaper each', t => {
  const kept = [
    attempt('full', 900, 0),
    attempt('w8', 880, 0),
    attempt('int8', 500, 0.1),
    attempt('lowrank:0.75', 600, 0.2),
    attempt('prune:0.55+int8', 300, 1.5),
    attempt('lowrank:0.75+int8', 320, 0.3),
  ];
  t.deepEqual(
    trunksOf(kept).map(({recipe}) => recipe),
    ['full', 'int8', 'lowrank:0.75+int8'],
  );
  t.deepEqual(trunksOf([attempt('full', 900, 0)]).length, 1);
});

test('heads are tried on the network as it is, and on what is kept of it and much cheaper', async t => {
  const path = join(temporaryFolder(), 'signs.npz');
  writeFileSync(path, npz({seed: splits.evaluate, count: 100}));
  const {tasks} = resolveTasks({tasks: flags, config: 'examples/signs/dnnc.config.json'});
  const data = new Map(tasks.map(({name}) => [name, {path, data: openDataset(path, {labelsKey: `y_${name}`})}] as const));
  const store = openStore(temporaryFolder());
  // Steps of a network: bytes take half of the cycles and a quarter of the room, nothing else applies.
  const steps = new Map<string, readonly string[]>();
  const jobs: RetargetJob[] = [];
  const resultOf = (job: Job): ResultOf<Job> => {
    if (job.kind === 'make') {
      if (job.step !== 'int8') return {refused: 'is not for this network'};
      const network = store.put(Buffer.from(`${job.network} int8`));
      steps.set(network, ['int8']);
      return {network, report: {task: job.question.name, recipe: job.step, layers: []}};
    }
    if (job.kind === 'retarget') {
      jobs.push(job);
      const head = {...{task: 'colour', recipe: 'retarget@2', cut: 'c', grid: 2, lambda: 0.01}, ...{trunkMacs: 5, headMacs: 1}};
      const network = store.put(Buffer.from(`${job.trunk.network} head`));
      if (steps.has(job.trunk.network)) steps.set(network, ['int8', 'head']);
      return {heads: [{network, head: {...head, heldOut: 99, seconds: 1}}], missing: []};
    }
    const part = steps.has(job.network) ? 0.5 : 1;
    const costs = {...{macs: 9, weightBytes: 9, arenaBytes: 9}, ...{loadBytes: 4000 * part ** 2, cycles: 1000 * part}};
    return {right: '1'.repeat(100), costs: {...costs, p50: 1, p90: 1}};
  };
  const found = await findVariants(tasks, {
    ...{maxLoss: 2, evaluate: data, calibrate: data, fit: new Map([['colour', data.get('colour')!]]), balance: false},
    ...{method: 'min-max', target: 'generic', profiles: [], bind: new Map(), store},
    run: async <J extends Job>(job: J): Promise<Done<J>> => ({result: resultOf(job) as ResultOf<J>, seconds: 1}),
  });
  t.deepEqual(
    jobs.map(({question, trunk}) => [question.name, trunk.question.name, steps.get(trunk.network) ?? []]),
    [
      ['colour', 'shape', []],
      ['colour', 'shape', ['int8']],
    ],
  );
  t.deepEqual(
    found.log.tried.filter(({recipe}) => recipe.includes('@')).map(({recipe, from, kept}) => [recipe, from, kept]),
    [
      ['retarget@2', 'shape/full', false],
      ['int8+retarget@2', 'shape/int8', true],
    ],
  );
});

(hasCompiler ? test : test.skip)('a head on bytes of another task, and that task, run one trunk', async t => {
  t.timeout(300_000);
  const folder = temporaryFolder();
  const path = join(folder, 'signs.npz');
  writeFileSync(path, npz({seed: splits.evaluate, count: 200}));
  const {tasks} = resolveTasks({tasks: flags, config: 'examples/signs/dnnc.config.json'});
  const store = openStore(join(folder, 'store'));
  const [own, its] = [tasks[0]!, tasks[1]!];
  const [shape, colour] = [rootOf(own, new Map(), store), rootOf(its, new Map(), store)];
  const data = (labelsKey: string): DataRef => ({path, sha256: 'signs', labelsKey});
  const made = await perform(
    {kind: 'make', question: shape.question, network: shape.network, step: 'int8', method: 'min-max', samples: data('y_shape')},
    store,
  );
  const bytes = 'network' in made.result ? made.result.network : '';
  // A step that finds nothing that holds is an answer, no error.
  const tied = await perform(
    {kind: 'make', question: shape.question, network: shape.network, step: 'tie', method: 'min-max', samples: data('y_shape')},
    store,
  );
  t.regex('refused' in tied.result ? tied.result.refused : '', /no layer changes and holds/);
  const {heads} = (
    await perform(
      {
        ...{kind: 'retarget', question: colour.question, network: colour.network, balance: false},
        ...{trunk: {question: shape.question, network: bytes}, fit: data('y_colour')},
      },
      store,
    )
  ).result;
  t.true(heads.length >= 1);
  const last = heads.at(-1)!;
  t.true(last.head.heldOut > 60, `${last.head.heldOut}`);
  const recipe = `int8+${last.head.recipe}`;
  const other = (network: string, name: string) => ({recipe: name, model: store.fileOf(network), output: null});
  const {manifest} = await build(
    [
      {...own, others: [other(bytes, 'int8')]},
      {...its, others: [other(last.network, recipe)]},
    ],
    {directory: join(folder, 'out'), name: 'signs', targets: targetsNamed(['generic']), measure: false, typed: false},
  );
  const variant = (id: string) => manifest.variants.find(each => each.id === id)!;
  const [trunk] = variant('shape/int8').path;
  t.is(variant(`colour/${recipe}`).path[0], trunk);
  const macs = manifest.segments.find(({id}) => id === trunk)!.macs;
  t.true(macs >= 0.9 * last.head.trunkMacs, `${macs} of ${last.head.trunkMacs} are shared`);
});
