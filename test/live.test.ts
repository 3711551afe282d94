/** Variants that join a session while it runs, and a thread that fits them for what is asked for. */
import {createHash} from 'node:crypto';
import {writeFileSync} from 'node:fs';
import {join} from 'node:path';
import test from 'ava';
import {exitFile} from '../codegen/exit.js';
import {createFitter} from '../compiler/specialize/live/fitter.js';
import {type LiveOptions, specializeLive} from '../compiler/specialize/live/index.js';
import {createKept} from '../compiler/specialize/live/kept.js';
import {contextIn, isLike} from '../compiler/specialize/live/watch.js';
import {npz, splits} from '../examples/signs/data.js';
import {type AdoptedId, DnncRuntimeError, frequenciesIn, load, type Session, type Variant} from '../runtime/index.js';
import {dnnc} from './support/cli.js';
import {temporaryFolder} from './support/temporary.js';
import {hasCompiler} from './tiny-build.js';

const folder = temporaryFolder();
process.env['XDG_CACHE_HOME'] = join(folder, 'cache');
const compiled = hasCompiler ? test.serial : test.serial.skip;
const samples = join(folder, 'fit.npz');
const built = join(folder, 'built');

test.before(async t => {
  if (!hasCompiler) return;
  writeFileSync(samples, npz({seed: splits.fit, count: 150}));
  const {code, stderr} = await dnnc([
    ...['build', '--task', 'number=examples/signs/models/number-compact.onnx', '--config', 'examples/signs/dnnc.config.json'],
    ...['--target', 'generic', '--cuts', 'all', '--no-measure', '--calibrate', samples, '-o', built],
  ]);
  t.is(code, 0, stderr);
});

const pixelsOf = (seed: number): Float32Array =>
  Float32Array.from({length: 3 * 48 * 48}, (_, i) => Math.sin((i * (seed + 3)) / 97) * Math.cos(i / (5 + seed)));

/** An exit of random numbers at the first cut, and a cascade from it. */
function newcomers(
  session: Session,
  seed: number,
  id = 'number/other',
): {variants: Variant[]; heads: Record<string, Uint8Array>} {
  const {manifest} = session;
  const [general] = manifest.variants as readonly [Variant];
  const segment = manifest.segments.find(each => each.id === general.path[0])!;
  const cut = manifest.cuts.find(each => each.id === segment.to)!;
  const [, channels = 1, rows = 1, columns = 1] = cut.shape;
  const shape = {channels, rows, columns, grid: 1, classes: 11, channelsLast: cut.layout === 'channels-last', softmax: false};
  const numbers = Float32Array.from({length: 11 * channels}, (_, i) => 3 * Math.sin((i + 1) * (seed + 1)));
  const bytes = exitFile(shape, numbers, new Float32Array(11), manifest.buildHash);
  const {entry: _, ...rest} = {...general, path: [segment.id]};
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  const exit: Variant = {...rest, id, recipe: 'other', exit: {cut: cut.id, file: 'other.exit', sha256, bytes: bytes.byteLength}};
  const way = {first: id, last: general.id, threshold: 0.5, share: 0.9, estimates: [], n: 1, data: sha256};
  const cascade: Variant = {...rest, id: `${id}-cascade`, recipe: 'other-cascade', cascade: way, context: ['20']};
  return {variants: [exit, cascade], heads: {'other.exit': bytes}};
}

compiled('a session takes in heads and cascades, swaps them under calls that overlap, and lets them go', async t => {
  const session = load(built);
  const inputs = Array.from({length: 8}, (_, seed) => pixelsOf(seed));
  const wanted = [0, 1].map(seed => {
    const other = load(built);
    const {variants, heads} = newcomers(other, seed);
    const ids = other.adopt(variants, heads);
    return inputs.map(input => ids.map(variant => String(other.run('number', input, {variant}).scores)));
  });
  t.notDeepEqual(wanted[0], wanted[1]);

  const first = newcomers(session, 0);
  const [exit, cascade] = session.adopt(first.variants, first.heads) as [AdoptedId, AdoptedId];
  const calls: Promise<void>[] = [];
  for (let round = 0; round < 60; round++) {
    const which = round % 2;
    const {variants, heads} = newcomers(session, which);
    session.adopt(variants, heads);
    for (const [i, input] of inputs.entries())
      for (const [v, variant] of [exit, cascade].entries())
        calls.push(
          session.runAsync('number', input, {variant}).then(({scores}) => {
            t.is(String(scores), wanted[which]![i]![v]!);
          }),
        );
    t.is(String(session.run('number', inputs[0]!, {variant: cascade}).scores), wanted[which]![0]![1]!);
  }
  const late = session.runAsync('number', inputs[1]!, {variant: exit});
  t.true(session.drop(exit));
  t.false(session.drop(exit));
  await Promise.all(calls);
  t.is(String((await late).scores), wanted[1]![1]![0]!);
  // The cascade went with its first stage.
  for (const variant of [exit, cascade]) {
    const error = t.throws(() => session.run('number', inputs[0]!, {variant}), {instanceOf: DnncRuntimeError});
    t.is(error?.code, 'session.variant');
  }
});

