/**
 * What it takes to answer the tasks of one request by one variant each: segments that several of them need run once. A cascade's dear
 * half runs only as often as its cheap one is not sure, which counts in what is expected; limits count all that may run.
 */
import type {Latency, Manifest, Segment, Variant} from '../manifest.js';

/** Multiply-accumulates, and milliseconds where all of it was measured: expected, and of 90% of the runs where all of it runs. */
export type Work = {
  readonly macs: number;
  readonly mostMacs: number;
  readonly milliseconds?: {readonly expected: number; readonly most: number};
  /** Of what must be in memory. */
  readonly pieces: readonly Piece[];
};

/** A segment, or a variant that has none. */
export type Piece = {
  readonly id: string;
  readonly bytes: number;
  readonly macs: number;
  readonly latency: Latency | undefined;
  /** The cut at its end. */
  readonly to?: string | undefined;
};

/** How a variant answers a task in a stream: percent of right answers, and how often its pieces run. */
export type Part = {readonly variant: Variant; readonly accuracy: number; readonly runs: readonly Run[]};
type Run = {readonly piece: Piece; readonly probability: number};

/** A variant with a measured accuracy, or a cascade where its context holds `share` of the requests. Undefined: neither. */
export function partOf(manifest: Manifest, target: string, variant: Variant, share: number | undefined): Part | undefined {
  const {cascade, quality} = variant;
  if (!cascade) return quality && {variant, accuracy: quality.value, runs: runsOf(manifest, target, variant, 1)};
  const [first, last] = [cascade.first, cascade.last].map(id => manifest.variants.find(each => each.id === id));
  if (share === undefined || !first || !last || cascade.estimates.length === 0) return undefined;
  const at = (of: 'accuracy' | 'alone'): number => interpolated(cascade.estimates, share, of);
  const runs = [...runsOf(manifest, target, first, 1), ...runsOf(manifest, target, last, 1 - at('alone'))];
  return {variant, accuracy: at('accuracy'), runs};
}

type Estimates = NonNullable<Variant['cascade']>['estimates'];

/** Between the nearest shares; beyond them as at the last one. */
function interpolated(estimates: Estimates, share: number, of: 'accuracy' | 'alone'): number {
  const sorted = [...estimates].sort((a, b) => a.share - b.share);
  const above = sorted.find(each => each.share >= share) ?? sorted.at(-1)!;
  const below = sorted.findLast(each => each.share <= share) ?? sorted[0]!;
  const part = above.share === below.share ? 0 : (share - below.share) / (above.share - below.share);
  return below[of] + part * (above[of] - below[of]);
}

function runsOf(manifest: Manifest, target: string, variant: Variant, probability: number): readonly Run[] {
  const segments = variant.path.flatMap(id => manifest.segments.find(segment => segment.id === id) ?? []);
  const whole = variant.latency?.[target];
  if (segments.length === 0)
    return [{probability, piece: {id: variant.id, bytes: variant.loadBytes, macs: variant.macs, latency: whole}}];
  const pieceOf = (segment: Segment): Piece => {
    const latency = segment.latency?.[target] ?? (segments.length === 1 && !variant.exit ? whole : undefined);
    return {id: segment.id, bytes: segment.weightBytes, macs: segment.macs, latency, to: segment.to};
  };
  const runs = segments.map(segment => ({probability, piece: pieceOf(segment)}));
  // What no segment of the path holds, such as the head of an exit, is small: it is not loaded for itself.
  const rest = variant.macs - segments.reduce((sum, {macs}) => sum + macs, 0);
  return rest > 0 ? [...runs, {probability, piece: {id: '', bytes: 0, macs: rest, latency: undefined}}] : runs;
}

/** `perMac`: milliseconds of a multiply-accumulate, for the small pieces that were not measured. */
export function workOf(parts: readonly Part[], perMac: number): Work {
  /** By piece: the probability that nobody needs it. */
  const unused = new Map<string, {readonly piece: Piece; idle: number}>();
  const heads: Run[] = [];
  for (const {piece, probability} of parts.flatMap(({runs}) => runs)) {
    if (piece.id === '') {
      heads.push({piece, probability});
      continue;
    }
    const known = unused.get(piece.id) ?? {piece, idle: 1};
    known.idle *= 1 - probability;
    unused.set(piece.id, known);
  }
  const shared = [...unused.values()];
  const all = [...shared.map(({piece, idle}): Run => ({piece, probability: 1 - idle})), ...heads];
  const sum = (of: (run: Run) => number): number => all.reduce((total, run) => total + of(run), 0);
  const known = {macs: sum(({piece, probability}) => probability * piece.macs), mostMacs: sum(({piece}) => piece.macs)};
  const isMeasured = shared.every(({piece}) => piece.latency !== undefined);
  const time = ({latency, macs}: Piece, of: 'p50' | 'p90'): number => latency?.[of] ?? macs * perMac;
  return {
    ...known,
    pieces: shared.map(({piece}) => piece),
    ...(isMeasured && {
      milliseconds: {
        expected: sum(({piece, probability}) => probability * time(piece, 'p50')),
        most: sum(({piece}) => time(piece, 'p90')),
      },
    }),
  };
}
