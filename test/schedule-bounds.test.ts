/** The bounds against a solver that others keep (HiGHS), against every schedule of tiny days, and what the oracle makes of them. */
import {createRequire} from 'node:module';
import test from 'ava';
import type {LegacyHighs} from 'highs';
import {
  boundsOf,
  type Future,
  type Limits,
  type Option,
  type Problem,
  policies,
  problemOf,
  readCatalog,
} from '../runtime/schedule/index.js';
import {futureOf, type Random, random, simulate, type TraceEvent} from '../runtime/simulate/index.js';
import {randomCatalog} from './support/random-catalog.js';

// Its types describe another export than its module has.
const loadSolver: () => Promise<LegacyHighs> = createRequire(import.meta.url)('highs');
const none = Number.POSITIVE_INFINITY;

/** The same programs as text: `x` of a class and an option, `y` of a segment that is paid. */
function asText({kinds, segments}: Problem, {connected, alone}: Future, limits: Limits, isCharged: boolean): string {
  const names: {readonly name: string; readonly option: Option; readonly kind: number; readonly row: string}[] = [];
  for (const [kind, {options}] of kinds.entries())
    for (const row of ['alone', 'connected'])
      for (const [i, option] of options.entries())
        if (row === 'connected' || !option.linked) names.push({name: `x_${row}_${kind}_${i}`, option, kind, row});
  const total = (of: (option: Option) => number): string => {
    const terms = names.flatMap(({name, option}) => (of(option) === 0 ? [] : [`${of(option)} ${name}`]));
    return terms.length > 0 ? terms.join(' + ') : `0 ${names[0]!.name}`;
  };
  const countOf = (kind: number, row: string): number => (row === 'alone' ? alone : connected)[kind]!;
  const loads = isCharged ? segments.map(({loadEnergy}, s) => `${loadEnergy} y_${s}`) : [];
  const rows: string[] = [];
  const add = (limit: number, text: string): void => void (limit < none && rows.push(`c${rows.length}: ${text} <= ${limit}`));
  add(limits.energy, [total(option => option.energy), ...loads].join(' + '));
  add(
    limits.money,
    total(option => option.money),
  );
  add(
    limits.data,
    total(option => option.bytes),
  );
  for (const [kind] of kinds.entries())
    for (const row of ['alone', 'connected']) {
      const own = names.filter(each => each.kind === kind && each.row === row);
      if (own.length > 0) add(countOf(kind, row), own.map(({name}) => name).join(' + '));
    }
  if (isCharged)
    for (const {name, option, kind, row} of names)
      for (const s of option.segments) add(0, `${name} - ${countOf(kind, row)} y_${s}`);
  const binaries = isCharged && segments.length > 0 ? `\nBinary\n ${segments.map((_, s) => `y_${s}`).join(' ')}` : '';
  return `Maximize\n obj: ${total(option => option.value)}\nSubject To\n ${rows.join('\n ')}${binaries}\nEnd`;
}

function randomLimits(dice: Random): Limits {
  const some = (most: number): number => (dice.below(4) === 0 ? none : most * dice.unit());
  return {energy: 60 * dice.unit(), money: some(30), data: some(1500), memory: none};
}

test('both bounds are those of HiGHS', async t => {
  const solver = await loadSolver();
  for (let seed = 1; seed <= 100; seed++) {
    const dice = random(seed, 77);
    const problem = problemOf(randomCatalog(dice));
    if (problem.kinds.every(({options}) => options.length === 0)) continue;
    const counts = (): Float64Array => Float64Array.from(problem.kinds, () => dice.below(40));
    const future = {connected: counts(), alone: counts()};
    const limits = randomLimits(dice);
    const {linear, charged, exact} = boundsOf(problem, future, limits);
    const solved = (isCharged: boolean): number =>
      solver.solve(asText(problem, future, limits, isCharged), {mip_rel_gap: 0}).ObjectiveValue;
    const expected = solved(false);
    t.true(Math.abs(linear - expected) <= 1e-6 * (1 + expected), `seed ${seed}: linear ${linear}, HiGHS ${expected}`);
    const withLoads = solved(true);
    t.true(exact, `seed ${seed}`);
    t.true(Math.abs(charged - withLoads) <= 2e-6 * (1 + withLoads), `seed ${seed}: charged ${charged}, HiGHS ${withLoads}`);
    t.true(charged <= linear * (1 + 1e-9));
  }
});

