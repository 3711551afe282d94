/** Claims of the paper that days on paper show, beside those of simulate.test.ts. */
import test from 'ava';
import {boundaries, damping, rowOf} from '../examples/mcdnn/budgets.js';
import {publishedRepairs, repaired, repairs} from '../examples/mcdnn/repairs.js';

type Row = readonly [name: string, moves: number, loads: number, accuracy: number];

test('at budgets from little to plenty both places do at least as well as one (C2)', t => {
  for (const energy of [90, 720, 1080, 36_000]) {
    const {server, client, mcdnn, dnnc} = rowOf('share', {energy});
    t.true(mcdnn >= Math.max(server, client) - 0.05, `${energy} J: ${mcdnn}, ${server}, ${client}`);
    t.true(dnnc >= Math.max(server, client), `${energy} J: ${dnnc}, ${server}, ${client}`);
  }
});

test('what is kept for loads to come damps changes of place (C8)', t => {
  for (const energy of boundaries) {
    const [[, moves, loads], [, undampedMoves, undampedLoads]] = damping(energy) as [Row, Row];
    t.true(moves < 0.85 * undampedMoves, `${moves} ${undampedMoves}`);
    t.true(loads < 0.7 * undampedLoads, `${loads} ${undampedLoads}`);
  }
});

test("the authors' rule with contexts, as released and repaired (C30)", t => {
  const near = (value: number, expected: number, tolerance: number) =>
    t.true(Math.abs(value - expected) <= tolerance, `${value}, published ${expected}`);
  for (const [name, tolerance] of [
    ['s1', 1],
    ['s2', 0.4],
  ] as const) {
    const of = (repair: string) => repaired(name, repairs[repair]!, [1]);
    const [before, after] = [of('released'), of('window')];
    near(before.accuracy, publishedRepairs[name].released, tolerance);
    near(after.accuracy, publishedRepairs[name].window, tolerance);
    near(repaired(name, null, [1]).accuracy, publishedRepairs[name].none, tolerance);
    t.true(after.accuracy < before.accuracy && after.specialized < before.specialized);
    // What is charged costs: less is left, or less is answered.
    for (const repair of ['window, fallback', 'window, switches', 'window, memory 64 MB', 'all, memory 64 MB']) {
      const {accuracy, energyLeft} = of(repair);
      t.true(accuracy <= after.accuracy + 0.01, `${repair}: ${accuracy} of ${after.accuracy}`);
      t.true(accuracy < after.accuracy || energyLeft < after.energyLeft, repair);
    }
  }
});
