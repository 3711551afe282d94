/** Which channels of a group matter least to what its readers give on samples, and what readers make of those that are left. */
import {identity, inner, type Matrix, minus, type Product, timesTransposed, zeros} from '../algebra/matrix.js';
import {cholesky, solve} from '../algebra/solve.js';
import type {Target} from '../reconstruct/least-squares.js';

/** The columns of a reader that belong to channels: [channel][column in turn]. */
export function columnsOf(kept: readonly number[], each: number): readonly number[] {
  return kept.flatMap(channel => Array.from({length: each}, (_, i) => channel * each + i));
}

/** The map on some columns that stands best for the whole one under its metric: least squares, zero elsewhere. */
export function restricted(product: Product, {map, gram}: Target, columns: readonly number[]): Matrix {
  const inside = part(gram, columns, columns);
  const drawn = part(timesTransposed(product, map, gram), null, columns);
  const l = cholesky(product, inside);
  const found = l ? solve(product, l, drawn) : part(map, null, columns);
  const result = zeros(map.rows, map.columns);
  for (let o = 0; o < map.rows; o++)
    columns.forEach((column, i) => {
      result.data[o * map.columns + column] = found.data[o * columns.length + i]!;
    });
  return result;
}

/** A reader of a group: its map and metric on the group's columns, how many a channel is, and the energy of what it gives. */
export type Seen = {readonly target: Target; readonly each: number; readonly energy: number};

/**
 * A reader by the columns of each channel. Whatever other columns it has make up for what is gone: what is left of the metric when
 * they have done so is Schur's complement.
 */
export function seenIn(product: Product, {map, gram}: Target, channels: readonly (readonly number[])[]): Seen {
  const own = channels.flat();
  const inside = new Set(own);
  const others = Array.from({length: map.columns}, (_, i) => i).filter(i => !inside.has(i));
  const across = part(gram, own, others);
  const l = others.length > 0 ? cholesky(product, part(gram, others, others)) : null;
  const metric = part(gram, own, own);
  return {
    target: {
      map: part(map, null, own),
      gram: l ? minus(metric, timesTransposed(product, solve(product, l, across), across)) : metric,
    },
    each: channels[0]!.length,
    energy: inner(timesTransposed(product, map, gram), map) || 1,
  };
}

/**
 * Channels in the order in which they go, the least important first, until `least` are left. What a channel costs is the least
 * rise of the readers' errors where it goes and the others make up for it, tr(W_q (H_qq)^-1 W_q') with H = G^-1 over those
 * that are left (optimal brain surgeon, in blocks; Frantar and Alistarh 2022, section 4); it is taken anew after each eighth.
 */
export function removalOrder(product: Product, channels: number, least: number, readers: readonly Seen[]): readonly number[] {
  let left = Array.from({length: channels}, (_, c) => c);
  const gone: number[] = [];
  const round = Math.max(1, Math.ceil(channels / 8));
  while (left.length > least) {
    const prices = new Map(left.map(channel => [channel, 0]));
    for (const seen of readers)
      pricesOf(product, seen, left).forEach((price, i) => {
        prices.set(left[i]!, prices.get(left[i]!)! + price);
      });
    const cheapest = left.toSorted((a, b) => prices.get(a)! - prices.get(b)!).slice(0, Math.min(round, left.length - least));
    gone.push(...cheapest);
    left = left.filter(channel => !cheapest.includes(channel));
  }
  return gone;
}

/** Of each channel that is left, relative to the energy of what the reader gives. */
function pricesOf(product: Product, {target, each, energy}: Seen, left: readonly number[]): readonly number[] {
  const columns = columnsOf(left, each);
  const inside = part(target.gram, columns, columns);
  const l = cholesky(product, inside);
  const map = part(restricted(product, target, columns), null, columns);
  if (!l) return left.map(() => 0);
  const inverse = solve(product, l, identity(columns.length));
  return left.map((_, i) => {
    const own = Array.from({length: each}, (_, k) => i * each + k);
    const weights = part(map, null, own);
    const block = cholesky(product, part(inverse, own, own));
    return block ? inner(solve(product, block, weights), weights) / energy : 0;
  });
}

/** Some rows and columns; null: all rows. */
function part({rows, columns, data}: Matrix, some: readonly number[] | null, others: readonly number[]): Matrix {
  const chosen = some ?? Array.from({length: rows}, (_, i) => i);
  const result = zeros(chosen.length, others.length);
  chosen.forEach((row, i) => {
    others.forEach((column, j) => {
      result.data[i * others.length + j] = data[row * columns + column]!;
    });
  });
  return result;
}
