/** Traces that are made up: the same seed is the same day, and rates, spells and classes are what was asked for. */
import test from 'ava';
import {
  alternating,
  bursts,
  type Day,
  generate,
  profile,
  type Shape,
  steady,
  step,
  type TraceEvent,
} from '../runtime/simulate/index.js';

const length = 40_000;
const dayOf = (shape: Shape, seed = 1): Day => ({length, seed, arrivals: [{kind: 0, rate: 0.5, shape}]});
const eventsOf = (day: Day): readonly TraceEvent[] => [...generate(day)];

test('the same seed is the same day, another one is another', t => {
  const day = dayOf(bursts(0.25, 600, 3.25, 200));
  const trace = generate(day);
  t.deepEqual([...trace], [...trace]);
  t.deepEqual(eventsOf(day), [...trace]);
  t.notDeepEqual(eventsOf({...day, seed: 2}), [...trace]);
});

test('rates are as asked for, on average and by the time of the day', t => {
  for (const shape of [steady, step(1.6, 0.4, length / 2), profile([0.5, 1.5, 1], length)]) {
    const count = eventsOf(dayOf(shape)).length;
    t.true(Math.abs(count / (0.5 * length) - 1) < 0.03, `${count}`);
  }
  const early = eventsOf(dayOf(step(1.6, 0.4, length / 2))).filter(({time}) => time < length / 2).length;
  t.true(Math.abs(early / (0.8 * length * 0.5) - 1) < 0.1, `${early}`);
  const bursty = Array.from({length: 8}, (_, seed) => eventsOf(dayOf(bursts(0.25, 600, 3.25, 200), seed)).length);
  const mean = bursty.reduce((sum, count) => sum + count, 0) / bursty.length;
  t.true(Math.abs(mean / (0.5 * length) - 1) < 0.1, `${mean}`);
  t.is(eventsOf({length, seed: 1, arrivals: [{kind: 0, rate: 0}]}).length, 0);
});

test('connections come and go in order of time, within the day', t => {
  const outages = alternating(5, length, 300, 900);
  for (const [i, [from, to]] of outages.entries()) {
    t.true(to - from >= 300 && to - from <= 900);
    t.true(i === 0 || from - outages[i - 1]![1] >= 300);
  }
  const events = eventsOf({...dayOf(steady), outages});
  t.true(events.every(({time}, i) => time < length && (i === 0 || time >= events[i - 1]!.time)));
  const changes = events.filter(({kind}) => kind < 0).map(({up}) => up);
  t.true(changes.length > 20 && changes.every((up, i) => up === (i % 2 === 1)));
});

test('in a spell a few classes hold most requests', t => {
  const skew = {count: 100, targets: 5, share: 0.9, length: 5000, chance: 0.0005};
  const events = eventsOf({length, seed: 3, arrivals: [{kind: 0, rate: 1, skew}]});
  const partOf = (from: number): number => {
    const window = events.filter(({time}) => time >= from && time < from + 1000);
    return window.filter(({label = 99}) => label < skew.targets).length / window.length;
  };
  const parts = Array.from({length: 40}, (_, i) => partOf(1000 * i));
  t.true(Math.max(...parts) > 0.85 && Math.min(...parts) < 0.1, `${parts}`);
});
