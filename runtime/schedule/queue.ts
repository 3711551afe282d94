/**
 * What waits already, and which options would keep a request waiting too long. Known from decisions that are not paid yet, so a day
 * that is replayed knows the same; a simulated day pays at once, and nothing waits. Decisions are counted by option, so a long queue
 * costs no more to look at than a short one.
 */
import type {Option, Problem} from './problem.js';
import {affords, loadEnergy, type State} from './state.js';

/** Why a request is not answered that could be answered if less waited. */
export type Refusal = 'queue-full' | 'too-late';

/** What was chosen for a request, and is not paid yet. */
export type Open = {readonly kind: number; readonly option: number};

export type Queue = {
  /** A decision is open from now on. */
  opened(decision: Open): void;
  /** It is paid. */
  closed(decision: Open): void;
  /** Before a request of this kind is chosen for: marks what it would wait too long for (`late` of the state). */
  look(kind: number): void;
  /** After it: forgets the marks. Where nothing was chosen, whether a mark is to blame. */
  judge(chosen: number): Refusal | undefined;
  /** Takes what an execution took, and for how long it kept others waiting, in milliseconds. */
  learn(at: number, milliseconds: number, occupied: number): void;
};

/** How much each execution changes what is expected of the next. */
const step = 0.125;

/** `most`: decisions that may be open at once on the device, and as many with the server. */
export function newQueue(problem: Problem, state: State, most: number): Queue {
  const {kinds} = problem;
  const {late} = state;
  /** Milliseconds of work, and what comes to it between two executions: on a busy thread that may be more. */
  const expected = Float64Array.from(kinds.flatMap(({options}) => options.map(({latency}) => latency)));
  let between = 0;
  let marked: readonly Option[] = [];
  let isFull = false;
  /** Open decisions that need the device, by `at` of their option, and in all; those that need the server. */
  const waiting = new Int32Array(expected.length);
  let [here, there] = [0, 0];
  const count = ({kind, option}: Open, by: 1 | -1): void => {
    const {place, linked, at} = kinds[kind]!.options[option]!;
    if (linked) there += by;
    if (place === 'cloud') return;
    here += by;
    waiting[at]! += by;
  };

  return {
    opened: decision => count(decision, 1),
    closed: decision => count(decision, -1),
    look(kind) {
      if (here + there === 0) return;
      let wait = 0;
      // Whole, whether it has begun or not; of a split too, whose part here is not known.
      for (let at = 0; at < waiting.length; at++) wait += waiting[at]! * (expected[at]! + between);
      const {options, latencyLimit} = kinds[kind]!;
      const isOver = ({place, linked}: Option): boolean => (place !== 'cloud' && here >= most) || (linked && there >= most);
      const isLate = ({place, at}: Option): boolean =>
        place !== 'cloud' && here > 0 && wait + between + expected[at]! > latencyLimit;
      marked = options.filter(option => isOver(option) || isLate(option));
      isFull = marked.some(isOver);
      for (const {at} of marked) late[at] = 1;
      state.pressed = marked.length > 0;
    },
    judge(chosen) {
      if (marked.length === 0) return undefined;
      const blamed = marked;
      for (const {at} of blamed) late[at] = 0;
      marked = [];
      state.pressed = false;
      if (chosen >= 0) return undefined;
      const could = blamed.some(option => affords(state, option, option.energy + loadEnergy(problem, state, option)));
      return could ? (isFull ? 'queue-full' : 'too-late') : undefined;
    },
    learn(at, milliseconds, occupied) {
      expected[at]! += step * (milliseconds - expected[at]!);
      between += step * (Math.max(0, occupied - milliseconds) - between);
    },
  };
}
