/** What can come first in a cascade: new exits at the cuts of the general network, and the task's other variants. */
import {writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {load, type NativeLoader, type Session} from '../../runtime/index.js';
import type {Calibration, Manifest, Variant} from '../../runtime/manifest.js';
import {keep, keepBytes, recall, recallBytes} from '../cache.js';
import {frequenciesOf, temperatureOf} from '../calibrate.js';
import {accuracyOfCount, hashOfData, qualityOf} from '../evaluate-variant.js';
import {placesOf, widthOf} from '../fit/features.js';
import {classesWithout, type FittedHead, fitHead, type HeadOptions, worthTheirDepth} from '../fit/head.js';
import {type Samples, scoresAt} from '../fit/logistic.js';
import {cpuModel} from '../host.js';
import {measureLatency} from '../measure.js';
import {confusionOf} from '../per-class.js';
import {withVariants} from './catalog.js';
import {exitOf, type NewExit} from './exits.js';
import type {SpecializeOptions} from './options.js';
import type {RefitFacts} from './refit.js';
import {rowsOf, type SeenAll, seeAll} from './seen.js';
import {rawAnswers, type Seen, type Stage} from './stage.js';
import type {Candidate} from './winnow.js';

export type Candidates = {
  readonly general: Candidate;
  readonly firsts: readonly Candidate[];
  readonly exits: readonly NewExit[];
  /** With exits, calibrations and latencies. */
  readonly manifest: Manifest;
  /** Output indices that the samples for heads have none of. */
  readonly missing: readonly number[];
  readonly refitFacts: RefitFacts;
};

/** Fits exits, writes their files to the folder, and has all candidates look at the samples. */
export async function candidatesOf(
  session: Session,
  folder: string,
  loss: NativeLoader['logistic'],
  {task, fit, tune, evaluate, balance, progress = () => {}}: SpecializeOptions,
): Promise<Candidates> {
  const {manifest} = session;
  const own = manifest.variants.filter(variant => variant.task === task && !variant.cascade && !variant.exit);
  const general = own[0]!;
  const places = placesOf(manifest, general);
  const see = (data: typeof fit): SeenAll => seeAll(session, own, places, data, progress);
  const all = see(fit);
  // Without data of its own, one sample in three: no head has seen it.
  const isHeld = (i: number): boolean => tune === null && i % 3 === 2;
  const fitted = rowsOf(all, places, i => !isHeld(i));
  const unseen = tune ? see(tune) : rowsOf(all, places, isHeld);
  const checked = evaluate && see(evaluate);

  const {classes} = fitted;
  const missing = classesWithout(fitted.labels, classes);
  const exits = places.map((place, at) => {
    progress(`fitting a head at ${place.cut.id}`);
    const samples = {features: fitted.features[at]!, width: widthOf(place), labels: fitted.labels};
    const key = JSON.stringify([
      manifest.buildHash,
      session.target,
      general.id,
      place.cut.id,
      place.grid,
      hashOfData(fit),
      tune === null,
      balance,
      fitted.labels,
    ]);
    return exitOf(manifest, general, place, keptHead(key, samples, classes, {loss, balance}), missing);
  });
  // Deeper exits that are no better, or cost as much as the whole, are of no use.
  const worthwhile = worthTheirDepth(exits, exit => exit.fitted.heldOut).filter(({variant}) => variant.macs < general.macs);
  for (const {file, bytes} of worthwhile) writeFileSync(join(folder, file), bytes);

  const calibrated = (variant: Variant, seen: Seen, frequencies: readonly number[]): Calibration => {
    if (variant.calibration) return variant.calibration;
    const kind = kindOf(manifest, variant);
    const rows = seen.labels.map((_, i) => Array.from(seen.scores.subarray(i * classes, (i + 1) * classes)));
    const temperature = Number(temperatureOf(rows, seen.labels, kind).toPrecision(4));
    return {temperature, frequencies, n: seen.labels.length, data: hashOfData(tune ?? fit)};
  };
  const usual = frequenciesOf(unseen.labels, classes);
  const ownFrequencies = frequenciesOf(fitted.labels, classes);
  const seenBy = (from: SeenAll, id: string): Seen => ({scores: from.scores.get(id)!, labels: from.labels, classes});
  const seenAt = (from: SeenAll, {place, fitted: {linear}}: NewExit): Seen => {
    const features = from.features[places.indexOf(place)]!;
    return {scores: scoresAt(linear, {features, width: widthOf(place)}), labels: from.labels, classes};
  };

  const plain = own.map(variant => ({
    variant: {...variant, calibration: calibrated(variant, seenBy(unseen, variant.id), usual)},
    tune: seenBy(unseen, variant.id),
    evaluate: checked && seenBy(checked, variant.id),
  }));
  const early = worthwhile.map(exit => {
    const [seen, rest] = [seenAt(unseen, exit), checked && seenAt(checked, exit)];
    const judged = rest ?? seen;
    const answers = rawAnswers(judged);
    const correct = answers.filter((answer, i) => answer === judged.labels[i]).length;
    const confusion = confusionOf(answers, judged.labels);
    const quality = qualityOf(accuracyOfCount(correct, judged.labels.length), evaluate ?? tune ?? fit);
    const calibration = calibrated(exit.variant, seen, ownFrequencies);
    return {variant: {...exit.variant, quality, confusion, calibration}, tune: seen, evaluate: rest};
  });
  const extended = timed(
    withVariants(
      manifest,
      [...plain, ...early].map(({variant}) => variant),
    ),
    task,
    folder,
    progress,
  );
  const candidates = [...plain, ...early].map(
    (found): Candidate => ({
      stage: stageOf(extended, extended.variants.find(({id}) => id === found.variant.id)!, general, session.target),
      tune: found.tune,
      evaluate: found.evaluate,
    }),
  );
  const lambdas = exits.map(exit => exit.fitted.lambda);
  return {
    ...{general: candidates[0]!, firsts: candidates.slice(1), exits: worthwhile, manifest: extended, missing},
    refitFacts: {places, lambdas, fit: fitted, unseen, general, loss},
  };
}

function joined(a: Float32Array, b: Float32Array): Float32Array {
  const all = new Float32Array(a.length + b.length);
  all.set(a);
  all.set(b, a.length);
  return all;
}

/** Heads serve all contexts, so they are fitted once: what was fitted is kept in the user's cache. */
function keptHead(key: string, samples: Samples, classes: number, options: HeadOptions): FittedHead {
  const count = classes * (samples.width + 1);
  const known = recall('heads', key) as Omit<FittedHead, 'linear'> | undefined;
  const bytes = recallBytes('heads', key);
  if (known && bytes?.byteLength === 4 * count) {
    const numbers = new Float32Array(bytes.buffer);
    return {...known, linear: {weights: numbers.subarray(0, -classes), bias: numbers.subarray(-classes), classes}};
  }
  const {linear, ...rest} = fitHead(samples, classes, options);
  keepBytes('heads', key, new Uint8Array(joined(linear.weights, linear.bias).buffer));
  keep('heads', key, rest);
  return {linear, ...rest};
}

/** The manifest with the time of each variant of the task on this machine. */
function timed(manifest: Manifest, task: string, folder: string, progress: (doing: string) => void): Manifest {
  writeFileSync(join(folder, 'manifest.json'), JSON.stringify(manifest));
  const session = load(folder);
  const variants = manifest.variants.map(variant => {
    if (variant.task !== task || variant.cascade || variant.latency?.[session.target]) return variant;
    progress(`measuring ${variant.id}`);
    const key = `${manifest.buildHash} ${session.target} ${variant.id} ${variant.exit?.sha256 ?? ''}`.trimEnd();
    const latency = measureLatency(session.entry(task, variant.id), cpuModel(), key, session.unload);
    return {...variant, latency: {...variant.latency, [session.target]: latency}};
  });
  return {...manifest, variants};
}

/** Scores of exits are computed here, before any softmax. */
const kindOf = ({tasks}: Manifest, {task, exit}: Variant): Stage['kind'] => (exit ? 'logits' : tasks[task]!.scores);

function stageOf(manifest: Manifest, variant: Variant, general: Variant, target: string): Stage {
  const both = manifest.segments.filter(({id}) => variant.path.includes(id) && general.path.includes(id));
  const sharedMacs = variant.id === general.id ? 0 : both.reduce((sum, {macs}) => sum + macs, 0);
  return {
    id: variant.id,
    kind: kindOf(manifest, variant),
    calibration: variant.calibration!,
    macs: variant.macs,
    sharedMacs,
    time: variant.latency?.[target]?.p50 ?? null,
    lacks: variant.exit?.lacks ?? [],
  };
}
