/** The catalog's parts: what is tried, in which order samples are looked at, who beats whom, and files of networks. */
import test from 'ava';
import type {Attempt} from '../compiler/catalog/attempt.js';
import {frontOf, type Point} from '../compiler/catalog/front.js';
import type {Done, Job, Measured, MeasureJob, ResultOf, Run} from '../compiler/catalog/jobs.js';
import {judge} from '../compiler/catalog/judge.js';
import type {TriedCosts} from '../compiler/catalog/log.js';
import {evaluationOrder, isHopeless, lossOf} from '../compiler/catalog/order.js';
import {search} from '../compiler/catalog/search.js';
import {isNetworkFile, onlyHead, readNetwork, writeNetwork} from '../compiler/network-file.js';
import {DnncError} from '../ir/diagnostics.js';
import {headOf} from '../ir/graph.js';
import {parse} from '../ir/parse.js';
import {print} from '../ir/print.js';
import {randomOf} from './support/tensors.js';

const point = (accuracy: number, time: number, bytes: number): Point => ({accuracy, costs: {time, bytes}});

test('the front: nobody on it is beaten, everybody off it is, by one that is on it', t => {
  t.deepEqual(frontOf([point(0.9, 10, 10), point(0.9, 5, 10), point(0.8, 5, 10), point(0.8, 9, 1), point(0.95, 20, 20)]), [
    1,
    null,
    1,
    null,
    null,
  ]);
  // Within 3% costs are the same: one of two equals stays.
  t.deepEqual(frontOf([point(0.9, 1, 1), point(0.9, 0.98, 1.01)]), [1, null]);
  const random = randomOf(3);
  for (let round = 0; round < 200; round++) {
    const draw = (): number => Math.ceil(4 * random.unit());
    const points = Array.from({length: 8}, () => point(draw(), draw(), draw()));
    const by = frontOf(points);
    const notWorse = (a: Point, b: Point): boolean =>
      a.accuracy >= b.accuracy && a.costs.time! <= b.costs.time! && a.costs.bytes! <= b.costs.bytes!;
    by.forEach((winner, i) => {
      if (winner !== null) {
        t.is(by[winner], null);
        t.true(notWorse(points[winner]!, points[i]!));
      } else {
        const others = by.flatMap((each, j) => (each === null && j !== i ? [points[j]!] : []));
        t.false(others.some(other => notWorse(other, points[i]!)));
      }
    });
  }
});

test('costs that one of two variants lacks are not compared', t => {
  const own: Point = {accuracy: 0.8, costs: {time: 20, own: 1}};
  t.deepEqual(frontOf([{accuracy: 0.9, costs: {time: 10, own: 10}}, own]), [null, null]);
  t.deepEqual(frontOf([{accuracy: 0.9, costs: {time: 10}}, own]), [null, 0]);
});

test('samples are looked at once each, part by part, each part spread over the data', t => {
  for (const count of [1, 7, 30, 47, 150, 1000, 3001]) {
    const parts = evaluationOrder(count);
    t.deepEqual(
      parts.flat().toSorted((a, b) => a - b),
      Array.from({length: count}, (_, i) => i),
    );
    t.true(parts.slice(0, -1).every(part => part.length >= 20));
  }
  t.deepEqual(
    evaluationOrder(1600).map(part => part.length),
    [100, 300, 1200],
  );
});

test('the loss is that of pairs; a variant is given up only where the samples seen leave no doubt', t => {
  t.deepEqual(lossOf('1111', '1111'), {loss: 0, error: 0});
  // Differences 1, -1, 0, 0: none lost on average, variance 1/2 over 4 samples.
  t.deepEqual(lossOf('1011', '0111'), {loss: 0, error: 100 * Math.sqrt(0.5 / 4)});
  t.is(lossOf('11111111', '1110').loss, 25);
  const full = '1'.repeat(400);
  t.true(isHopeless(full, '0'.repeat(40) + '1'.repeat(60), 2));
  t.false(isHopeless(full, `${'0'.repeat(4)}${'1'.repeat(96)}`, 2));
  t.false(isHopeless(full, '1'.repeat(100), 0));
});

const network = parse(`dnnc-ir 1
module @net {
  input %x : f32[1,3,8,8]
  const %w : f32[4,3,3,3] = random(1)
  const %v : f32[5,4] = random(2)
  const %u : f32[2,4] = random(3)
  %c = conv2d(%x, %w) {pads = [1, 1, 1, 1]} : f32[1,4,8,8]
  %r = relu(%c) : f32[1,4,8,8]
  %p = avgpool(%r) {kernel = [8, 8]} : f32[1,4,1,1]
  %f = reshape(%p) {shape = [1, 4]} : f32[1,4]
  %y = linear(%f, %v) : f32[1,5]
  %z = linear(%f, %u) : f32[1,2]
  head @y = %y {outputs = ["scores"]}
  head @z = %z
}`);

