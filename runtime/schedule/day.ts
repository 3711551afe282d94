/**
 * A day under way, simulated or live: events in, decisions out, and the one place where budgets and residency change. A decision holds
 * what it may take at most until it is known what it took, so budgets last whatever is still running. The same events
 * give the same decisions, bit for bit: clocks and measurements come in as arguments.
 */
import type {Decision, Load, Took} from './decision.js';
import {type Latencies, newLatencies} from './latencies.js';
import type {Future, Policy, Scheduler, Setting} from './policy.js';
import type {Problem} from './problem.js';
import {newQueue} from './queue.js';
import {type Amounts, isReady, loadEnergy, newState, type Paged, page, type State} from './state.js';

export type Day = {
  readonly state: State;
  readonly scheduler: Scheduler;
  readonly latencies: Latencies;
  /** Joules, dollars and bytes that are gone. */
  readonly used: Amounts;
  /** What executions took beyond the budgets, because they took more than was expected at most. */
  readonly overdrawn: Amounts;
  /** Seconds; never less than before. Idling is paid. */
  advance(time: number): void;
  /** The connection comes or goes. */
  link(time: number, up: boolean): void;
  /** `again`: a decision of the same kind that failed; only what needs no connection is chosen then. */
  request(time: number, kind: number, again?: Decision): Decision;
  /** A load that set out has arrived, or has failed. False where none of this number is under way. */
  arrived(time: number, load: number, failed: boolean): boolean;
  /** Holds so many bytes for a decision that is not paid yet, where they are left. */
  hold(decision: Decision, bytes: number): boolean;
  /** Pays for a decision, once. */
  pay(decision: Decision, took: Took): void;
  /** Tells the policy what the last paid decision took. */
  learn(decision: Decision, took: Took): void;
};

const noPages: Paged = {loaded: [], evicted: []};

