/**
 * A loaded build: binds variants on first use, checks and shapes inputs, and turns scores into labels.
 * Knows no Node: whatever can bind an entry can run under it.
 */
import {type AdoptedId, createAdopted, type Heads} from './adopted.js';
import {DnncRuntimeError} from './errors.js';
import type {Cascade, Input, Manifest, Task, Variant} from './manifest.js';
import type {Binder, BoundEntry} from './native.js';
import {createPaths, type Done, type SegmentEntry} from './paths.js';
import {type Image, isImage, prepare} from './prepare.js';
import {correctionOf, posterior} from './prior.js';
import {
  asEntry,
  cascade,
  exitStage,
  floatsOf,
  type Given,
  type Stage,
  type Staged,
  type StagedEntry,
  wholeStage,
} from './stages.js';
import {type ArrayOf, arrayTypes, batchOf, classesOf, elementsOf, largest, type TypedArray, zeros} from './tensors.js';

export type TaskName<M extends Manifest> = keyof M['tasks'] & string;
export type VariantId<M extends Manifest, T extends TaskName<M>> = M['tasks'][T]['variants'][number];

/**
 * The labels of a task as a union. With undefined where an output may have no label: no labels, an offset, or more scores
 * than labels.
 */
export type LabelOf<M extends Manifest, T extends TaskName<M>> = M['tasks'][T] extends {readonly labels: readonly string[]}
  ? M['tasks'][T]['labels'][number] | (EveryScoreHasLabel<M['tasks'][T]> extends true ? never : undefined)
  : 'labels' extends keyof M['tasks'][T]
    ? string | undefined
    : undefined;

type EveryScoreHasLabel<T> = T extends {
  readonly labels: {readonly length: infer N extends number};
  readonly outputs: readonly [infer O, ...unknown[]];
}
  ? T extends {readonly labelOffset: infer Offset}
    ? Offset extends 0
      ? LastDimensionIs<O, N>
      : false
    : LastDimensionIs<O, N>
  : false;

type LastDimensionIs<O, N extends number> = number extends N
  ? false
  : O extends {readonly shape: readonly [...number[], N]}
    ? true
    : false;

/** One input: its tensor, in the order of its shape, or an image where the manifest says how to prepare one. */
type Feed<I extends Input> = ArrayOf<I['dtype']> | ('preparation' extends keyof I ? Image : never);

/** What `run` takes: the one input, or all by name. */
export type InputOf<M extends Manifest, T extends TaskName<M>> = M['tasks'][T]['inputs'] extends readonly [infer I extends Input]
  ? Feed<I> | {readonly [N in I['name']]: Feed<I>}
  : number extends M['tasks'][T]['inputs']['length']
    ? Feed<Input> | {readonly [name: string]: Feed<Input>}
    : {readonly [I in M['tasks'][T]['inputs'][number] as I['name']]: Feed<I>};

type ScoresOf<M extends Manifest, T extends TaskName<M>> = ArrayOf<M['tasks'][T]['outputs'][0]['dtype']>;

export type Answer<M extends Manifest = Manifest, T extends TaskName<M> = TaskName<M>> = {
  readonly label: LabelOf<M, T>;
  /** Of the largest score; the first of equals. */
  readonly index: number;
  /** The first output, as the model gives it: logits or probabilities. */
  readonly scores: ScoresOf<M, T>;
  readonly outputs: {readonly [O in M['tasks'][T]['outputs'][number] as O['name']]: ArrayOf<O['dtype']>};
  /** Of every class, by output index, after temperature and prior: where a prior was given, and of cascades. */
  readonly probabilities?: Float64Array;
  /** Of a cascade: which of its variants gave the answer. */
  readonly answeredBy?: string;
};