test('a network in a file is the same module, with nothing that its head does not need', t => {
  const module = onlyHead(network, headOf(network, 'y'));
  t.is(module.graph.constants.length, 2);
  const bytes = writeNetwork(module);
  const read = readNetwork(bytes, 'y.network');
  t.is(print(read), print(module));
  t.deepEqual(
    read.graph.constants.map(({blob}) => blob.bytes),
    module.graph.constants.map(({blob}) => blob.bytes),
  );
  t.deepEqual(writeNetwork(read), bytes);
  t.true(isNetworkFile('/x/y.network'));
  t.false(isNetworkFile('/x/y.onnx'));
});

test('whatever the bytes of a network file, there is a network or one error that names the file', t => {
  const good = writeNetwork(onlyHead(network, headOf(network, 'y')));
  const random = randomOf(5);
  const codes = new Set<string>();
  const tryRead = (bytes: Uint8Array): void => {
    try {
      readNetwork(bytes, 'bad.network');
    } catch (error) {
      if (!(error instanceof DnncError)) throw error;
      t.true(error.message.includes('bad.network'));
      codes.add(error.problems[0]!.code);
    }
  };
  for (let i = 0; i < 300; i++) {
    const bytes = Uint8Array.from(good);
    bytes[Math.floor(random.unit() * bytes.length)]! ^= 1 << Math.floor(8 * random.unit());
    tryRead(bytes);
    tryRead(good.subarray(0, Math.floor(random.unit() * good.length)));
  }
  tryRead(writeNetwork(network));
  t.true(codes.has('network.format') && codes.has('network.damaged'));
});

// A search among networks that are only names: what a step makes of one, and what it is worth, follows from simple rules.

const costs = (kilocycles: number, loadBytes: number): TriedCosts => ({
  ...{macs: 1e6 * kilocycles, weightBytes: loadBytes, arenaBytes: 1000, loadBytes},
  ...{cycles: 1000 * kilocycles, p50: kilocycles / 2000, p90: kilocycles / 1000},
});

type World = {
  /** Samples of 1000 that are answered wrong after these steps. */
  readonly wrong: (steps: readonly string[]) => number;
  readonly costs: (steps: readonly string[]) => TriedCosts;
  readonly refuses?: (step: string) => string | null;
};

function runIn({wrong, costs: costsOf, refuses = () => null}: World, jobs: Job[]): Run {
  const stepsOf = (name: string): readonly string[] => (name === 'full' ? [] : name.split('+'));
  const resultOf = (job: Job): ResultOf<Job> => {
    if (job.kind === 'retarget') throw new Error('not searched for');
    if (job.kind === 'make') {
      const says = refuses(job.step);
      if (says !== null) return {refused: says};
      const made = [...stepsOf(job.network), job.step].join('+');
      return {network: made, report: {task: 'task', recipe: job.step, layers: []}};
    }
    const steps = stepsOf(job.network);
    const own = costsOf(steps);
    const {above} = job;
    const dear = above !== null && (['cycles', 'loadBytes', 'macs'] as const).every(name => own[name] >= above[name]);
    return {right: dear ? '' : '0'.repeat(wrong(steps)).padEnd(1000, '1'), costs: own};
  };
  return async <J extends Job>(job: J): Promise<Done<J>> => {
    jobs.push(job);
    return {result: resultOf(job) as ResultOf<J>, seconds: 1};
  };
}

type Settings = {readonly maxLoss?: number; readonly samples?: boolean; readonly jobs?: Job[]; readonly run?: Run};

const searchIn = async (world: World, {maxLoss = 2, samples = true, ...given}: Settings = {}): Promise<readonly Attempt[]> => {
  const {run = runIn(world, given.jobs ?? [])} = given;
  const data = {path: '/data', sha256: 'd', labelsKey: null};
  let left = 0;
  const attempts = await search({
    ...{question: {name: 'task', labels: null, labelOffset: 0, input: null}, network: 'full', others: []},
    ...{samples: samples ? data : null, evaluate: data, method: 'min-max', target: 'generic', profiles: [], maxLoss},
    ...{run, tell: () => {}},
    expect(change) {
      left += change;
      if (left < 0) throw new Error('fewer attempts were expected');
    },
  });
  if (left !== 0) throw new Error(`${left} attempts were expected that never came`);
  return attempts;
};

