/**
 * Variants that are several calls: a prefix of segments with a fitted head (an exit), and a cheap variant before a dear one
 * (a cascade; MCDNN, section 5.2.1). Both look like any other entry to their callers.
 */
import type {Cascade, Task, Variant} from './manifest.js';
import type {BoundEntry, NativeEntry} from './native.js';
import {type Done, isQuick, type Paths, type SharedDone} from './paths.js';
import {correctionOf, type Frequencies, frequenciesIn, posterior} from './prior.js';
import {classesOf, type TypedArray} from './tensors.js';

type Arrays = readonly TypedArray[];

/**
 * A cascade's answer: probabilities under the prior, and the id of the variant that gave it. What `run` returns is overwritten
 * by the next call: new typed arrays take longer than small networks.
 */
export type Staged = {readonly probabilities: Float64Array; readonly answeredBy: string};

/** Without a prior, that of the cascade's context. */
export type StagedEntry = {
  run(inputs: Arrays, prior?: Given): Staged;
  /** `done`: segments of other tasks on the same input. */
  runAsync(inputs: Arrays, prior?: Given, done?: SharedDone): Promise<Staged>;
};

/** A prior, or none. */
export type Given = Frequencies | null | undefined;

/**
 * The outputs of a plain variant; segments that ran for this input are in `done`, and do not run again. What `run` returns is
 * overwritten by the next call.
 */
export type Stage = {
  readonly variant: Variant;
  run(inputs: Arrays, done: Done): Arrays;
  runAsync(inputs: Arrays, done: SharedDone): Promise<Arrays>;
};

/** A variant that is one call. It goes by segments only where some of them are done. */
export function wholeStage(
  variant: Variant,
  target: string,
  entry: NativeEntry,
  newOutputs: () => TypedArray[],
  paths: Paths,
): Stage {
  const begun = (done: Done | SharedDone): boolean => done.has(variant.path[0] ?? '');
  const scores = newOutputs();
  return {
    variant,
    run(inputs, done) {
      if (begun(done)) return paths.runBriefly(variant, inputs, done);
      entry.call(inputs, scores);
      return scores;
    },
    async runAsync(inputs, done) {
      if (begun(done)) return paths.runAsync(variant, inputs, done);
      const outputs = newOutputs();
      if (isQuick(variant.latency?.[target])) entry.call(inputs, outputs);
      else await entry.callAsync(inputs, outputs);
      return outputs;
    },
  };
}

/** Segments up to a cut, then a head on the tensor there. */
export function exitStage(variant: Variant, head: NativeEntry, newOutputs: () => TypedArray[], paths: Paths): Stage {
  const scores = newOutputs();
  return {
    variant,
    run(inputs, done) {
      head.call(paths.runBriefly(variant, inputs, done), scores);
      return scores;
    },
    async runAsync(inputs, done) {
      const outputs = newOutputs();
      // A head is a product of two small matrices.
      head.call(await paths.runAsync(variant, inputs, done), outputs);
      return outputs;
    },
  };
}

/** `task` is that of all variants, called `name`. Errors: `session.prior`. */
export function cascade(name: string, task: Task, {context = []}: Variant, way: Cascade, first: Stage, last: Stage): StagedEntry {
  const classes = classesOf(task.outputs[0]?.shape ?? []);
  const {labels, labelOffset = 0} = task;
  const inside = context.map(each => (typeof each === 'number' ? each : (labels?.indexOf(each) ?? -1) + labelOffset));
  const usual = frequenciesIn(inside, way.share, classes);
  const correction = ({variant}: Stage, prior: Frequencies) => correctionOf(name, task, variant, prior);
  const usually = new Map([first, last].map(stage => [stage, correction(stage, usual)]));
  const answer = (stage: Stage, scores: Arrays, prior: Given, into?: Float64Array<ArrayBuffer>): Staged => {
    const under = prior ? correction(stage, prior) : usually.get(stage)!;
    return {probabilities: posterior(floatsOf(scores), under, into), answeredBy: stage.variant.id};
  };
  const room = new Float64Array(classes);
  const isSure = ({probabilities}: Staged): boolean => {
    for (let c = 0; c < probabilities.length; c++) if (probabilities[c]! >= way.threshold) return true;
    return false;
  };
  return {
    run(inputs, prior) {
      const done: Done = new Map();
      const early = answer(first, first.run(inputs, done), prior, room);
      return isSure(early) ? early : answer(last, last.run(inputs, done), prior, room);
    },
    async runAsync(inputs, prior, done = new Map()) {
      const early = answer(first, await first.runAsync(inputs, done), prior);
      return isSure(early) ? early : answer(last, await last.runAsync(inputs, done), prior);
    },
  };
}

/** Scores of several calls as if one C function gave them. Times are read in JavaScript. */
export function asEntry(
  run: (inputs: Arrays) => ArrayLike<number>,
  runAsync: (inputs: Arrays) => Promise<ArrayLike<number>>,
): BoundEntry {
  return {
    call: (inputs, outputs) => floatsOf(outputs).set(run(inputs)),
    callAsync: async (inputs, outputs) => floatsOf(outputs).set(await runAsync(inputs.map(input => input.slice()))),
    fixed: (inputs, outputs) => () => floatsOf(outputs).set(run(inputs)),
    bench(inputs, outputs, iterations, warmUp) {
      const times = new Float64Array(iterations);
      for (let i = -warmUp; i < iterations; i++) {
        const started = performance.now();
        floatsOf(outputs).set(run(inputs));
        if (i >= 0) times[i] = 1e6 * (performance.now() - started);
      }
      return times;
    },
  };
}

/** The one output of an exit or a cascade: see `readManifest`. */
export function floatsOf([scores]: Arrays): Float32Array {
  if (scores instanceof Float32Array) return scores;
  throw new TypeError('the output of an exit or a cascade must be one Float32Array');
}
