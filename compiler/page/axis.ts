/** An axis: which values it spans, where a value lies on it, and where it is marked. */
export type Axis = {
  readonly least: number;
  readonly most: number;
  /** By powers, not by sums. */
  readonly logarithmic: boolean;
  readonly marks: readonly number[];
  /** A mark as text, with its unit. */
  readonly text: (value: number) => string;
};

/** From 0 at the least value to 1 at the most. */
export function along({least, most, logarithmic}: Axis, value: number): number {
  if (logarithmic) return Math.log(value / least) / Math.log(most / least);
  return (value - least) / Math.max(1e-12, most - least);
}

/** From the least to the most, marked in equal parts. */
export const evenAxis = (least: number, most: number, parts: number, text: (value: number) => string): Axis => ({
  ...{least, most, logarithmic: false, text},
  marks: Array.from({length: parts + 1}, (_, i) => least + ((most - least) * i) / parts),
});

/** A ratio from which values are told apart by powers. */
const wide = 12;

/** Around all of the values, with some room, marked at round numbers; `from` and `to` are never passed. */
export function axisAround(
  values: readonly number[],
  text: (value: number) => string,
  {from = -Infinity, to = Infinity, powers = false} = {},
): Axis {
  const finite = values.filter(Number.isFinite);
  const [low, high] = [finite.reduce((a, b) => Math.min(a, b), Infinity), finite.reduce((a, b) => Math.max(a, b), -Infinity)];
  if (low > high) return {least: 0, most: 1, logarithmic: false, marks: [], text};
  if (powers && low > 0 && high / low >= wide) {
    const [least, most] = [low / 1.25, high * 1.25];
    return {least, most, logarithmic: true, marks: powersIn(least, most), text};
  }
  const room = (high - low || Math.abs(high) || 1) * 0.08;
  const [least, most] = [Math.max(from, low - room), Math.min(to, high + room)];
  return {least, most, logarithmic: false, marks: roundIn(least, most), text};
}

/** 1, 2 or 5 times a power of ten, so that there are three to seven of them. */
function roundIn(least: number, most: number): readonly number[] {
  const rough = (most - least) / 6;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 5, 10].find(factor => factor * power >= rough) ?? 10);
  const first = Math.ceil(least / step);
  return Array.from({length: Math.floor(most / step) - first + 1}, (_, i) => Number(((first + i) * step).toPrecision(12)));
}

function powersIn(least: number, most: number): readonly number[] {
  const from = Math.floor(Math.log10(least));
  const decades = Array.from({length: Math.ceil(Math.log10(most)) - from + 1}, (_, i) => 10 ** (from + i));
  const factors = most / least > 1000 ? [1] : [1, 2, 5];
  return decades
    .flatMap(decade => factors.map(factor => Number((factor * decade).toPrecision(12))))
    .filter(mark => mark >= least && mark <= most);
}