const shareOf = (step: string): number => Number(/^(?:lowrank|prune):([\d.]+)/.exec(step)?.[1] ?? 1);

/** Wrong answers grow as the share shrinks: `per` each tenth of the time that is saved. */
const gradual = (per: number): World => ({
  wrong: steps => Math.round(steps.reduce((sum, step) => sum + 10 * (1 - shareOf(step)) * per, 0)),
  costs: steps => {
    const time = steps.reduce((product, step) => product * shareOf(step) * (step === 'int8' ? 0.5 : 1), 100);
    const bytes = steps.reduce(
      (product, step) => product * (step === 'int8' || step === 'w8' ? 0.25 : /^w4/.test(step) ? 0.13 : shareOf(step)),
      1e6,
    );
    return costs(time, Math.round(bytes));
  },
});

test('shares are tried from mild to strong until one loses too much, and once between', async t => {
  const recipes = (await searchIn(gradual(4))).map(({recipe}) => recipe);
  // 40 lost of 1000 for all of the time: 2 points are 0.5 of it.
  for (const recipe of ['lowrank:0.75', 'lowrank:0.55', 'lowrank:0.4', 'lowrank:0.48']) t.true(recipes.includes(recipe), recipe);
  t.false(recipes.includes('lowrank:0.3'));
  t.is(recipes[0], 'full');
  // What follows a network that holds, and only such.
  for (const recipe of [
    'lowrank:0.55+int8',
    'prune:0.55+int8',
    'lowrank:0.55+w4',
    'lowrank:0.6:macs',
    'lowrank:0.6:macs+int8',
    'prune:0.75+lowrank:0.6:macs',
  ])
    t.true(recipes.includes(recipe), recipe);
  t.false(recipes.some(recipe => recipe.startsWith('lowrank:0.4+')));
  t.is(new Set(recipes).size, recipes.length);
});

test('with nothing to lose nothing is shrunk further; without samples only what needs none is made', async t => {
  const strict = await searchIn(gradual(4), {maxLoss: 0});
  t.deepEqual(
    strict.filter(({dropped, recipe}) => dropped === null && /lowrank|prune/.test(recipe)),
    [],
  );
  const jobs: Job[] = [];
  const blind = await searchIn(gradual(4), {samples: false, jobs});
  t.deepEqual(
    jobs.flatMap(job => (job.kind === 'make' ? [job.step] : [])),
    ['w8'],
  );
  t.regex(blind.find(({recipe}) => recipe === 'int8')!.dropped!, /--calibrate/);
});

test('a step that does not apply ends its branch and says why; one that saves nothing is not evaluated', async t => {
  const gone = await searchIn({
    ...gradual(1),
    refuses: step => (/lowrank/.test(step) ? 'has no layer that could be smaller' : null),
  });
  t.deepEqual(
    gone.filter(({recipe}) => recipe.startsWith('lowrank')).map(({recipe, dropped}) => [recipe, dropped]),
    ['lowrank:0.75', 'lowrank:0.6:macs'].map(recipe => [recipe, 'has no layer that could be smaller']),
  );
  const jobs: Job[] = [];
  const same = await searchIn({wrong: () => 0, costs: () => costs(10, 100)}, {jobs});
  t.true(same.slice(1).every(({dropped}) => /no cheaper than full/.test(dropped!)));
  t.true(jobs.filter((job): job is MeasureJob => job.kind === 'measure').every((job, i) => (job.above === null) === (i === 0)));
});

test('another structure gets bytes where it holds, and low rank where it leaves room', async t => {
  const world: World = {
    wrong: steps => gradual(1).wrong(steps) + (steps.includes('int8') ? 1 : 0),
    refuses: step => (step === 'tie' ? 'has no local layer' : null),
    costs: steps => {
      const own = gradual(1).costs(steps);
      // In no other cost does it differ from the network as it is.
      return steps[0] === 'stride' ? {...own, macs: own.macs / 2} : own;
    },
  };
  const tried = await searchIn(world);
  const recipes = tried.map(({recipe}) => recipe);
  for (const recipe of ['stride', 'stride+int8', 'stride+lowrank:0.6:macs']) t.true(recipes.includes(recipe), recipe);
  t.is(tried.find(({recipe}) => recipe === 'stride')!.dropped, null);
  t.is(tried.find(({recipe}) => recipe === 'tie')!.dropped, 'has no local layer');
  t.regex(judge('task', tried, new Set()).find(({recipe}) => recipe === 'stride')!.reason, /2\.00x fewer MACs/);
  const costly = await searchIn({...world, wrong: steps => (steps.includes('stride') ? 15 : 0)});
  t.deepEqual(
    costly.map(({recipe}) => recipe).filter(recipe => recipe.startsWith('stride')),
    ['stride', 'stride+int8'],
  );
});

