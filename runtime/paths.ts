/** Tasks segment by segment: several tasks on one input, and one task in two places. */
import {DnncRuntimeError} from './errors.js';
import type {Latency, Manifest, Segment, Task, Variant} from './manifest.js';
import type {Binder, BoundEntry} from './native.js';
import {bytesOf, type TensorType, type TypedArray, zeros} from './tensors.js';

/** A segment ready to be called: from the inputs of its tasks, or a cut, to their outputs, or a cut. */
export type SegmentEntry = BoundEntry & {
  readonly segment: Segment;
  /** New arrays of zeros. */
  newInputs(): TypedArray[];
  newOutputs(): TypedArray[];
};

/** The outputs of the segments that ran for one input, by id. */
export type Done = Map<string, readonly TypedArray[]>;

/** The same where several callers wait for one segment. */
export type SharedDone = Map<string, Promise<readonly TypedArray[]>>;

/** A segment with arrays of its own. */
type Brief = {readonly made: readonly TypedArray[]; run(inputs: readonly TypedArray[]): void};

export type Paths = {
  /** Bound once. Throws `session.segment`. */
  segment(id: string): SegmentEntry;
  /** Runs what is not done yet of a variant's path, and returns what its last segment gives. */
  run(variant: Variant, inputs: readonly TypedArray[], done: Done): readonly TypedArray[];
  /** The same in arrays that the next call overwrites: quicker, for callers that keep nothing. */
  runBriefly(variant: Variant, inputs: readonly TypedArray[], done: Done): readonly TypedArray[];
  /** `run` without waiting, slow segments on the thread pool; what another call has begun for this input is waited for. */
  runAsync(variant: Variant, inputs: readonly TypedArray[], done: SharedDone): Promise<readonly TypedArray[]>;
  /** Begins the first segment of a path, where it has segments: then all that share it go by segments. */
  begin(variant: Variant, inputs: readonly TypedArray[], done: SharedDone): void;
  /** The tensor at a cut of the variant's path. Throws `session.cut`. */
  runTo(variant: Variant, cut: string, inputs: readonly TypedArray[]): TypedArray;
  runToAsync(variant: Variant, cut: string, inputs: readonly TypedArray[], done: SharedDone): Promise<TypedArray>;
  /** The outputs of the task from the tensor at a cut of the variant's path. Throws `session.cut`. */
  runFrom(variant: Variant, cut: string, activation: TypedArray): readonly TypedArray[];
};

/** Milliseconds. */
const quick = 0.25;

/** Whether code runs at once where it may wait: the way to the thread pool and back takes as long as a small network. */
export const isQuick = (latency: Latency | undefined): boolean => latency !== undefined && latency.p90 < quick;

