/** One pass on one module, held to what it declares. */

import {exact} from '../../compiler/pipeline.js';
import {fail} from '../../ir/diagnostics.js';
import {verify} from '../../ir/invariants.js';
import type {Module} from '../../ir/types.js';
import {initially} from '../../passes/framework/manager.js';
import type {Pass} from '../../passes/framework/pass.js';

export const findPass = (name: string): Pass =>
  exact.find(pass => pass.name === name) ?? fail('bug', 'test.pass', name, 'is not in the pipeline');

/** What the pass makes of a module for which everything that it requires holds. */
export function runAlone(pass: Pass, module: Module): {readonly module: Module; readonly counts: ReadonlyMap<string, number>} {
  verify(module, [...initially, ...pass.requires]);
  const counts = new Map<string, number>();
  const result = pass.run(module, {count: (what, by = 1) => counts.set(what, (counts.get(what) ?? 0) + by)});
  verify(result, [...initially, ...pass.establishes]);
  return {module: result, counts};
}
