/**
 * Whether a schedule is one that the problem allows, with sums of its own: constraints E2 to E6 of MCDNN (section 4.2) and their
 * extensions. Energy (loads of what changed or was evicted, execution, transmission, idling), money and data stay within their budgets;
 * what is resident fits into memory at every moment; an option meets its latency limit (too slow ones are not in the problem);
 * a request is answered in one place, by one option, which is connected where it must be.
 */
import type {Decision} from '../schedule/decision.js';
import type {Setting} from '../schedule/policy.js';
import type {Problem} from '../schedule/problem.js';
import type {Paged} from '../schedule/state.js';
import type {Truth} from './simulate.js';

export type Checker = {
  /** For `watch` of `simulate`. */
  see(decision: Decision): void;
  /** What does not hold, in words; nothing where the schedule is feasible. */
  readonly violations: readonly string[];
};

/** For rounding of sums, as a part of a limit. */
const slack = 1e-9;
const mostKept = 100;

/** `measured`: what executions took, in energy and bytes, is what the decisions say. Absent: as annotated. */
export function feasibilityChecker({kinds, segments}: Problem, {limits, idle}: Setting, truth?: Truth | 'measured'): Checker {
  const violations: string[] = [];
  const resident = new Set<number>();
  const used = {energy: 0, money: 0, data: 0};
  let before = 0;
  const expect = (holds: boolean, constraint: string, says: () => string): void => {
    if (!holds && violations.length < mostKept) violations.push(`${constraint}: ${says()}`);
  };
  return {
    violations,
    see({time, kind, option: chosen, paged, begins, energy, data, state}) {
      expect(time >= before, 'order', () => `${time} s comes after ${before} s`);
      before = time;
      const {options, name} = kinds[kind]!;
      if (chosen < 0) return;
      const option = options[chosen];
      if (!option) return expect(false, 'E6', () => `${name} has no option ${chosen}`);
      const at = `${name} at ${time} s by ${option.variant} (${option.place})`;
      expect(state.connected || !option.linked, 'E6', () => `${at}: there is no connection`);
      const change = ({loaded, evicted}: Paged): void => {
        for (const s of evicted) expect(resident.delete(s), 'E4', () => `${at}: ${segments[s]!.id} was not there to be evicted`);
        for (const s of loaded) {
          expect(!resident.has(s), 'E2', () => `${at}: ${segments[s]!.id} is loaded twice`);
          resident.add(s);
          used.energy += segments[s]!.loadEnergy;
        }
        let bytes = 0;
        for (const s of resident) bytes += segments[s]!.bytes;
        expect(bytes <= limits.memory, 'E4', () => `${at}: ${bytes} bytes are resident, there is room for ${limits.memory}`);
      };
      change(paged);
      for (const s of option.segments) expect(resident.has(s), 'E2', () => `${at}: ${segments[s]!.id} was not loaded`);
      if (begins) change(begins.paged);
      used.energy += truth === 'measured' ? energy : option.energy * (truth?.[kind]?.[chosen] ?? 1);
      used.money += option.money;
      used.data += truth === 'measured' ? data : option.bytes;
      const within = (what: 'energy' | 'money' | 'data', amount: number, constraint: string): void =>
        expect(amount <= limits[what] * (1 + slack), constraint, () => `${at}: ${what} used ${amount} of ${limits[what]}`);
      within('energy', used.energy + idle * time, 'E2');
      within('money', used.money, 'E3');
      within('data', used.data, 'data');
    },
  };
}
