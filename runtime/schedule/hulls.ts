/**
 * Which options to take how often, as a linear program with one energy budget: for every class of requests the upper concave
 * hull of its options over (energy, worth), then the steepest steps of all hulls first until the energy is gone (the greedy
 * solution of the multiple-choice knapsack's relaxation: Sinha, Zoltners 1979). Money and data come in as prices.
 */
import type {Problem} from './problem.js';

/** All options of all kinds in one row: option i of kind k is at `first[k] + i`. Costs may be corrected in place. */
export type Columns = {
  readonly kinds: number;
  /** One more than there are kinds: where each kind begins, and the end. */
  readonly first: Int32Array;
  readonly value: Float64Array;
  readonly energy: Float64Array;
  readonly money: Float64Array;
  readonly bytes: Float64Array;
  /** 1: it needs a connection. */
  readonly linked: Uint8Array;
  /** Within each kind by energy; `sortByEnergy` after energies have changed. */
  readonly order: Int32Array;
};

export function columnsOf({kinds}: Problem): Columns {
  const first = new Int32Array(kinds.length + 1);
  for (const [k, {options}] of kinds.entries()) first[k + 1] = first[k]! + options.length;
  const all = kinds.flatMap(({options}) => options);
  const columns: Columns = {
    ...{kinds: kinds.length, first},
    value: Float64Array.from(all, option => option.value),
    energy: Float64Array.from(all, option => option.energy),
    money: Float64Array.from(all, option => option.money),
    bytes: Float64Array.from(all, option => option.bytes),
    linked: Uint8Array.from(all, option => (option.linked ? 1 : 0)),
    order: Int32Array.from(all, (_, i) => i),
  };
  sortByEnergy(columns);
  return columns;
}

/** Insertion: corrections move few options by few places. */
export function sortByEnergy({kinds, first, energy, order}: Columns): void {
  for (let k = 0; k < kinds; k++)
    for (let i = first[k]! + 1; i < first[k + 1]!; i++) {
      const option = order[i]!;
      let j = i - 1;
      for (; j >= first[k]! && energy[order[j]!]! > energy[option]!; j--) order[j + 1] = order[j]!;
      order[j + 1] = option;
    }
}

/**
 * A solution, in a room that every call fills anew. Class 2k is kind k without a connection, 2k + 1 with one. Of a class the
 * fraction `1 - part` takes option `from` and `part` takes `to`; -1 is no option.
 */
export type Filled = {
  value: number;
  money: number;
  data: number;
  /** Worth of one more joule. */
  energyPrice: number;
  readonly from: Int32Array;
  readonly to: Int32Array;
  readonly part: Float64Array;
};

export const newFilled = (kinds: number): Filled => ({
  ...{value: 0, money: 0, data: 0, energyPrice: 0},
  ...{from: new Int32Array(2 * kinds), to: new Int32Array(2 * kinds), part: new Float64Array(2 * kinds)},
});

/** Steps of all hulls, the steepest first, at one price of money and data. */
export type Steps = {
  moneyPrice: number;
  bytePrice: number;
  favour: boolean | null;
  count: number;
  /** What each class takes at no energy. */
  readonly base: Int32Array;
  readonly slope: Float64Array;
  readonly energy: Float64Array;
  readonly owner: Int32Array;
  readonly option: Int32Array;
  readonly sorted: Int32Array;
  readonly hullOption: Int32Array;
  readonly hullEnergy: Float64Array;
  readonly hullWorth: Float64Array;
};

export function newSteps({first, kinds}: Columns): Steps {
  const most = 2 * first[kinds]! + 2;
  const numbers = (): Float64Array => new Float64Array(most);
  const indices = (): Int32Array => new Int32Array(most);
  return {
    ...{moneyPrice: Number.NaN, bytePrice: Number.NaN, favour: null, count: 0, base: new Int32Array(2 * kinds)},
    ...{slope: numbers(), energy: numbers(), owner: indices(), option: indices(), sorted: indices()},
    ...{hullOption: indices(), hullEnergy: numbers(), hullWorth: numbers()},
  };
}

/** Values count this much more in classes of the present connection: of equal choices, the one that is made now. */
const nowFactor = 1 + 1e-5;

/**
 * Finds the steps, unless they are those of the last call. `allowed` is 1 for options that may be used; who changes it, or the
 * columns, sets `moneyPrice` to NaN. `favour`: which classes are the present ones; null for none.
 */