export type RunOptions<M extends Manifest, T extends TaskName<M>> = {
  readonly variant?: VariantId<M, T> | AdoptedId;
  /**
   * How often each class is asked for now: by label, those left out never; or by output index. The answer is then that of
   * the largest corrected probability. null is none. Throws `session.prior` where a label is unknown or nothing is expected.
   */
  readonly prior?: Prior<M, T> | null;
};

/** Relative frequencies of classes: they need not sum to 1. */
export type Prior<M extends Manifest, T extends TaskName<M>> =
  | {readonly [L in Extract<LabelOf<M, T>, string>]?: number}
  | readonly number[];

/** A variant ready to be called. Arrays go in the order of the task's inputs and outputs; see NativeEntry for what is thrown. */
export type Entry = BoundEntry & {
  readonly variant: Variant;
  readonly task: Task;
  /** New arrays of zeros for all inputs (outputs). */
  newInputs(): TypedArray[];
  newOutputs(): TypedArray[];
};

export type Session<M extends Manifest = Manifest> = {
  readonly manifest: M;
  /** Which library runs. */
  readonly target: string;
  /** One sample: the label of the largest score. Throws `session.batch` where the model takes several samples per call. */
  run<T extends TaskName<M>>(task: T, input: InputOf<M, T>, options?: RunOptions<M, T>): Answer<M, T>;
  /** The same on the thread pool; calls may overlap. */
  runAsync<T extends TaskName<M>>(task: T, input: InputOf<M, T>, options?: RunOptions<M, T>): Promise<Answer<M, T>>;
  /** All samples of one call of a model whose first dimension is a batch. */
  runBatch<T extends TaskName<M>>(
    task: T,
    input: InputOf<M, T>,
    options?: RunOptions<M, T>,
  ): readonly Pick<Answer<M, T>, 'label' | 'index' | 'scores'>[];
  /**
   * Answers of several tasks on one input, by task, with the first variant of each. What they share is computed once; scores
   * are the same to the last bit as those of `run`.
   */
  runTogether<T extends TaskName<M>>(tasks: readonly T[], input: InputOf<M, T>): {readonly [K in T]: Answer<M, K>};
  /** The tensor at a cut, as the code has it: to be handed to `runFrom`, here or where the same build runs. Throws `session.cut`. */
  runTo<T extends TaskName<M>>(task: T, cut: string, input: InputOf<M, T>): TypedArray;
  /** The answer from the tensor at a cut; the scores are those of `run` to the last bit. Throws `session.cut`. */
  runFrom<T extends TaskName<M>>(task: T, cut: string, activation: TypedArray): Answer<M, T>;
  /** One segment for callers that bring their own arrays. Throws `session.segment`. */
  segment(id: string): SegmentEntry;
  /**
   * Brings a segment's weights into memory before they are needed, or gives their memory back: it still runs, and reads them
   * from the file again. Returns bytes; 0 where its weights do not lie together or are part of a library. Throws
   * `session.segment`.
   */
  loadSegment(id: string): number;
  unloadSegment(id: string): number;
  /** Gives back the memory of all weights, of whatever segment; what runs next reads its own again. Returns bytes as `unloadSegment`. */
  unload(): number;
  /** For callers that bring their own arrays. Bound once per variant; without `variant` the first one of the task. */
  entry<T extends TaskName<M>>(task: T, variant?: VariantId<M, T> | AdoptedId): Entry;
  /**
   * Takes in exits and cascades that were made for this build after it was loaded, with the bytes of the files that exits name.
   * From then on they are asked for by these ids; one that was adopted before is replaced. All of them or none; requests go on,
   * and those that are under way end with what they began with. Throws `manifest.invalid`, `session.variant` for an id of the
   * build, and `weights.*` for a head that is not of this build.
   */
  adopt(variants: readonly Variant[], heads: Heads): readonly AdoptedId[];
  /** Forgets an adopted variant, and cascades that it is a stage of. Says whether it was there. */
  drop(id: AdoptedId): boolean;
};