/** The best value of a day, by trying everything: for a few requests. */
function bestOf({kinds, segments}: Problem, events: readonly TraceEvent[], limits: Limits): number {
  const walk = (i: number, energy: number, money: number, data: number, resident: readonly number[], isUp: boolean): number => {
    const event = events[i];
    if (!event) return 0;
    if (event.kind < 0) return walk(i + 1, energy, money, data, resident, event.up);
    let best = walk(i + 1, energy, money, data, resident, isUp);
    for (const option of kinds[event.kind]!.options) {
      if (option.linked && !isUp) continue;
      const missing = option.segments.filter(s => !resident.includes(s));
      const joules = option.energy + missing.reduce((sum, s) => sum + segments[s]!.loadEnergy, 0);
      if (joules > energy || option.money > money || option.bytes > data) continue;
      for (const kept of subsets(resident.filter(s => !option.segments.includes(s)))) {
        const next = [...kept, ...option.segments];
        if (next.reduce((bytes, s) => bytes + segments[s]!.bytes, 0) > limits.memory) continue;
        best = Math.max(best, option.value + walk(i + 1, energy - joules, money - option.money, data - option.bytes, next, isUp));
      }
    }
    return best;
  };
  return walk(0, limits.energy, limits.money, limits.data, [], true);
}

const subsets = (items: readonly number[]): readonly (readonly number[])[] =>
  Array.from({length: 2 ** items.length}, (_, mask) => items.filter((_item, i) => (mask >> i) % 2 === 1));

test('no schedule of a tiny day exceeds the bounds, and no policy the best schedule', t => {
  for (let seed = 1; seed <= 60; seed++) {
    const dice = random(seed, 78);
    const problem = problemOf(randomCatalog(dice));
    const events: TraceEvent[] = [];
    for (let i = 0; i < 4; i++) {
      if (dice.below(3) === 0) events.push({time: i, kind: -1, up: dice.below(2) === 0});
      events.push({time: i, kind: dice.below(problem.kinds.length), up: false});
    }
    const limits = {...randomLimits(dice), memory: 20 + 80 * dice.unit()};
    const best = bestOf(problem, events, limits);
    const {linear, charged} = boundsOf(problem, futureOf(problem, events), limits);
    t.true(
      best <= charged * (1 + 1e-6) + 1e-9 && best <= linear * (1 + 1e-9) + 1e-9,
      `seed ${seed}: ${best}, ${charged}, ${linear}`,
    );
    for (const policy of Object.values(policies)) {
      const {value} = simulate({problem, setting: {limits, day: 4, idle: 0}, policy, trace: events});
      t.true(value <= best + 1e-9, `seed ${seed}: ${policy.name} ${value} of ${best}`);
    }
  }
});

test("the two tasks of the authors' talk: feasible, and as good as any schedule", t => {
  const place = (energy: number, money: number, segment: string) => ({
    device: {energy, latency: 1, segments: [segment]},
    cloud: {money, latency: 1, bytes: 0, energy: 0},
  });
  const variant = (id: string, accuracy: number, energy: number, money: number) => ({
    id,
    accuracy: [accuracy],
    ...place(energy, money, id),
  });
  const problem = problemOf(
    readCatalog({
      ...{schema: 1, name: 'talk'},
      segments: [
        {id: 'large1', bytes: 8, loadEnergy: 0},
        {id: 'small1', bytes: 5, loadEnergy: 0},
        {id: 'large2', bytes: 9, loadEnergy: 0},
        {id: 'small2', bytes: 6, loadEnergy: 0},
      ],
      requests: [
        {name: 'one', tasks: [{name: 'one'}], rate: 1, variants: [variant('large1', 90, 2, 2), variant('small1', 80, 1, 1)]},
        {name: 'two', tasks: [{name: 'two'}], rate: 1, variants: [variant('large2', 80, 3, 3), variant('small2', 70, 2, 2)]},
      ],
    }),
  );
  // Five of each: 14 joules and 14 dollars are enough for all but one of the large ones.
  const events = Array.from({length: 10}, (_, i): TraceEvent => ({time: i / 2, kind: i % 2, up: false}));
  const limits = {energy: 14, money: 14, data: none, memory: 10};
  const {linear} = boundsOf(problem, futureOf(problem, events), limits);
  const {value, overspent} = simulate({problem, setting: {limits, day: 5, idle: 0}, policy: policies.oracle, trace: events});
  t.false(overspent);
  t.is(value, 850);
  t.true(linear >= 850 && linear < 860, `${linear}`);
});