export function newDay(problem: Problem, {limits, idle, loads, queue: most = Infinity}: Setting, scheduler: Scheduler): Day {
  const state = newState(problem, limits);
  const queue = newQueue(problem, state, most);
  const latencies = newLatencies(problem, state.slow);
  const {left} = state;
  /** `left` and what is held. */
  const purse = {energy: limits.energy, money: limits.money, data: limits.data};
  const used = {energy: 0, money: 0, data: 0};
  const overdrawn = {energy: 0, money: 0, data: 0};
  const held: Decision[] = [];
  const worth = (segment: number): number => (scheduler.worth ? scheduler.worth(state, segment) : (state.usedAt[segment] ?? 0));
  const underWay = new Map<number, Load>();
  let [count, loadCount] = [0, 0];

  /** Summed anew each time: so nothing of what was held stays in the last bits. */
  const findLeft = (): void => {
    let [energy, money, data] = [0, 0, 0];
    for (const decision of held) {
      energy += decision.energy + decision.load;
      money += decision.money;
      data += decision.data;
    }
    left.energy = Math.max(0, purse.energy - energy);
    left.money = Math.max(0, purse.money - money);
    left.data = Math.max(0, purse.data - data);
  };
  const take = (what: 'energy' | 'money' | 'data', amount: number): void => {
    used[what] += amount;
    const rest = purse[what] - amount;
    if (rest < 0) overdrawn[what] -= rest;
    purse[what] = Math.max(0, rest);
  };
  const advance = (time: number): void => {
    if (idle > 0) {
      // A device that is empty stays empty.
      const gone = Math.min(idle * (time - state.time), left.energy);
      used.energy += gone;
      purse.energy -= gone;
      findLeft();
    }
    state.time = time;
    if (latencies.passed(time)) scheduler.optionsChanged?.(state);
  };

  function choose(kind: number, isAgain: boolean): number {
    // A device that idling has emptied is off.
    if (idle > 0 && left.energy <= 0) return -1;
    if (!isAgain) return scheduler.choose(state, kind);
    const {connected} = state;
    state.connected = false;
    const chosen = scheduler.choose(state, kind, true);
    state.connected = connected;
    return chosen;
  }

  /** What answers while the wanted option's weights are on their way; -1 where nothing does, or the request is what they come for. */
  function standIn(kind: number, wanted: number, isAgain: boolean): number {
    const option = problem.kinds[kind]!.options[wanted];
    if (loads !== 'beside' || !option || isReady(state, option)) return -1;
    const energy = loadEnergy(problem, state, option);
    if (energy > 0 && scheduler.stays?.(kind, wanted) === false) return -1;
    const {connected} = state;
    const {energy: before} = left;
    left.energy = Math.max(0, before - energy);
    state.connected = connected && !isAgain;
    state.onlyReady = true;
    const other = scheduler.choose(state, kind, true);
    state.onlyReady = false;
    state.connected = connected;
    left.energy = before;
    return other;
  }

  /** Segments that are missing set out, and what has to go for them goes. */
  function begin(kind: number, wanted: number): Load | undefined {
    const option = problem.kinds[kind]!.options[wanted]!;
    const energy = loadEnergy(problem, state, option);
    const paged = page(problem, state, option, worth);
    if (paged.loaded.length === 0) return undefined;
    const load = {number: ++loadCount, energy, paged};
    for (const segment of paged.loaded) state.loading[segment] = load.number;
    underWay.set(load.number, load);
    take('energy', energy);
    return load;
  }

  return {
    ...{state, scheduler, latencies, used, overdrawn, advance},
    link(time, up) {
      advance(time);
      if (up === state.connected) return;
      state.connected = up;
      scheduler.linkChanged?.(state);
    },
    request(time, kind, again) {
      advance(time);
      queue.look(kind);
      const wanted = choose(kind, again !== undefined);
      const other = standIn(kind, wanted, again !== undefined);
      const chosen = other >= 0 ? other : wanted;
      const refused = queue.judge(chosen);
      const option = problem.kinds[kind]!.options[chosen];
      // Written out: simulated days make millions of them.
      const decision: Decision = {
        number: ++count,
        time,
        kind,
        option: chosen,
        energy: option ? (scheduler.most?.(kind, chosen) ?? option.energy) : 0,
        load: option ? loadEnergy(problem, state, option) : 0,
        money: option ? option.money : 0,
        data: option ? option.bytes : 0,
        paged: option ? page(problem, state, option, worth) : noPages,
        again: again?.number,
        refused,
        // After its own pages are known to be needed.
        begins: other >= 0 ? begin(kind, wanted) : undefined,
        state,
      };
      if (!option) return decision;
      held.push(decision);
      queue.opened(decision);
      findLeft();
      return decision;
    },
    arrived(time, number, failed) {
      const load = underWay.get(number);
      if (!load) return false;
      advance(time);
      underWay.delete(number);
      for (const segment of load.paged.loaded) {
        // Gone again meanwhile, and perhaps under way once more.
        if (state.loading[segment] !== number) continue;
        state.loading[segment] = 0;
        if (!failed) continue;
        state.resident[segment] = 0;
        state.occupied -= problem.segments[segment]!.bytes;
      }
      return true;
    },
    hold(decision, bytes) {
      if (!held.includes(decision) || bytes > decision.data + left.data) return false;
      decision.data = bytes;
      findLeft();
      return true;
    },
    pay(decision, took) {
      const at = held.indexOf(decision);
      if (at < 0) return;
      if (at === held.length - 1) held.pop();
      else held.splice(at, 1);
      queue.closed(decision);
      const option = problem.kinds[decision.kind]!.options[decision.option]!;
      decision.energy = took.energy ?? option.energy;
      decision.data = took.data ?? decision.data;
      take('energy', decision.energy + decision.load);
      take('money', decision.money);
      take('data', decision.data);
      findLeft();
    },
    learn({kind, option: chosen, energy}, {milliseconds, occupied, failed}) {
      const option = problem.kinds[kind]!.options[chosen];
      if (!option || failed) return;
      scheduler.observe?.(kind, chosen, energy);
      if (milliseconds !== undefined) queue.learn(option.at, milliseconds, occupied ?? milliseconds);
      if (milliseconds !== undefined && latencies.observe(state.time, option.at, milliseconds)) scheduler.optionsChanged?.(state);
    },
  };
}

/** A policy begins its day. */
export const beginDay = (problem: Problem, setting: Setting, policy: Policy, future?: Future): Day =>
  newDay(problem, setting, policy.begin(problem, setting, future));