compiled('what does not fit the build is refused as a whole', t => {
  const session = load(built);
  const {variants, heads} = newcomers(session, 0);
  const [exit, cascade] = variants as [Variant, Variant];
  const damaged = heads['other.exit']!.slice();
  damaged[200]! ^= 1;
  const sha256 = createHash('sha256').update(damaged).digest('hex');
  const wrong: readonly (readonly [string, readonly Variant[], Record<string, Uint8Array>])[] = [
    ['session.variant', [{...exit, id: 'number/full'}], heads],
    ['session.variant', session.manifest.variants.map(each => ({...each, id: 'number/code'})), {}],
    ['weights.file', variants, {}],
    ['weights.damaged', variants, {'other.exit': damaged}],
    ['weights.damaged', [{...exit, exit: {...exit.exit!, sha256}}], {'other.exit': damaged}],
    ['manifest.invalid', [cascade], {}],
    ['manifest.invalid', [{...exit, task: 'age'}], heads],
    ['manifest.invalid', [exit, exit], heads],
  ];
  for (const [code, given, bytes] of wrong) {
    const error = t.throws(() => session.adopt(given, bytes), {instanceOf: DnncRuntimeError});
    t.is(error?.code, code as DnncRuntimeError['code'], error?.message);
    t.throws(() => session.run('number', pixelsOf(0), {variant: exit.id}), {instanceOf: DnncRuntimeError});
  }
});

const goal = {reference: 'corrected', wanted: {loss: 0.5}} as const;
const options: LiveOptions<'number'> = {task: 'number', directory: built, fit: samples, goal, patience: 20};

/** Contexts that always say the same until they are told otherwise. */
function fixedContexts(prior: readonly number[] | null) {
  let now = prior;
  return {
    turn: (other: readonly number[] | null) => {
      now = other;
    },
    prior: () => now,
    observe: () => {},
  };
}

compiled('a context gets a cascade while requests go on; after it the general network answers', async t => {
  t.timeout(120_000);
  const session = load(built);
  const contexts = fixedContexts(frequenciesIn([2, 5], 0.95, 11));
  const live = specializeLive(session, {...options, contexts});
  const input = pixelsOf(1);
  for (let i = 0; i < 30; i++) t.is(live.run(input).answeredBy, undefined);
  t.is(live.fits(), 1);
  let [isSettled, meanwhile] = [false, 0];
  const settled = live.settled().then(() => {
    isSettled = true;
  });
  for (; !isSettled; meanwhile++) {
    live.run(input);
    await new Promise(resolve => setTimeout(resolve, 5));
  }
  await settled;
  t.true(meanwhile > 3);
  t.is(live.trouble(), null);
  const cascade = live.cascade();
  t.is(cascade, 'number/live-cascade@1' as AdoptedId);
  const [answer, again] = [live.run(input), await live.runAsync(input)];
  t.not(answer.answeredBy, undefined);
  t.deepEqual(again.probabilities, answer.probabilities);
  t.deepEqual(session.run('number', input, {variant: cascade!, prior: contexts.prior()}).probabilities, answer.probabilities);

  contexts.turn(frequenciesIn([], 0, 11));
  for (let i = 0; i < 10; i++) live.run(input);
  t.is(live.cascade(), null);
  contexts.turn(frequenciesIn([2, 5], 0.95, 11));
  for (let i = 0; i < 10; i++) live.run(input);
  t.is(live.cascade(), cascade);

  // A cascade that is gone without the helper's doing: the general network answers, and it is not tried again.
  session.drop(cascade!);
  t.is(live.run(input).answeredBy, undefined);
  t.regex(live.trouble()!, /session\.variant/);
  for (let i = 0; i < 10; i++) live.run(input);
  t.is(live.cascade(), null);
  await live.close();
  t.is(live.run(input).answeredBy, undefined);
});

