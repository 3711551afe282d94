/**
 * What no scheduler can beat on a day whose requests are all known. The linear bound lets requests be split into fractions, and
 * pays no load. The charged bound also pays each segment that is used once; it is the optimum of a mixed program, by
 * branch and bound over segments, and stays an upper bound where the search is cut off. Both ignore memory and order.
 */
import {type Columns, columnsOf, sortByEnergy} from './hulls.js';
import {addUse, forget, newSolver, type Solution, type Solver, solve} from './linear.js';
import type {Future} from './policy.js';
import type {Problem} from './problem.js';
import type {Amounts} from './state.js';

/** Upper bounds of the value of a day; `exact` is false where the search for the charged one was cut off. */
export type Bounds = {readonly linear: number; readonly charged: number; readonly exact: boolean};

/** Energies of options as they really are, by kind. Absent: as annotated. */
export type TrueEnergies = readonly (readonly number[])[];

/** Relative gap at which the search ends, and how many nodes it may look at. */
const enough = 1e-7;
const mostNodes = 4000;

export function boundsOf(problem: Problem, future: Future, limits: Amounts, energies?: TrueEnergies): Bounds {
  const columns = columnsOf(problem);
  if (energies) columns.energy.set(energies.flat());
  sortByEnergy(columns);
  const counts = countsOf(future);
  const allowed = new Uint8Array(columns.first[columns.kinds]!).fill(1);
  const linear = solve(newSolver(columns), {counts, allowed, limits, favour: null}).bound;
  return {linear, ...charged(problem, columns, counts, limits)};
}

/** Requests by class: see `Filled`. */
export const countsOf = ({connected, alone}: Future): Float64Array =>
  Float64Array.from({length: 2 * alone.length}, (_, c) => (c & 1 ? connected : alone)[c >> 1]!);

/** A segment is in use (and paid), not in use, or open: then each use pays its part of the load. */
type Node = {readonly state: readonly ('open' | 'in' | 'out')[]; readonly bound: number; readonly branch: number};

function charged(problem: Problem, columns: Columns, counts: Float64Array, limits: Amounts): Pick<Bounds, 'charged' | 'exact'> {
  const search = new ChargedSearch(problem, columns, counts, limits);
  const open: Node[] = [search.node(problem.segments.map(() => 'open'))];
  let nodes = 0;
  while (open.length > 0 && nodes < mostNodes) {
    // The most promising first.
    let at = 0;
    for (let i = 1; i < open.length; i++) if (open[i]!.bound > open[at]!.bound) at = i;
    const [node] = open.splice(at, 1);
    if (node!.bound <= search.best * (1 + enough) || node!.branch < 0) {
      return {charged: Math.max(node!.bound, search.best), exact: true};
    }
    for (const choice of ['in', 'out'] as const) {
      nodes++;
      open.push(search.node(node!.state.map((state, i) => (i === node!.branch ? choice : state))));
    }
  }
  return {charged: Math.max(search.best, ...open.map(({bound}) => bound)), exact: open.length === 0};
}

class ChargedSearch {
  /** The best value that is known to be reachable, loads paid. */
  best = 0;
  readonly #problem: Problem;
  readonly #counts: Float64Array;
  readonly #limits: Amounts;
  readonly #plain: Float64Array;
  readonly #solver: Solver;
  readonly #segmentsOf: readonly (readonly number[])[];
  /** Requests that could use a segment. */
  readonly #users: Float64Array;

  constructor(problem: Problem, columns: Columns, counts: Float64Array, limits: Amounts) {
    this.#problem = problem;
    this.#counts = counts;
    this.#limits = limits;
    this.#plain = columns.energy.slice();
    this.#solver = newSolver(columns);
    this.#segmentsOf = problem.kinds.flatMap(({options}) => options.map(({segments}) => segments));
    this.#users = new Float64Array(problem.segments.length);
    for (const [k, {options}] of problem.kinds.entries()) {
      const local = new Set(options.filter(({linked}) => !linked).flatMap(({segments}) => segments));
      const any = new Set(options.flatMap(({segments}) => segments));
      for (const s of any) this.#users[s]! += counts[2 * k + 1]! + (local.has(s) ? counts[2 * k]! : 0);
    }
  }

  node(state: Node['state']): Node {
    const {columns} = this.#solver;
    const {segments} = this.#problem;
    const paid = segments.reduce((joules, {loadEnergy}, s) => joules + (state[s] === 'in' ? loadEnergy : 0), 0);
    if (paid > this.#limits.energy) return {state, bound: 0, branch: -1};
    const part = (s: number): number => (state[s] === 'open' ? segments[s]!.loadEnergy / Math.max(1, this.#users[s]!) : 0);
    columns.energy.set(this.#plain);
    for (const [i, needed] of this.#segmentsOf.entries()) for (const s of needed) columns.energy[i]! += part(s);
    const solution = this.#solve(state, paid);
    const {bound} = solution;
    const times = this.#timesUsed(solution);
    // Of the segments in part paid, the one whose load is least covered.
    let [branch, most] = [-1, 1e-9];
    for (const [s, {loadEnergy}] of segments.entries()) {
      if (state[s] !== 'open' || times[s]! <= 1e-9) continue;
      const missing = loadEnergy * (1 - times[s]! / Math.max(1, this.#users[s]!));
      if (missing > most) [branch, most] = [s, missing];
    }
    this.#reach(state.map((each, s) => (each === 'in' || (each === 'open' && times[s]! > 1e-9) ? 'in' : 'out')));
    return {state, bound, branch};
  }

  /** What these segments give when all of them are paid. */
  #reach(state: Node['state']): void {
    const {segments} = this.#problem;
    const paid = segments.reduce((joules, {loadEnergy}, s) => joules + (state[s] === 'in' ? loadEnergy : 0), 0);
    if (paid > this.#limits.energy) return;
    this.#solver.columns.energy.set(this.#plain);
    this.best = Math.max(this.best, this.#solve(state, paid).value);
  }

  #solve(state: Node['state'], paid: number): Solution {
    const {columns} = this.#solver;
    sortByEnergy(columns);
    forget(this.#solver);
    const allowed = Uint8Array.from(this.#segmentsOf, needed => (needed.some(s => state[s] === 'out') ? 0 : 1));
    const limits = {...this.#limits, energy: this.#limits.energy - paid};
    return solve(this.#solver, {counts: this.#counts, allowed, limits, favour: null});
  }

  #timesUsed(solution: Solution): Float64Array {
    const {first, kinds} = this.#solver.columns;
    const total = first[kinds]!;
    const use = new Float64Array(2 * total);
    addUse(this.#solver, solution, 1, use);
    const times = new Float64Array(this.#problem.segments.length);
    for (let k = 0; k < kinds; k++)
      for (let i = first[k]!; i < first[k + 1]!; i++) {
        const uses = use[i]! * this.#counts[2 * k]! + use[total + i]! * this.#counts[2 * k + 1]!;
        for (const s of this.#segmentsOf[i]!) times[s]! += uses;
      }
    return times;
  }
}
