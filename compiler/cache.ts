/** Where results that only save time are kept: $XDG_CACHE_HOME/dnnc, by default ~/.cache/dnnc. */
import {createHash} from 'node:crypto';
import {mkdirSync, readFileSync, renameSync, rmSync, writeFileSync} from 'node:fs';
import {homedir} from 'node:os';
import {join} from 'node:path';

export const cacheFolder = (what: string): string => join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'dnnc', what);

const fileOf = (what: string, key: string, ending: 'json' | 'bytes'): string =>
  join(cacheFolder(what), `${createHash('sha256').update(key).digest('hex').slice(0, 32)}.${ending}`);

/** What `keep` was given for this key, whoever may have changed it since; undefined where there is nothing to be read. */
export function recall(what: string, key: string): unknown {
  try {
    return JSON.parse(readFileSync(fileOf(what, key, 'json'), 'utf8'));
  } catch {
    return undefined;
  }
}

/** Writes JSON. `key` must say all that the value depends on. */
export function keep(what: string, key: string, value: unknown): void {
  try {
    mkdirSync(cacheFolder(what), {recursive: true});
    writeFileSync(fileOf(what, key, 'json'), JSON.stringify(value));
  } catch {
    // A home that cannot be written only costs measuring again.
  }
}

/** Bytes that `keepBytes` was given, if there are as many as wanted; null otherwise. Aligned to 8. */
export function recallBytes(what: string, key: string, count: number): Uint8Array<ArrayBuffer> | null {
  try {
    const bytes = new Uint8Array(count);
    const found = readFileSync(fileOf(what, key, 'bytes'));
    if (found.byteLength !== count) return null;
    bytes.set(found);
    return bytes;
  } catch {
    return null;
  }
}

/** More than this is not kept: computing it again costs less than a full disk. */
const mostBytes = 256 << 20;

/** As `keep`; what another process reads meanwhile is whole. */
export function keepBytes(what: string, key: string, bytes: Uint8Array): void {
  if (bytes.byteLength > mostBytes) return;
  const file = fileOf(what, key, 'bytes');
  try {
    mkdirSync(cacheFolder(what), {recursive: true});
    writeFileSync(`${file}.${process.pid}`, bytes);
    renameSync(`${file}.${process.pid}`, file);
  } catch {
    rmSync(`${file}.${process.pid}`, {force: true});
  }
}
