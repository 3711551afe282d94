/** Where results that only save time are kept: $XDG_CACHE_HOME/dnnc, by default ~/.cache/dnnc. */
import {createHash} from 'node:crypto';
import {mkdirSync, readFileSync, writeFileSync} from 'node:fs';
import {homedir} from 'node:os';
import {join} from 'node:path';

export const cacheFolder = (what: string): string => join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'dnnc', what);

const fileOf = (what: string, key: string): string =>
  join(cacheFolder(what), `${createHash('sha256').update(key).digest('hex').slice(0, 32)}.json`);

/** What `keep` was given for this key, whoever may have changed it since; undefined where there is nothing to be read. */
export function recall(what: string, key: string): unknown {
  try {
    return JSON.parse(readFileSync(fileOf(what, key), 'utf8'));
  } catch {
    return undefined;
  }
}

/** Writes JSON. `key` must say all that the value depends on. */
export function keep(what: string, key: string, value: unknown): void {
  try {
    mkdirSync(cacheFolder(what), {recursive: true});
    writeFileSync(fileOf(what, key), JSON.stringify(value));
  } catch {
    // A home that cannot be written only costs measuring again.
  }
}
