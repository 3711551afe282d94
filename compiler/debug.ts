/**
 * DNNC_DEBUG, a ladder: 1 passes and milliseconds; 2 + statistics and sizes; 3 + the nodes that each pass left; 5 + the IR
 * after each change. On standard error.
 */
import {print} from '../ir/print.js';
import type {PassReport} from '../passes/framework/manager.js';

export const debugLevel = (): number => Number(process.env.DNNC_DEBUG ?? 0) || 0;

export function debugObserver(): (report: PassReport) => void {
  const level = debugLevel();
  if (level < 1) return () => {};
  return ({pass, module, changed, milliseconds, counts}) => {
    const line = [`${pass.name}: ${milliseconds.toFixed(1)} ms${changed ? '' : ', nothing changed'}`];
    if (level >= 2) for (const [what, count] of counts) line.push(`  ${count} ${pass.stats[what] ?? what}`);
    if (level >= 2) line.push(`  ${module.graph.nodes.length} nodes, ${module.graph.constants.length} constants`);
    if (level >= 3) line.push(...opCounts(module.graph.nodes.map(node => node.op)));
    process.stderr.write(`${line.join('\n')}\n`);
    if (level >= 5 && changed) process.stderr.write(`${print(module)}\n`);
  };
}

function opCounts(ops: readonly string[]): string[] {
  const counts = new Map<string, number>();
  for (const op of ops) counts.set(op, (counts.get(op) ?? 0) + 1);
  return [...counts].sort((a, b) => b[1] - a[1]).map(([op, count]) => `    ${count} ${op}`);
}
