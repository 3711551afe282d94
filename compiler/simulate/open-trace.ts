/** Events from a file, or made up by a generator with a seed. Both can be walked again and again. */
import {fail} from '../../ir/diagnostics.js';
import type {Problem} from '../../runtime/schedule/index.js';
import {
  alternating,
  bursts,
  generate,
  profile,
  type Shape,
  steady,
  step,
  type Trace,
  traceReader,
} from '../../runtime/simulate/index.js';
import {linesOf} from './lines.js';

export function traceFile(file: string, {kinds}: Problem): Trace {
  const names = kinds.map(({name}) => name);
  return {
    *[Symbol.iterator]() {
      const read = traceReader(file, names);
      for (const line of linesOf(file)) {
        const event = read(line);
        if (event) yield event;
      }
    },
  };
}

/** Ways in which requests come, at the rates of the catalog on average. */
export const shapeNames = ['poisson', 'bursts', 'step-up', 'step-down', 'day'] as const;

const shapeOf = (name: (typeof shapeNames)[number], day: number): Shape => {
  switch (name) {
    case 'poisson':
      return steady;
    case 'bursts':
      return bursts(0.25, 600, 3.25, 200);
    case 'step-up':
      return step(0.4, 1.6, day / 2);
    case 'step-down':
      return step(1.6, 0.4, day / 2);
    case 'day':
      return profile([0.2, 0.6, 1.4, 1.2, 1.6, 1.4, 1, 0.6], day);
    default:
      return name satisfies never;
  }
};

/** `outages`: LEAST-MOST seconds of spells with and without a connection, in turn. */
export function generated(
  {kinds}: Problem,
  day: number,
  name: (typeof shapeNames)[number],
  seed: number,
  outages: string | undefined,
): Trace {
  const shape = shapeOf(name, day);
  return generate({
    ...{length: day, seed, arrivals: kinds.map(({rate}, kind) => ({kind, rate, shape}))},
    outages: outages === undefined ? [] : spells(outages, seed, day),
  });
}

function spells(text: string, seed: number, day: number) {
  const [, least, most] = /^(\d+)-(\d+)$/.exec(text) ?? [];
  if (least === undefined || Number(least) < 1 || Number(most) < Number(least))
    fail('usage', 'simulate.outages', text, 'is not LEAST-MOST seconds', '--outages 2000-7000');
  return alternating(seed, day, Number(least), Number(most));
}
