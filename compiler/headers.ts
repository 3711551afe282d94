/** The kernel headers that a generated file needs, with all that they include, under the names they take in `kernels/`. */
import {existsSync, readFileSync} from 'node:fs';
import {invariant} from '../ir/diagnostics.js';
import {packageFile} from './package-files.js';

export function collectHeaders(wanted: Iterable<string>): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  const pending = [...wanted];
  for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
    if (found.has(name)) continue;
    const text = readFileSync(sourceOf(name), 'utf8');
    found.set(name, text);
    for (const match of text.matchAll(/^\s*#include "([^"]+)"/gm)) pending.push(match[1]!);
  }
  return new Map([...found].sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** `softmax.h` is ir/ops/softmax/kernel.h, unless codegen/kernels has a header of that name. */
function sourceOf(name: string): string {
  const shared = packageFile('codegen', 'kernels', name);
  const own = packageFile('ir', 'ops', name.replace(/\.h$/, ''), 'kernel.h');
  const path = existsSync(shared) ? shared : own;
  invariant(existsSync(path), 'headers.missing', name, 'is not a kernel header of this package');
  return path;
}
