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
  /** Worth (value minus what money and data cost at their prices), and what is spent. */
  worth: number;
  value: number;
  money: number;
  data: number;
  energy: number;
  /** Worth of one more joule. */
  price: number;
  readonly from: Int32Array;
  readonly to: Int32Array;
  readonly part: Float64Array;
};

export const newFilled = (kinds: number): Filled => ({
  ...{worth: 0, value: 0, money: 0, data: 0, energy: 0, price: 0},
  from: new Int32Array(2 * kinds),
  to: new Int32Array(2 * kinds),
  part: new Float64Array(2 * kinds),
});

/** Steps of all hulls, kept between calls. */
export type HullRoom = {
  steps: number;
  slope: Float64Array;
  energy: Float64Array;
  owner: Int32Array;
  option: Int32Array;
  sorted: Int32Array;
  hullOption: Int32Array;
  hullEnergy: Float64Array;
  hullWorth: Float64Array;
};

export function newHullRoom({first, kinds}: Columns): HullRoom {
  const most = 2 * first[kinds]! + 2;
  const numbers = (): Float64Array => new Float64Array(most);
  const indices = (): Int32Array => new Int32Array(most);
  return {
    ...{steps: 0, slope: numbers(), energy: numbers(), owner: indices(), option: indices(), sorted: indices()},
    ...{hullOption: indices(), hullEnergy: numbers(), hullWorth: numbers()},
  };
}

export type Asked = {
  /** Requests of each class, as fractions or whole numbers. */
  readonly counts: Float64Array;
  /** 1: may be used. By option. */
  readonly allowed: Uint8Array;
  readonly energy: number;
  /** Worth of a dollar and of a byte. */
  readonly moneyPrice: number;
  readonly bytePrice: number;
  /** Values count this much more in classes of this connection, so that equal choices are made now. */
  readonly favoured?: {readonly connected: boolean; readonly factor: number};
};

export function fill(columns: Columns, room: HullRoom, asked: Asked, into: Filled): Filled {
  const {counts} = asked;
  room.steps = 0;
  into.worth = into.value = into.money = into.data = into.energy = into.price = 0;
  for (let c = 0; c < counts.length; c++) {
    into.from[c] = into.to[c] = -1;
    into.part[c] = 0;
    if (counts[c]! > 0) addHull(columns, room, asked, c, into);
  }
  sortSteps(room);
  take(room, asked, into);
  account(columns, asked, into);
  return into;
}

/** The hull of one class, from nothing upwards; what costs no energy is taken at once. */
function addHull(columns: Columns, room: HullRoom, asked: Asked, c: number, into: Filled): void {
  const {first, order, energy, value, money, bytes, linked} = columns;
  const {hullOption, hullEnergy, hullWorth} = room;
  const {allowed, moneyPrice, bytePrice, favoured} = asked;
  const isConnected = (c & 1) === 1;
  const kind = c >> 1;
  const factor = favoured !== undefined && favoured.connected === isConnected ? favoured.factor : 1;
  hullOption[0] = -1;
  hullEnergy[0] = 0;
  hullWorth[0] = 0;
  let top = 0;
  for (let i = first[kind]!; i < first[kind + 1]!; i++) {
    const option = order[i]!;
    if (allowed[option] === 0 || (linked[option] === 1 && !isConnected)) continue;
    const worth = factor * value[option]! - moneyPrice * money[option]! - bytePrice * bytes[option]!;
    const joules = energy[option]!;
    top = extend(room, top, option, joules, worth);
  }
  into.from[c] = into.to[c] = hullOption[0]!;
  const count = asked.counts[c]!;
  for (let i = 1; i <= top; i++) {
    const s = room.steps++;
    const more = hullEnergy[i]! - hullEnergy[i - 1]!;
    room.slope[s] = (hullWorth[i]! - hullWorth[i - 1]!) / more;
    room.energy[s] = more * count;
    room.owner[s] = c;
    room.option[s] = hullOption[i]!;
  }
}

/** Adds a point that takes no less energy than those before; gives the new end of the hull. */
function extend(
  {hullOption, hullEnergy, hullWorth}: HullRoom,
  end: number,
  option: number,
  joules: number,
  worth: number,
): number {
  let top = end;
  if (worth <= hullWorth[top]!) return top;
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
  return top;
}

/** Steepest first; of equals the one that was added first, so that the steps of one hull stay in order. */
function sortSteps({steps, slope, sorted}: HullRoom): void {
  for (let i = 0; i < steps; i++) {
    const steep = slope[i]!;
    let j = i - 1;
    for (; j >= 0 && slope[sorted[j]!]! < steep; j--) sorted[j + 1] = sorted[j]!;
    sorted[j + 1] = i;
  }
}

function take(room: HullRoom, {energy: limit}: Asked, into: Filled): void {
  let left = Math.max(0, limit);
  for (let i = 0; i < room.steps; i++) {
    const s = room.sorted[i]!;
    const c = room.owner[s]!;
    const joules = room.energy[s]!;
    into.from[c] = into.to[c]!;
    into.to[c] = room.option[s]!;
    into.part[c] = joules <= left ? 1 : left / joules;
    if (joules > left) {
      into.price = room.slope[s]!;
      return;
    }
    left -= joules;
  }
}

function account(columns: Columns, {counts, moneyPrice, bytePrice}: Asked, into: Filled): void {
  for (let c = 0; c < counts.length; c++) {
    spend(columns, into.from[c]!, counts[c]! * (1 - into.part[c]!), into);
    spend(columns, into.to[c]!, counts[c]! * into.part[c]!, into);
  }
  into.worth = into.value - moneyPrice * into.money - bytePrice * into.data;
}

function spend({value, money, bytes, energy}: Columns, option: number, times: number, into: Filled): void {
  if (option < 0 || times === 0) return;
  into.value += times * value[option]!;
  into.money += times * money[option]!;
  into.data += times * bytes[option]!;
  into.energy += times * energy[option]!;
}