export function createSession<M extends Manifest>(manifest: M, target: string, bind: Binder): Session<M> {
  const entries = new Map<string, Entry>();

  const staged = new Map<string, StagedEntry>();
  const paths = createPaths(manifest, bind);
  const adopted = createAdopted(manifest, bind);

  function variantOf(name: string, task: Task, id = task.variants[0]): Variant {
    const own = manifest.variants.find(each => each.id === id && each.task === name);
    const variant = own ?? (id === undefined ? undefined : adopted.find(id));
    if (variant?.task === name) return variant;
    throw new DnncRuntimeError('session.variant', name, `has no variant "${id}"`, `one of: ${names(task.variants)}`);
  }

  /** What is made of other parts is bound anew when it is called next: one of them may have changed. */
  function bindAnew(): void {
    staged.clear();
    for (const [id, {variant}] of entries) if (variant.entry === undefined) entries.delete(id);
  }

  const entryOf = (name: string, id: string | undefined): Entry => {
    const task = taskOf(manifest, name);
    const known = entries.get(id ?? task.variants[0] ?? '');
    if (known?.task === task) return known;
    const variant = variantOf(name, task, id);
    const entry: Entry = {
      ...boundOf(name, task, variant),
      variant,
      task,
      newInputs: () => task.inputs.map(zeros),
      newOutputs: () => task.outputs.map(zeros),
    };
    entries.set(variant.id, entry);
    return entry;
  };

  function page(id: string, wanted: boolean): number {
    const {weights} = paths.segment(id).segment;
    return weights ? bind.page(weights, wanted) : 0;
  }

  function boundOf(name: string, task: Task, variant: Variant): BoundEntry {
    if (variant.entry !== undefined) return bind.entry(variant.entry, task.inputs, task.outputs);
    if (variant.cascade) {
      const {run, runAsync} = stagedOf(name, task, variant, variant.cascade);
      return asEntry(
        inputs => run(inputs).probabilities,
        async inputs => (await runAsync(inputs)).probabilities,
      );
    }
    const {run, runAsync} = stageOf(name, task, variant);
    return asEntry(
      inputs => floatsOf(run(inputs, new Map())),
      async inputs => floatsOf(await runAsync(inputs, new Map())),
    );
  }

  function stageOf(name: string, task: Task, variant: Variant): Stage {
    const newOutputs = () => task.outputs.map(zeros);
    const {exit} = variant;
    if (!exit) return wholeStage(variant, entryOf(name, variant.id), newOutputs, paths);
    const cut = manifest.cuts.find(({id}) => id === exit.cut)!;
    return exitStage(variant, adopted.head(variant.id) ?? bind.exit(exit, cut, task.outputs[0]!), newOutputs, paths);
  }

  function stagedOf(name: string, task: Task, variant: Variant, way: Cascade): StagedEntry {
    const known = staged.get(variant.id);
    if (known) return known;
    const [first, last] = [way.first, way.last].map(id => stageOf(name, task, variantOf(name, task, id)));
    const made = cascade(name, task, variant, way, first!, last!);
    staged.set(variant.id, made);
    return made;
  }

  type Any<T extends TaskName<M>> = Answer<M, T>;
  return {
    manifest,
    target,
    entry: entryOf,
    run<T extends TaskName<M>>(name: T, input: InputOf<M, T>, options?: RunOptions<M, T>): Any<T> {
      const entry = entryOf(name, options?.variant);
      oneSample(name, entry.task);
      const inputs = inputsOf(name, entry.task, input);
      const {cascade: way} = entry.variant;
      if (way) {
        const {run} = stagedOf(name, entry.task, entry.variant, way);
        return stagedAnswer(entry.task, run(inputs, options?.prior)) as unknown as Any<T>;
      }
      const outputs = entry.newOutputs();
      entry.call(inputs, outputs);
      return corrected(name, entry, answerOf(name, entry.task, outputs), options?.prior) as unknown as Any<T>;
    },
    async runAsync<T extends TaskName<M>>(name: T, input: InputOf<M, T>, options?: RunOptions<M, T>): Promise<Any<T>> {
      const entry = entryOf(name, options?.variant);
      oneSample(name, entry.task);
      const inputs = inputsOf(name, entry.task, input);
      const {cascade: way} = entry.variant;
      if (way) {
        const copies = inputs.map(each => each.slice());
        const {runAsync} = stagedOf(name, entry.task, entry.variant, way);
        return stagedAnswer(entry.task, await runAsync(copies, options?.prior)) as unknown as Any<T>;
      }
      const outputs = entry.newOutputs();
      await entry.callAsync(inputs, outputs);
      return corrected(name, entry, answerOf(name, entry.task, outputs), options?.prior) as unknown as Any<T>;
    },
    runBatch<T extends TaskName<M>>(name: T, input: InputOf<M, T>, options?: RunOptions<M, T>): readonly Any<T>[] {
      const entry = entryOf(name, options?.variant);
      const outputs = entry.newOutputs();
      entry.call(inputsOf(name, entry.task, input), outputs);
      const count = batchOf(entry.task.outputs[0]?.shape ?? []);
      return Array.from({length: count}, (_, i) => sampleOf(name, entry.task, outputs, i) as unknown as Any<T>);
    },
    runTogether<T extends TaskName<M>>(tasks: readonly T[], input: InputOf<M, T>) {
      const done: Done = new Map();
      const answers = tasks.map(name => {
        const task = taskOf(manifest, name);
        const variant = variantOf(name, task, undefined);
        oneSample(name, task);
        return [name, answerOf(name, task, paths.run(variant, inputsOf(name, task, input), done))] as const;
      });
      return Object.fromEntries(answers) as unknown as {readonly [K in T]: Answer<M, K>};
    },
    runTo<T extends TaskName<M>>(name: T, cut: string, input: InputOf<M, T>): TypedArray {
      const task = taskOf(manifest, name);
      return paths.runTo(variantOf(name, task, undefined), cut, inputsOf(name, task, input));
    },
    runFrom<T extends TaskName<M>>(name: T, cut: string, activation: TypedArray): Any<T> {
      const task = taskOf(manifest, name);
      oneSample(name, task);
      const outputs = paths.runFrom(variantOf(name, task, undefined), cut, activation);
      return answerOf(name, task, outputs) as unknown as Any<T>;
    },
    segment: paths.segment,
    loadSegment: id => page(id, true),
    unloadSegment: id => page(id, false),
    unload: () => bind.page({offset: 0, bytes: manifest.weights.bytes}, false),
    adopt(variants, heads) {
      adopted.adopt(variants, heads);
      bindAnew();
      return variants.map(({id}) => id as AdoptedId);
    },
    drop(id) {
      const wasThere = adopted.drop(id);
      bindAnew();
      return wasThere;
    },
  };
}

