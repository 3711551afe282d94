/** A variant segment by segment, with a look at the tensor where each of them ends. */
import type {SegmentEntry, Session, TypedArray} from '../runtime/index.js';
import type {Variant} from '../runtime/manifest.js';

export type AlongPath = {
  /** What the path consists of. */
  readonly segments: readonly SegmentEntry[];
  /** Runs from a segment on (0: from the inputs), and returns the outputs of the last one. */
  run(from: number, given: readonly TypedArray[], see?: (at: number, made: readonly TypedArray[]) => void): readonly TypedArray[];
};

export function alongPath(session: Session, {path}: Variant): AlongPath {
  const segments = path.map(id => session.segment(id));
  return {
    segments,
    run: (from, given, see) =>
      segments.slice(from).reduce<readonly TypedArray[]>((inputs, segment, i) => {
        const made = segment.newOutputs();
        segment.call(inputs, made);
        see?.(from + i, made);
        return made;
      }, given),
  };
}