compiled('where fitting fails, and where there is no prior, the general network answers', async t => {
  const session = load(built);
  const input = pixelsOf(2);
  const lacking = specializeLive(session, {
    ...{...options, fit: join(folder, 'nothing.npz')},
    contexts: fixedContexts(frequenciesIn([2, 5], 0.95, 11)),
  });
  for (let i = 0; i < 30; i++) lacking.run(input);
  await lacking.settled();
  t.regex(lacking.trouble()!, /nothing\.npz/);
  for (let i = 0; i < 30; i++) t.is(lacking.run(input).answeredBy, undefined);
  await lacking.close();
  const without = specializeLive(session, {...options, contexts: fixedContexts(null)});
  for (let i = 0; i < 60; i++) t.is(without.run(input).probabilities, undefined);
  await without.settled();
  t.is(without.trouble(), null);
  await without.close();
});

const work = {task: 'number', directory: built, fit: samples, tune: null, labelsKey: undefined, goal, balance: false};

test('a thread that ends is started again, but not for ever', async t => {
  const fitter = createFitter(work, new URL('data:text/javascript,setTimeout(() => process.exit(3), 5)'));
  for (let crash = 0; crash < 3; crash++) {
    t.true(fitter.isFree());
    const fitted = fitter.fit({classes: [1], share: 0.9});
    t.false(fitter.isFree());
    await Promise.all([t.throwsAsync(fitted, {message: /code 3/}), fitter.settled()]);
  }
  t.false(fitter.isFree());
  await fitter.close();
});

test('contexts are kept up to a limit, those that were used last; heads serve several', t => {
  const there = new Set<string>();
  const session = {
    adopt(variants: readonly Variant[]): readonly AdoptedId[] {
      for (const {id} of variants) there.add(id);
      return variants.map(({id}) => id as AdoptedId);
    },
    drop: (id: AdoptedId) => there.delete(id),
  };
  const kept = createKept(session, 3);
  const context = (at: number) => ({classes: [3 * at, 3 * at + 1], share: 0.9});
  const fitted = (...ids: readonly [string, string]) => ({variants: ids.map(id => ({id})) as [Variant, Variant], heads: {}});
  kept.add(context(0), fitted('a', '0'));
  kept.add(context(1), fitted('a', '1'));
  kept.add(context(2), null);
  t.is(kept.find(context(0)), '0' as AdoptedId);
  t.is(kept.find(context(2)), null);
  t.is(kept.find(context(7)), undefined);
  kept.add(context(3), fitted('b', '3'));
  t.deepEqual([...there].sort(), ['0', '3', 'a', 'b']);
  t.is(kept.find(context(1)), undefined);
  kept.add(context(4), null);
  t.deepEqual([...there].sort(), ['3', 'b']);
  kept.drop('3' as AdoptedId);
  t.deepEqual([...there], []);
  t.is(kept.find(context(3)), null);
});

test('a prior says which few classes hold most', t => {
  t.deepEqual(contextIn(frequenciesIn([7, 2, 5], 0.93, 11)), {classes: [2, 5, 7], share: 0.9});
  t.is(contextIn(frequenciesIn([], 0, 11)), null);
  t.is(contextIn(frequenciesIn([1, 2, 3, 4, 5, 6, 7], 0.95, 11)), null);
  const of = (classes: readonly number[], share: number) => ({classes, share});
  t.true(isLike(of([1, 2, 3, 4, 5, 6], 0.9), of([1, 2, 3, 4, 5, 7], 0.9)));
  t.false(isLike(of([1, 2, 3, 4, 5, 6], 0.9), of([1, 2, 3, 4, 8, 7], 0.9)));
  t.false(isLike(of([1, 2], 0.9), of([1, 2, 3], 0.9)));
  t.false(isLike(of([1, 2], 0.9), of([1, 2], 0.7)));
});
