/**
 * Randomness from 32-bit integer arithmetic only, so that a seed means the same pictures on every machine. Fractions are
 * made by exact divisions; no Math.sin, Math.pow or other function whose last bit an engine may choose.
 */
export type Random = {
  /** 0 <= value < 1, in steps of 2^-32. */
  unit(): number;
  range(low: number, high: number): number;
  /** An integer, 0 <= value < count. */
  below(count: number): number;
  chance(probability: number): boolean;
  pick<T>(items: readonly T[]): T;
  /** Close to a normal distribution of mean 0 and deviation 1: a sum of six uniform values. */
  normal(): number;
};

/** A bijection of 32-bit integers that scatters neighbours (the finalizer of splitmix32). */
export function scatter(value: number): number {
  let z = (value + 0x9e3779b9) | 0;
  z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
  z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
  return z ^ (z >>> 15);
}

const rotate = (value: number, by: number): number => (value << by) | (value >>> (32 - by));

/** xoshiro128**; every part of the seed counts, and their order too. */
export function random(...seed: readonly number[]): Random {
  let state = 0x5eed;
  for (const part of seed) state = scatter(state ^ scatter(part | 0));
  const next = (): number => {
    state = (state + 0x9e3779b9) | 0;
    return scatter(state);
  };
  let a = next();
  let b = next();
  let c = next();
  let d = next() | 1;
  const bits = (): number => {
    const result = Math.imul(rotate(Math.imul(b, 5), 7), 9) >>> 0;
    const t = b << 9;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= t;
    d = rotate(d, 11);
    return result;
  };
  const unit = (): number => bits() / 4294967296;
  const below = (count: number): number => Math.floor(unit() * count);
  return {
    unit,
    below,
    range: (low, high) => low + (high - low) * unit(),
    chance: probability => unit() < probability,
    pick: items => {
      const item = items[below(items.length)];
      if (item === undefined) throw new RangeError('nothing to pick from');
      return item;
    },
    // Six uniform values of 16 bits; the variance of their sum is 1/2.
    normal: () => {
      const [first, second, third] = [bits(), bits(), bits()];
      const halves = (first >>> 16) + (first & 65535) + (second >>> 16) + (second & 65535) + (third >>> 16) + (third & 65535);
      return (halves / 65536 - 3) * Math.SQRT2;
    },
  };
}

const lattice = (seed: number, x: number, y: number): number => (scatter(seed ^ scatter(x ^ scatter(y))) >>> 0) / 4294967296;
const ease = (t: number): number => t * t * (3 - 2 * t);

/** Smooth noise over the plane, 0 <= value < 1, with features about one unit wide. */
export function noise(seed: number, x: number, y: number): number {
  const column = Math.floor(x);
  const row = Math.floor(y);
  const across = ease(x - column);
  const down = ease(y - row);
  const top = lattice(seed, column, row) * (1 - across) + lattice(seed, column + 1, row) * across;
  const bottom = lattice(seed, column, row + 1) * (1 - across) + lattice(seed, column + 1, row + 1) * across;
  return top * (1 - down) + bottom * down;
}

/** Three octaves of `noise`: clouds, leaves, grass. */
export const clouds = (seed: number, x: number, y: number): number =>
  (4 * noise(seed, x, y) + 2 * noise(seed + 1, 2 * x, 2 * y) + noise(seed + 2, 4 * x, 4 * y)) / 7;
