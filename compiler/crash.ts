/** A bug of ours: says so, and writes what is needed to reproduce it. */
import {mkdtempSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {print} from '../ir/print.js';
import {PassFailure} from '../passes/framework/manager.js';
import {version} from './version.js';

/** Words for the user; the reproducer's place is in them. */
export function reportCrash(error: unknown): string {
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
  const command = `// dnnc ${version}: ${process.argv
    .slice(2)
    .map(arg => JSON.stringify(arg))
    .join(' ')}`;
  try {
    const folder = mkdtempSync(join(tmpdir(), 'dnnc-bug-'));
    writeFileSync(join(folder, 'error.txt'), `${command}\n${stack}\n`);
    const before = failureIn(error);
    if (before) writeFileSync(join(folder, 'repro.ir'), `${command}\n// before pass ${before.pass}\n${print(before.before)}`);
    return `dnnc: this is a bug of dnnc: ${error instanceof Error ? error.message : String(error)}\n  a reproducer was written to ${folder}; please report it with the model`;
  } catch {
    return `dnnc: this is a bug of dnnc, and no reproducer could be written: ${stack}`;
  }
}

function failureIn(error: unknown): PassFailure | null {
  for (let at: unknown = error; at instanceof Error; at = at.cause) if (at instanceof PassFailure) return at;
  return null;
}
