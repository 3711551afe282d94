/**
 * The authors' own simulator, by its rule as it was released: MCDNN's heuristic with specialization, two scenarios, and the repairs that
 * the paper leaves open, each for itself. Budgets are soft there: energy may end below zero.
 */
import {generate, type Outages, random} from 'dnnc/simulate';
import {price, type Row} from './catalogs.js';

const day = 36_000;
/** Seconds, classes and shares of its window; milliseconds of a first answer and of a round trip; joules of a transmission. */
const [windowLength, set, least] = [300, 7, 0.6];
const [coldLimit, roundTrip, transmit] = [1000, 100, 0.0038];
const people = 200;

export type Repairs = {
  /** The window counts the faces, not the requests of all apps. */
  readonly window?: boolean;
  /** A specialized answer pays the general network as often as it has to ask it. */
  readonly fallback?: boolean;
  /** A change of the variant on the device pays its load. */
  readonly switches?: boolean;
  /** Megabytes on the device: what was used least lately goes, and pays its load when it is used again. */
  readonly memory?: number;
};

export type Scenario = {
  readonly outages: Outages;
  /** Few people hold `share` of the faces in these spells. */
  readonly spells: readonly (readonly [from: number, to: number])[];
  readonly targets: number;
  readonly share: number;
  readonly apps: readonly App[];
};

/** `reuses`: answered by what the face app has just chosen, for nothing, where that has such a head. */
export type App = {readonly name: string; readonly rate: number; readonly rows: readonly Row[]; readonly reuses?: boolean};

/** Accuracies in percent of all answers that were asked for. */
export type Released = {
  readonly accuracy: number;
  readonly served: number;
  readonly energyLeft: number;
  /** Requests that a specialized variant answered. */
  readonly specialized: number;
  readonly face: number;
};

type Place = 'device' | 'cloud';
type Choice = {
  readonly row: Row;
  readonly place: Place;
  readonly accuracy: number;
  readonly joules: number;
  readonly dollars: number;
};
/** Where an app is now, and what it has on the device. */
type At = {place: Place | null; row: Row | null; movedAt: number; usedAt: number; isResident: boolean};