const names = (all: Iterable<string>): string => [...all].join(', ') || 'none';

function taskOf(manifest: Manifest, name: string): Task {
  // hasOwn: a task may not be found on Object.prototype.
  const task = Object.hasOwn(manifest.tasks, name) ? manifest.tasks[name] : undefined;
  if (!task)
    throw new DnncRuntimeError(
      'session.task',
      manifest.name,
      `has no task "${name}"`,
      `one of: ${names(Object.keys(manifest.tasks))}`,
    );
  return task;
}

function oneSample(name: string, task: Task): void {
  const batch = batchOf(task.outputs[0]?.shape ?? []);
  if (batch !== 1) throw new DnncRuntimeError('session.batch', name, `answers ${batch} samples per call`, 'use runBatch');
}

/** The arrays for all inputs, in their order. */
function inputsOf(name: string, task: Task, given: unknown): TypedArray[] {
  const byName = ArrayBuffer.isView(given) || isImage(given) ? undefined : (given as Readonly<Record<string, unknown>> | null);
  if (byName === undefined && task.inputs.length !== 1) {
    throw new DnncRuntimeError(
      'session.input',
      name,
      `takes ${task.inputs.length} inputs`,
      `give an object with ${names(task.inputs.map(input => input.name))}`,
    );
  }
  return task.inputs.map(input => {
    const value = byName === undefined ? given : byName && Object.hasOwn(byName, input.name) ? byName[input.name] : undefined;
    return tensorOf(`${name}, input "${input.name}"`, input, value);
  });
}