export function createPaths(manifest: Manifest, target: string, bind: Binder): Paths {
  const bound = new Map<string, SegmentEntry>();

  function segment(id: string): SegmentEntry {
    const known = bound.get(id);
    if (known) return known;
    const found = manifest.segments.find(each => each.id === id);
    if (!found)
      throw new DnncRuntimeError('session.segment', manifest.name, `has no segment "${id}"`, namesOf(manifest.segments));
    const task = manifest.tasks[found.tasks[0] ?? ''] as Task;
    const inputs = found.from === undefined ? task.inputs : [cutOf(found.from)];
    const outputs = found.to === undefined ? task.outputs : [cutOf(found.to)];
    const made: SegmentEntry = {
      ...bind.entry(entryOf(manifest, found), inputs, outputs),
      segment: found,
      newInputs: () => inputs.map(zeros),
      newOutputs: () => outputs.map(zeros),
    };
    bound.set(id, made);
    return made;
  }

  const cutOf = (id: string): TensorType => manifest.cuts.find(each => each.id === id)!;

  function runAll(path: readonly string[], inputs: readonly TypedArray[], done: Done): readonly TypedArray[] {
    let given = inputs;
    for (const id of path) {
      const ready = done.get(id);
      const made = ready ?? segment(id).newOutputs();
      if (!ready) segment(id).call(given, made);
      done.set(id, made);
      given = made;
    }
    return given;
  }

  const brief = new Map<string, Brief>();

  /** `given`: what the segment reads when it is not the first of its path; the same arrays each time. */
  function briefOf(id: string, given: readonly TypedArray[] | null): Brief {
    const known = brief.get(id);
    if (known) return known;
    const entry = segment(id);
    const made = entry.newOutputs();
    const fixed = given ? entry.fixed(given, made) : null;
    const ready: Brief = {made, run: inputs => (fixed ? fixed() : entry.call(inputs, made))};
    brief.set(id, ready);
    return ready;
  }

  function runBriefly(path: readonly string[], inputs: readonly TypedArray[], done: Done): readonly TypedArray[] {
    let given = inputs;
    for (const [i, id] of path.entries()) {
      const {made, run} = briefOf(id, i === 0 ? null : given);
      if (!done.has(id)) run(given);
      done.set(id, made);
      given = made;
    }
    return given;
  }

  async function callSegment(id: string, given: readonly TypedArray[]): Promise<readonly TypedArray[]> {
    const entry = segment(id);
    const made = entry.newOutputs();
    if (isQuick(entry.segment.latency?.[target])) entry.call(given, made);
    else await entry.callAsync(given, made);
    return made;
  }

  async function runAllAsync(path: readonly string[], inputs: readonly TypedArray[], done: SharedDone) {
    let given = inputs;
    for (const id of path) {
      const made = done.get(id) ?? callSegment(id, given);
      done.set(id, made);
      given = await made;
    }
    return given;
  }

  /** How many segments of the path come before the cut. */
  function before({id: variant, path}: Variant, cut: string): number {
    const at = path.findIndex(id => manifest.segments.find(each => each.id === id)?.to === cut);
    if (at >= 0) return at + 1;
    const cuts = path.flatMap(id => manifest.segments.find(each => each.id === id)?.to ?? []);
    throw new DnncRuntimeError(
      'session.cut',
      variant,
      `is not cut at "${cut}"`,
      cuts.length > 0 ? `one of ${cuts.join(', ')}` : 'build with --cuts all',
    );
  }

  return {
    segment,
    run: ({path}, inputs, done) => runAll(path, inputs, done),
    runBriefly: ({path}, inputs, done) => runBriefly(path, inputs, done),
    runAsync: ({path}, inputs, done) => runAllAsync(path, inputs, done),
    begin({path: [id]}, inputs, done) {
      if (id === undefined || done.has(id)) return;
      const made = callSegment(id, inputs);
      // Whoever waits for it learns of an error; nobody may.
      made.catch(() => undefined);
      done.set(id, made);
    },
    runTo: (variant, cut, inputs) => runAll(variant.path.slice(0, before(variant, cut)), inputs, new Map())[0]!,
    runToAsync: async (variant, cut, inputs, done) =>
      (await runAllAsync(variant.path.slice(0, before(variant, cut)), inputs, done))[0]!,
    runFrom(variant, cut, activation) {
      const rest = variant.path.slice(before(variant, cut));
      const type = cutOf(cut);
      const wanted = zeros(type);
      if (activation.constructor !== wanted.constructor || activation.length !== wanted.length)
        throw new DnncRuntimeError(
          'session.cut',
          variant.id,
          `takes ${type.dtype} of ${bytesOf(type)} bytes at "${cut}", not ${activation.constructor.name} of ${activation.byteLength}`,
          'give what runTo returned',
        );
      return runAll(rest, [activation], new Map());
    },
  };
}

function entryOf({variants}: Manifest, {id, entry}: Segment): string {
  const whole = variants.find(({path}) => path.length === 1 && path[0] === id);
  const symbol = entry ?? whole?.entry;
  if (symbol !== undefined) return symbol;
  throw new DnncRuntimeError('session.segment', id, 'cannot run alone', 'use run for its tasks');
}

const namesOf = (segments: readonly Segment[]): string => `one of ${segments.map(({id}) => id).join(', ') || 'none'}`;
