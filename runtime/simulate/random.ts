/** Numbers that only look random: a seed means the same ones on every machine (xoshiro128** seeded by splitmix32). */
export type Random = {
  /** 0 <= value < 1, in steps of 2^-32. */
  unit(): number;
  /** Of a Poisson process: seconds to the next event. Its last bit is that of Math.log of this engine. */
  gap(rate: number): number;
  below(count: number): number;
};

/** A bijection of 32-bit integers that scatters neighbours. */
function scatter(value: number): number {
  let z = (value + 0x9e3779b9) | 0;
  z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
  z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
  return z ^ (z >>> 15);
}

/** Every part of the seed counts, and their order too. */
export function random(...seed: readonly number[]): Random {
  let state = 0x5eed;
  for (const part of seed) state = scatter(state ^ scatter(part | 0));
  const words = Array.from({length: 4}, () => {
    state = (state + 0x9e3779b9) | 0;
    return scatter(state);
  });
  let [a = 1, b = 2, c = 3, d = 4] = words;
  const turn = (value: number, by: number): number => (value << by) | (value >>> (32 - by));
  const unit = (): number => {
    const result = Math.imul(turn(Math.imul(b, 5), 7), 9) >>> 0;
    const shifted = b << 9;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= shifted;
    d = turn(d, 11);
    return result / 4294967296;
  };
  return {
    unit,
    gap: rate => -Math.log(1 - unit()) / rate,
    below: count => Math.floor(unit() * count),
  };
}
