/**
 * A loaded build: binds variants on first use, checks and shapes inputs, and turns scores into labels.
 * Knows no Node: whatever can bind an entry can run under it.
 */
import {type AdoptedId, createAdopted, type Heads} from './adopted.js';
import {answerOf, corrected, sampleOf, stagedAnswer} from './answers.js';
import {DnncRuntimeError} from './errors.js';
import {copied, inputsOf} from './inputs.js';
import type {Cascade, Input, Manifest, Task, Variant} from './manifest.js';
import type {Binder, BoundEntry} from './native.js';
import {createPaths, type Done, type SegmentEntry, type SharedDone} from './paths.js';
import type {Image} from './prepare.js';
import {asEntry, cascade, exitStage, floatsOf, type Stage, type StagedEntry, wholeStage} from './stages.js';
import {type ArrayOf, batchOf, type TypedArray, zeros} from './tensors.js';

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

export type VariantChoice<M extends Manifest, T extends TaskName<M>> = Pick<RunOptions<M, T>, 'variant'>;

/** One input that several tasks watch. */
export type Frame<M extends Manifest = Manifest> = {
  /** Throws as `run` of a session does. */
  run<T extends TaskName<M>>(task: T, options?: RunOptions<M, T>): Promise<Answer<M, T>>;
  /** As `runTo` of a session. */
  runTo<T extends TaskName<M>>(task: T, cut: string, options?: VariantChoice<M, T>): Promise<TypedArray>;
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
  /**
   * One input for several questions, asked one by one or at once: what their variants share is computed once for it, on the
   * thread pool unless it is known to be quick. Answers are those of `run`. The input is copied.
   */
  frame<T extends TaskName<M>>(input: InputOf<M, T>): Frame<M>;
  /** The tensor at a cut, as the code has it: to be handed to `runFrom`, here or where the same build runs. Throws `session.cut`. */
  runTo<T extends TaskName<M>>(task: T, cut: string, input: InputOf<M, T>, options?: VariantChoice<M, T>): TypedArray;
  /** The answer from the tensor at a cut; the scores are those of `run` to the last bit. Throws `session.cut`. */
  runFrom<T extends TaskName<M>>(task: T, cut: string, activation: TypedArray, options?: VariantChoice<M, T>): Answer<M, T>;
  /** One segment for callers that bring their own arrays. Throws `session.segment`. */
  segment(id: string): SegmentEntry;
  /**
   * Brings a segment's weights into memory before they are needed, or gives their memory back: it still runs, and reads them
   * from the file again. Returns bytes; 0 where its weights do not lie together or are part of a library. Throws
   * `session.segment`.
   */
  loadSegment(id: string): number;
  unloadSegment(id: string): number;
  /** `loadSegment` that reads on the thread pool: calls go on meanwhile, also of this segment. */
  loadSegmentAsync(id: string): Promise<number>;
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

  const stages = new Map<string, Stage>();
  const staged = new Map<string, StagedEntry>();
  const paths = createPaths(manifest, target, bind);
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
    stages.clear();
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
    const {run, runAsync} = exitOf(task, variant);
    return asEntry(
      inputs => floatsOf(run(inputs, new Map())),
      async inputs => floatsOf(await runAsync(inputs, new Map())),
    );
  }

  function stageOf(name: string, task: Task, variant: Variant): Stage {
    const known = stages.get(variant.id);
    if (known) return known;
    const made = variant.exit
      ? exitOf(task, variant)
      : wholeStage(variant, target, entryOf(name, variant.id), () => task.outputs.map(zeros), paths);
    stages.set(variant.id, made);
    return made;
  }

  function exitOf(task: Task, variant: Variant): Stage {
    const exit = variant.exit!;
    const cut = manifest.cuts.find(({id}) => id === exit.cut)!;
    const head = adopted.head(variant.id) ?? bind.exit(exit, cut, task.outputs[0]!);
    return exitStage(variant, head, () => task.outputs.map(zeros), paths);
  }

  function frameOf(input: unknown): Frame<M> {
    const done: SharedDone = new Map();
    const prepared = new Map<string, readonly TypedArray[]>();
    const own = copied(input);
    const preparedFor = (name: string, task: Task): readonly TypedArray[] => {
      const key = JSON.stringify(task.inputs);
      const inputs = prepared.get(key) ?? inputsOf(name, task, own);
      prepared.set(key, inputs);
      return inputs;
    };
    return {
      async run<T extends TaskName<M>>(name: T, options?: RunOptions<M, T>): Promise<Answer<M, T>> {
        const task = taskOf(manifest, name);
        const variant = variantOf(name, task, options?.variant);
        oneSample(name, task);
        const inputs = preparedFor(name, task);
        paths.begin(variant, inputs, done);
        const prior = options?.prior;
        const {cascade: way} = variant;
        if (way)
          return stagedAnswer(task, await stagedOf(name, task, variant, way).runAsync(inputs, prior, done)) as unknown as Any<T>;
        const outputs = await stageOf(name, task, variant).runAsync(inputs, done);
        return corrected(name, {task, variant}, answerOf(name, task, outputs), prior) as unknown as Any<T>;
      },
      async runTo<T extends TaskName<M>>(name: T, cut: string, options?: VariantChoice<M, T>): Promise<TypedArray> {
        const task = taskOf(manifest, name);
        const variant = variantOf(name, task, options?.variant);
        return paths.runToAsync(variant, cut, preparedFor(name, task), done);
      },
    };
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
    frame: frameOf,
    runTo<T extends TaskName<M>>(name: T, cut: string, input: InputOf<M, T>, options?: VariantChoice<M, T>): TypedArray {
      const task = taskOf(manifest, name);
      return paths.runTo(variantOf(name, task, options?.variant), cut, inputsOf(name, task, input));
    },
    runFrom<T extends TaskName<M>>(name: T, cut: string, activation: TypedArray, options?: VariantChoice<M, T>): Any<T> {
      const task = taskOf(manifest, name);
      oneSample(name, task);
      const outputs = paths.runFrom(variantOf(name, task, options?.variant), cut, activation);
      return answerOf(name, task, outputs) as unknown as Any<T>;
    },
    segment: paths.segment,
    loadSegment: id => page(id, true),
    unloadSegment: id => page(id, false),
    async loadSegmentAsync(id) {
      const {weights} = paths.segment(id).segment;
      return weights ? bind.pageAsync(weights) : 0;
    },
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
