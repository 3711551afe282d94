/**
 * Runs passes in the order given, and holds them to what they declare: requirements before, guarantees after, the same
 * object when nothing changed. Observers see every step; dumps, timings and reproducers are made of them.
 */
import {DnncError, invariant} from '../../ir/diagnostics.js';
import {type InvariantName, verify} from '../../ir/invariants.js';
import type {Module} from '../../ir/types.js';
import type {Pass} from './pass.js';

/** Holds for every module that an importer or the parser made. */
export const initially: readonly InvariantName[] = ['well-formed', 'inferred', 'rules-hold'];

export type PassReport = {
  readonly pass: Pass;
  readonly module: Module;
  readonly changed: boolean;
  readonly milliseconds: number;
  readonly counts: ReadonlyMap<string, number>;
};

/** Without running anything: throws a `bug` where a pass requires what nothing before it establishes. */
export function checkPipeline(passes: readonly Pass[]): void {
  const holds = new Set<InvariantName>(initially);
  for (const pass of passes) {
    for (const need of pass.requires)
      invariant(holds.has(need), 'pipeline.order', pass.name, `requires '${need}', which nothing before it establishes`);
    for (const broken of pass.breaks) holds.delete(broken);
    for (const made of pass.establishes) holds.add(made);
  }
}

/** A pass that throws leaves the module it was given in `PassFailure.before`. */
export class PassFailure extends DnncError {
  readonly pass: string;
  readonly before: Module;
  constructor(pass: string, before: Module, cause: unknown) {
    const says = cause instanceof Error ? cause.message : String(cause);
    super('bug', [{code: 'pass.failed', where: `pass ${pass}`, says}], cause);
    this.pass = pass;
    this.before = before;
  }
}

export function runPasses(module: Module, passes: readonly Pass[], observe: (report: PassReport) => void = () => {}): Module {
  checkPipeline(passes);
  const holds = new Set<InvariantName>(initially);
  let current = module;
  verify(current, holds);
  for (const pass of passes) {
    const counts = new Map<string, number>();
    const started = performance.now();
    const before = current;
    try {
      current = pass.run(before, {
        count: (what, by = 1) => {
          invariant(what in pass.stats, 'pass.stats', pass.name, `does not declare the statistic "${what}"`);
          counts.set(what, (counts.get(what) ?? 0) + by);
        },
      });
      for (const broken of pass.breaks) holds.delete(broken);
      for (const made of pass.establishes) holds.add(made);
      if (current !== before || pass.establishes.length > 0) verify(current, holds);
    } catch (error) {
      throw new PassFailure(pass.name, before, error);
    }
    const changed = current !== before;
    observe({pass, module: current, changed, milliseconds: performance.now() - started, counts});
  }
  return current;
}