export function released(scenario: Scenario, repairs: Repairs, seed: number, isSpecialized = true): Released {
  const {apps, outages, spells, targets, share} = scenario;
  const dice = random(seed, 30);
  const at = apps.map((): At => ({place: null, row: null, movedAt: Number.NEGATIVE_INFINITY, usedAt: 0, isResident: false}));
  const window: {readonly time: number; readonly isIn: boolean}[] = [];
  let [inside, energy, money] = [0, 1800, 0.0667];
  const sum = {asked: 0, served: 0, right: 0, specialized: 0, faces: 0, faceRight: 0};

  const see = (time: number, isIn: boolean): number => {
    window.push({time, isIn});
    if (isIn) inside++;
    while (window[0]!.time < time - windowLength) if (window.shift()!.isIn) inside--;
    return time < windowLength ? 0 : inside / window.length;
  };

  function choose(app: number, time: number, up: boolean, part: number): Choice | null {
    const {rate, rows} = apps[app]!;
    const now = at[app]!;
    const left = day - time;
    const squares = (place: Place): number =>
      apps.reduce((total, other, i) => total + (i !== app && at[i]!.place === place ? other.rate ** 2 : 0), rate ** 2);
    const [deviceShare, cloudShare] = [rate / left / squares('device'), rate / left / squares('cloud')];
    const general = rows.filter(({id}) => !id.startsWith('C'));
    const fits = (row: Row, place: Place, joules: number, dollars: number): boolean => {
      if (place === 'cloud')
        return (
          dollars <= cloudShare * money &&
          (now.place !== null || (row.cloudLoadMilliseconds ?? 0) + row.cloudMilliseconds + roundTrip <= coldLimit)
        );
      const reloads = now.place === 'cloud' ? (row.loadJoules * left) / (time - now.movedAt) : 0;
      return (
        joules <= deviceShare * (energy - reloads) &&
        (now.place !== null || (row.loadMilliseconds ?? 0) + row.deviceMilliseconds + roundTrip < coldLimit)
      );
    };
    const plain = (row: Row, place: Place): Choice =>
      place === 'device'
        ? {row, place, accuracy: row.accuracy, joules: row.deviceJoules, dollars: 0}
        : {row, place, accuracy: row.accuracy, joules: transmit, dollars: row.cloudMilliseconds * price};
    const best = (picks: readonly Choice[]): Choice | null =>
      picks
        .filter(({row, place, joules, dollars}) => fits(row, place, joules, dollars))
        .reduce<Choice | null>((most, each) => (most === null || each.accuracy > most.accuracy ? each : most), null);
    const bestAt = (place: Place): Choice | null => {
      const usual = general.map(row => plain(row, place));
      const fallback = best(usual) ?? usual.at(-1)!;
      const special = part < least || !isSpecialized ? [] : rows.filter(row => row.special);
      const cascades = special.map(row => {
        const {joules, dollars, ...pick} = plain(row, place);
        const again = repairs.fallback ? 1 - part : 0;
        const accuracy = row.special!.findLast(([percent]) => percent <= part)![1];
        return {
          ...{...pick, accuracy, joules: joules + (place === 'device' ? again * fallback.joules : 0)},
          dollars: dollars + again * fallback.dollars,
        };
      });
      return best([...usual, ...cascades]);
    };
    const [here, there] = [bestAt('device'), up ? bestAt('cloud') : null];
    const chosen = here && (!there || here.accuracy >= there.accuracy) ? here : there;
    if (chosen) return chosen;
    const cheapest = (place: Place, of: 'joules' | 'dollars'): Choice =>
      general.map(row => plain(row, place)).reduce((low, each) => (each[of] < low[of] ? each : low));
    const [device, cloud] = [cheapest('device', 'joules'), cheapest('cloud', 'dollars')];
    if (device.joules < energy) return device;
    return up && cloud.dollars < money ? cloud : null;
  }

  function pay(app: number, time: number, {row, place, joules, dollars}: Choice): void {
    const now = at[app]!;
    energy -= joules;
    money -= dollars;
    now.usedAt = time;
    if (place === 'device') {
      const isGone = !now.isResident && repairs.memory !== undefined;
      const isOther = repairs.switches === true && now.row !== row;
      if (now.place !== place || isGone || isOther) energy -= row.loadJoules;
      now.isResident = true;
      now.row = row;
      makeRoom(app);
    }
    if (now.place !== place) now.movedAt = time;
    now.place = place;
  }

  function makeRoom(app: number): void {
    const taken = (): number => at.reduce((total, {isResident, row}) => total + (isResident ? row!.megabytes : 0), 0);
    while (taken() > (repairs.memory ?? Infinity)) {
      const others = at.filter(({isResident}, i) => isResident && i !== app);
      if (others.length === 0) return;
      others.reduce((oldest, each) => (each.usedAt < oldest.usedAt ? each : oldest)).isResident = false;
    }
  }

  const own = apps.flatMap(({reuses, rate}, kind) => (reuses ? [] : [{kind, rate}]));
  let isUp = true;
  // A specialized network has no heads for the other questions: they are answered as by the last general one.
  let base = 'D6';
  for (const {time, kind, up} of generate({length: day, seed, outages, arrivals: own})) {
    if (kind < 0) {
      isUp = up;
      continue;
    }
    const isFace = kind === 0;
    const isSpell = spells.some(([from, to]) => time >= from && time < to);
    const person = isSpell && dice.unit() < share ? dice.below(targets) : dice.below(people);
    // The number of an app was taken for that of a person.
    const isIn = isFace ? person < set : kind < set;
    const isSeen = isFace || !repairs.window;
    const part = isSeen ? see(time, isIn) : 0;
    const chosen = choose(kind, time, isUp, isFace ? part : 0);
    if (chosen) pay(kind, time, chosen);
    if (isFace && chosen && !chosen.row.special) base = chosen.row.id;
    const count = (accuracy: number): void => {
      sum.asked++;
      if (chosen) sum.served++;
      sum.right += accuracy;
    };
    count(chosen?.accuracy ?? 0);
    if (!isFace) continue;
    sum.faces++;
    sum.faceRight += chosen?.accuracy ?? 0;
    if (chosen?.row.special) sum.specialized++;
    for (const {reuses, rows} of apps) {
      if (!reuses) continue;
      if (!repairs.window) see(time, isIn);
      count(chosen ? rows.find(({id}) => id === base)!.accuracy : 0);
    }
  }
  return {
    ...{accuracy: sum.right / sum.asked, served: (100 * sum.served) / sum.asked, energyLeft: energy},
    ...{specialized: sum.specialized, face: sum.faceRight / sum.faces},
  };
}
