/** What machine this is: CPU model and features, as the operating system tells. */
import {readFileSync} from 'node:fs';
import {cpus} from 'node:os';
import {bestTarget, findTarget, type Target, targets} from '../codegen/targets/index.js';
import {fail} from '../ir/diagnostics.js';

export const cpuModel = (): string => cpus()[0]?.model.trim() ?? 'unknown CPU';

/** Where the system spells a feature in another way than gcc's flags without their hyphens. */
const spelled: Readonly<Record<string, string>> = {
  avx512_vnni: 'avx512vnni',
  avx_vnni: 'avxvnni',
  amx_tile: 'amxtile',
  amx_int8: 'amxint8',
};

/** Features as gcc spells them; empty where the system does not tell, and then the generic target is taken. */
export function cpuFeatures(): ReadonlySet<string> {
  try {
    const flags = /^flags\s*:\s*(.*)$/m.exec(readFileSync('/proc/cpuinfo', 'utf8'))?.[1] ?? '';
    return new Set(flags.split(' ').map(flag => spelled[flag] ?? flag));
  } catch {
    return new Set();
  }
}

/** Targets by name; `native` is the best that this CPU runs. Throws `usage` for a name that is none. */
export function targetsNamed(names: readonly string[]): readonly Target[] {
  const chosen = names.map(name => {
    if (name === 'native') return bestTarget(cpuFeatures());
    return (
      findTarget(name) ??
      fail('usage', 'target.unknown', name, 'is not a target', `one of native, ${targets.map(target => target.name).join(', ')}`)
    );
  });
  return [...new Set(chosen)];
}

/** What code for a target needs and this CPU lacks. */
function lackedBy({features}: Target): readonly string[] {
  const here = cpuFeatures();
  return features.filter(feature => !here.has(feature));
}

/** Whether this CPU can run code for a target. */
export const runsHere = (target: Target): boolean => lackedBy(target).length === 0;

/** A library that was asked for would be run as it is, and end the process where the processor lacks something. Errors: usage target.here. */
export function requireHere(name: string | undefined): void {
  const target = name === undefined ? undefined : findTarget(name);
  if (target?.format !== 'shared' || runsHere(target)) return;
  const lacked = lackedBy(target).join(', ');
  fail('usage', 'target.here', target.name, `this processor has no ${lacked}`, 'name a target that runs here: dnnc targets');
}
