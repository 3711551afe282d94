/** What tasks that share a trunk take together, beside one after the other, in one run. */
import type {Session} from '../runtime/index.js';
import {percentiles} from './measure.js';
import {randomInput} from './random-inputs.js';

/** Medians in milliseconds, of calls from JavaScript. */
export type Together = {
  readonly tasks: readonly string[];
  readonly milliseconds: number;
  readonly apart: number;
  /** Of the task that takes longest. */
  readonly dearest: number;
};

/** One for each trunk that begins at the inputs; about `seconds` for each. */
export function timeTogether(session: Session, seconds: number): readonly Together[] {
  const {segments, tasks: known} = session.manifest;
  return segments
    .filter(({from, to}) => from === undefined && to !== undefined)
    .map(({tasks}) => {
      const inputs = known[tasks[0]!]!.inputs.map((input, i) => [input.name, randomInput(input, 1 + i).data] as const);
      const given = Object.fromEntries(inputs);
      const ways = [() => session.runTogether(tasks, given), ...tasks.map(task => () => session.run(task, given))];
      const times: number[][] = ways.map(() => []);
      const end = performance.now() + 1000 * seconds;
      for (let round = 0; round < 5 || performance.now() < end; round++)
        for (const [i, way] of ways.entries()) {
          const started = performance.now();
          way();
          if (round > 1) times[i]!.push(performance.now() - started);
        }
      const [milliseconds = 0, ...each] = times.map(list => Number(percentiles(list).p50.toPrecision(4)));
      const apart = each.reduce((a, b) => a + b, 0);
      return {tasks, milliseconds, apart: Number(apart.toPrecision(4)), dearest: Math.max(...each)};
    });
}
