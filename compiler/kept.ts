/**
 * Whole things that only save time, kept in the user's cache under what they depend on and behind their own sha256: what is damaged, or
 * was put there by another, counts as not there. What another process reads meanwhile is whole.
 */
import {createHash} from 'node:crypto';
import {readFileSync} from 'node:fs';
import {join} from 'node:path';
import {cacheFolder} from './cache.js';
import {writeWhole} from './data/files.js';

const digestOf = (bytes: Uint8Array): Buffer => createHash('sha256').update(bytes).digest();
const digestBytes = 32;

const fileOf = (what: string, key: string): string =>
  join(cacheFolder(what), `${createHash('sha256').update(key).digest('hex')}.kept`);

/** null: not there. */
export function recallKept(what: string, key: string): Uint8Array | null {
  try {
    const all = readFileSync(fileOf(what, key));
    const bytes = all.subarray(digestBytes);
    return digestOf(bytes).equals(all.subarray(0, digestBytes)) ? bytes : null;
  } catch {
    return null;
  }
}

/** `key` must say all that the bytes depend on. A cache that cannot be written only costs making them again. */
export function keepKept(what: string, key: string, bytes: Uint8Array): void {
  try {
    writeWhole(fileOf(what, key), Buffer.concat([digestOf(bytes), bytes]));
  } catch {
    // As it says.
  }
}

/** The same of JSON; undefined: not there. */
export function recallKeptJson(what: string, key: string): unknown {
  const bytes = recallKept(what, key);
  return bytes ? JSON.parse(Buffer.from(bytes).toString()) : undefined;
}

export const keepKeptJson = (what: string, key: string, value: unknown): void =>
  keepKept(what, key, Buffer.from(JSON.stringify(value)));