export function findSteps(
  columns: Columns,
  steps: Steps,
  allowed: Uint8Array,
  moneyPrice: number,
  bytePrice: number,
  favour: boolean | null,
): void {
  if (steps.moneyPrice === moneyPrice && steps.bytePrice === bytePrice && favour === steps.favour) return;
  steps.moneyPrice = moneyPrice;
  steps.bytePrice = bytePrice;
  steps.favour = favour;
  steps.count = 0;
  for (let c = 0; c < steps.base.length; c++) {
    const isConnected = (c & 1) === 1;
    addHull(columns, steps, allowed, c, favour === isConnected ? nowFactor : 1);
  }
  sortSteps(steps);
}

/** The hull of one class, from nothing upwards; what costs no energy is taken at once. */
function addHull(columns: Columns, steps: Steps, allowed: Uint8Array, c: number, factor: number): void {
  const {first, order, energy, value, money, bytes, linked} = columns;
  const {hullOption, hullEnergy, hullWorth, moneyPrice, bytePrice} = steps;
  const isConnected = (c & 1) === 1;
  const kind = c >> 1;
  hullOption[0] = -1;
  hullEnergy[0] = 0;
  hullWorth[0] = 0;
  let top = 0;
  for (let i = first[kind]!; i < first[kind + 1]!; i++) {
    const option = order[i]!;
    if (allowed[option] === 0 || (linked[option] === 1 && !isConnected)) continue;
    const worth = factor * value[option]! - moneyPrice * money[option]! - bytePrice * bytes[option]!;
    if (worth <= hullWorth[top]!) continue;
    const joules = energy[option]!;
    while (top > 0) {
      const rise = worth - hullWorth[top]!;
      const below = hullWorth[top]! - hullWorth[top - 1]!;
      if (rise * (hullEnergy[top]! - hullEnergy[top - 1]!) < below * (joules - hullEnergy[top]!)) break;
      top--;
    }
    if (joules > hullEnergy[top]!) top++;
    hullOption[top] = option;
    hullEnergy[top] = joules;
    hullWorth[top] = worth;
  }
  steps.base[c] = hullOption[0]!;
  for (let i = 1; i <= top; i++) {
    const s = steps.count++;
    const more = hullEnergy[i]! - hullEnergy[i - 1]!;
    steps.slope[s] = (hullWorth[i]! - hullWorth[i - 1]!) / more;
    steps.energy[s] = more;
    steps.owner[s] = c;
    steps.option[s] = hullOption[i]!;
  }
}

/** Of equal slopes the one that was added first, so that the steps of one hull stay in order. */
function sortSteps({count, slope, sorted}: Steps): void {
  for (let i = 0; i < count; i++) {
    const steep = slope[i]!;
    let j = i - 1;
    for (; j >= 0 && slope[sorted[j]!]! < steep; j--) sorted[j + 1] = sorted[j]!;
    sorted[j + 1] = i;
  }
}

/** Takes steps until the energy is gone. `counts`: requests of each class, as whole numbers or fractions. */
export function fill(columns: Columns, steps: Steps, counts: Float64Array, joules: number, into: Filled): void {
  const {from, to, part} = into;
  for (let c = 0; c < counts.length; c++) {
    from[c] = to[c] = steps.base[c]!;
    part[c] = 0;
  }
  into.energyPrice = 0;
  let left = joules > 0 ? joules : 0;
  for (let i = 0; i < steps.count; i++) {
    const s = steps.sorted[i]!;
    const c = steps.owner[s]!;
    const needed = steps.energy[s]! * counts[c]!;
    from[c] = to[c]!;
    to[c] = steps.option[s]!;
    if (needed > left) {
      part[c] = left / needed;
      into.energyPrice = steps.slope[s]!;
      break;
    }
    part[c] = 1;
    left -= needed;
  }
  account(columns, counts, into);
}

function account({value, money, bytes}: Columns, counts: Float64Array, into: Filled): void {
  const {from, to, part} = into;
  let [sum, dollars, data] = [0, 0, 0];
  for (let c = 0; c < counts.length; c++) {
    const [a, b] = [from[c]!, to[c]!];
    const more = counts[c]! * part[c]!;
    const less = counts[c]! - more;
    if (a >= 0) {
      sum += less * value[a]!;
      dollars += less * money[a]!;
      data += less * bytes[a]!;
    }
    if (b >= 0) {
      sum += more * value[b]!;
      dollars += more * money[b]!;
      data += more * bytes[b]!;
    }
  }
  into.value = sum;
  into.money = dollars;
  into.data = data;
}