function tensorOf(where: string, input: Input, value: unknown): TypedArray {
  if (isImage(value)) return prepare(value, input, where);
  const type = arrayTypes[input.dtype].create;
  const wanted = (): string =>
    `give a ${type.name} of ${elementsOf(input.shape)} elements, ${input.dtype}[${input.shape.join(',')}]`;
  if (!(value instanceof type)) {
    const is = ArrayBuffer.isView(value)
      ? `a ${value.constructor.name}`
      : value === undefined
        ? 'missing'
        : `of type ${typeof value}`;
    throw new DnncRuntimeError('session.input', where, `is ${is}`, wanted());
  }
  if (value.length !== elementsOf(input.shape)) {
    throw new RangeError(`session.input: ${where}: has ${value.length} elements\n  cure: ${wanted()}`);
  }
  return value;
}

type Plain = {readonly label: string | undefined; readonly index: number; readonly scores: TypedArray};

/** Label and index of sample i. */
function sampleOf(name: string, task: Task, outputs: readonly TypedArray[], i: number): Plain {
  const output = task.outputs[0];
  const all = outputs[0];
  if (!output || !all) throw new DnncRuntimeError('session.scores', name, 'has no output');
  const classes = classesOf(output.shape);
  const index = largest(output.dtype, all, i * classes, (i + 1) * classes);
  if (index < 0) {
    throw new DnncRuntimeError(
      'session.scores',
      `${name}, output "${output.name}"`,
      'a score is not a number',
      'look at the input, and at raw outputs with entry().call',
    );
  }
  const scores = batchOf(output.shape) === 1 ? all : all.subarray(i * classes, (i + 1) * classes);
  return {label: task.labels?.[index - (task.labelOffset ?? 0)], index, scores};
}

function answerOf(name: string, task: Task, outputs: readonly TypedArray[]): Plain & {readonly outputs: object} {
  return {
    ...sampleOf(name, task, outputs, 0),
    outputs: Object.fromEntries(task.outputs.map((output, i) => [output.name, outputs[i]])),
  };
}

/** The answer under a prior; as it is where none is given. */
function corrected<A extends Plain>(name: string, {task, variant}: Entry, answer: A, prior: Given): A {
  if (!prior) return answer;
  const {scores} = answer;
  const numbers = scores instanceof Float32Array ? scores : Array.from(scores, Number);
  const probabilities = posterior(numbers, correctionOf(name, task, variant, prior));
  return {...answer, ...mostProbable(task, probabilities)};
}

/** The class of the largest probability, the first of equals. */
function mostProbable({labels, labelOffset = 0}: Task, probabilities: Float64Array) {
  let index = 0;
  for (let c = 1; c < probabilities.length; c++) if (probabilities[c]! > probabilities[index]!) index = c;
  return {index, label: labels?.[index - labelOffset], probabilities};
}

/** A cascade's answer; its scores are the probabilities. */
function stagedAnswer(task: Task, {probabilities, answeredBy}: Staged): Plain & Partial<Answer> {
  const own = new ArrayBuffer(12 * probabilities.length);
  const kept = new Float64Array(own, 0, probabilities.length);
  const scores = new Float32Array(own, 8 * probabilities.length);
  kept.set(probabilities);
  scores.set(probabilities);
  return {...mostProbable(task, kept), scores, outputs: {[task.outputs[0]!.name]: scores}, answeredBy};
}