test('the same results give the same search, whatever the order in which jobs end', async t => {
  const plain = await searchIn(gradual(3));
  const jobs: Job[] = [];
  const run = runIn(gradual(3), jobs);
  const random = randomOf(9);
  const slow: Run = async job => {
    await new Promise(resolve => setTimeout(resolve, Math.floor(8 * random.unit())));
    return run(job);
  };
  const other = await searchIn(gradual(3), {run: slow});
  t.deepEqual(other, plain);
});

test('whatever the clock says, the same is tried and kept: times are only reported', async t => {
  const world = gradual(3);
  const facts = (attempts: readonly Attempt[]) =>
    judge('task', attempts, new Set()).map(({costs: its, ...tried}) => [tried, its && {...its, p50: 0, p90: 0}]);
  const plain = facts(await searchIn(world));
  t.true(plain.length > 12);
  const random = randomOf(11);
  for (let round = 0; round < 20; round++) {
    const off = (time: number): number => time * 10 ** (2 * random.unit() - 1);
    const noisy: World = {
      ...world,
      costs: steps => {
        const own = world.costs(steps);
        return {...own, p50: off(own.p50), p90: off(own.p90), cold: off(1)};
      },
    };
    t.deepEqual(
      facts(await searchIn(noisy)).map(([tried, its]) => [tried, its && {...its, cold: undefined}]),
      plain.map(([tried, its]) => [tried, its && {...its, cold: undefined}]),
    );
  }
});

test('an error of a job ends the search, and nothing else', async t => {
  const world = gradual(1);
  const jobs: Job[] = [];
  const run = runIn(world, jobs);
  const failing: Run = async job => {
    if (job.kind === 'make' && job.step === 'int8' && job.network !== 'full') throw new Error('the disk is full');
    await new Promise(resolve => setTimeout(resolve, job.kind === 'make' && job.step.startsWith('lowrank') ? 30 : 1));
    return run(job);
  };
  await t.throwsAsync(searchIn(world, {run: failing}), {message: 'the disk is full'});
});

test('steps of a recipe are reported with the recipe that they are part of', async t => {
  const attempts = await searchIn(gradual(1));
  const deep = attempts.find(({recipe}) => /^prune:.*lowrank:.*int8$/.test(recipe))!;
  const steps = deep.recipe.split('+');
  t.deepEqual(
    deep.reports.map(({recipe, step}) => [recipe, step]),
    steps.map(step => [deep.recipe, step]),
  );
  const single = attempts.find(({recipe}) => recipe === 'int8')!;
  t.deepEqual(
    single.reports.map(({recipe, step}) => [recipe, step]),
    [['int8', undefined]],
  );
});

test('what stays is the front, what the user named, and the network itself; each with its reason', t => {
  const measured = (right: number, kilocycles: number, loadBytes: number): Measured => ({
    right: '1'.repeat(right).padEnd(1000, '0'),
    costs: costs(kilocycles, loadBytes),
  });
  const full = measured(900, 10, 100);
  const attempt = (recipe: string, its: Measured | null, dropped: string | null = null): Attempt => ({
    ...{recipe, from: recipe === 'full' ? null : 'full', network: recipe, reports: [], seconds: 1, dropped, measured: its},
    ...(its ? lossOf(full.right, its.right) : {loss: 0, error: 0}),
  });
  const attempts = [
    attempt('full', full),
    attempt('int8', measured(899, 5, 25)),
    attempt('w8', measured(898, 10, 25)),
    attempt('lowrank:0.5', null, 'nothing applies'),
    attempt('mine', measured(850, 20, 200)),
  ];
  const tried = judge('task', attempts, new Set(['mine']));
  t.deepEqual(
    tried.map(({recipe, kept, reason}) => [recipe, kept, reason]),
    [
      ['full', true, 'the network as it is'],
      ['int8', true, '2.00x fewer cycles, 4.00x smaller, 2.00x fewer MACs, 0.10 points lost'],
      ['w8', false, 'int8 is as accurate and no dearer'],
      ['lowrank:0.5', false, 'nothing applies'],
      ['mine', true, 'named by you'],
    ],
  );
  t.like(tried[1]!.accuracy, {n: 1000, value: 89.9, loss: 0.1});
  t.is(tried[3]!.accuracy, undefined);
});
