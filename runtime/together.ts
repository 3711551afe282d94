/** Several tasks on one input: each runs its path of segments, and a segment that several run is run once. */
import {DnncRuntimeError} from './errors.js';
import type {Manifest, Segment, Task, Variant} from './manifest.js';
import type {Binder} from './native.js';
import {type TensorType, type TypedArray, zeros} from './tensors.js';

/** The outputs of the segments that ran for one input, by id. */
export type Done = Map<string, readonly TypedArray[]>;

/** Runs what is not done yet of a variant's path, and returns the outputs of the task. */
export type RunPath = (task: Task, variant: Variant, inputs: readonly TypedArray[], done: Done) => readonly TypedArray[];

type Bound = {
  readonly call: (inputs: readonly TypedArray[], outputs: readonly TypedArray[]) => void;
  readonly outputs: readonly TensorType[];
};

export function createPaths(manifest: Manifest, bind: Binder): RunPath {
  const segments = new Map<string, Bound>();

  const cut = (id: string): TensorType => manifest.cuts.find(each => each.id === id)!;
  const boundOf = (id: string, task: Task, variant: Variant): Bound => {
    const known = segments.get(id);
    if (known) return known;
    const segment = manifest.segments.find(each => each.id === id)!;
    const inputs = segment.from === undefined ? task.inputs : [cut(segment.from)];
    const outputs = segment.to === undefined ? task.outputs : [cut(segment.to)];
    const {call} = bind(entryOf(segment, variant), inputs, outputs);
    const bound = {call, outputs};
    segments.set(id, bound);
    return bound;
  };

  return (task, variant, inputs, done) => {
    let given = inputs;
    for (const id of variant.path) {
      const ready = done.get(id);
      if (ready) given = ready;
      else {
        const {call, outputs} = boundOf(id, task, variant);
        const made = outputs.map(zeros);
        call(given, made);
        done.set(id, made);
        given = made;
      }
    }
    return given;
  };
}

function entryOf({id, entry}: Segment, {id: variant, path, entry: whole}: Variant): string {
  if (entry !== undefined) return entry;
  if (path.length === 1) return whole;
  throw new DnncRuntimeError('session.segment', variant, `segment "${id}" cannot run alone`, 'use run for this task');
}
