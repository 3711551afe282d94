/**
 * Where results that only save time are kept: $XDG_CACHE_HOME/dnnc, by default ~/.cache/dnnc. Each lies behind its own sha256: what is
 * damaged, or was put there by another, counts as not there. What another process reads meanwhile is whole.
 */
import {createHash} from 'node:crypto';
import {readFileSync} from 'node:fs';
import {homedir} from 'node:os';
import {join} from 'node:path';
import {writeWhole} from './data/files.js';
import {shaOf} from './sha.js';

export const cacheFolder = (what: string): string => join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'dnnc', what);

const digestOf = (bytes: Uint8Array): Buffer => createHash('sha256').update(bytes).digest();
const digestBytes = 32;

const fileOf = (what: string, key: string, ending: 'json' | 'bytes'): string =>
  join(cacheFolder(what), `${shaOf(key)}.${ending}`);

function read(file: string): Uint8Array<ArrayBuffer> | null {
  try {
    const all = readFileSync(file);
    const bytes = Uint8Array.from(all.subarray(digestBytes));
    return digestOf(bytes).equals(all.subarray(0, digestBytes)) ? bytes : null;
  } catch {
    return null;
  }
}

function write(file: string, bytes: Uint8Array): void {
  try {
    writeWhole(file, Buffer.concat([digestOf(bytes), bytes]));
  } catch {
    // A home that cannot be written only costs making it again.
  }
}

/** What `keep` was given for this key; undefined where there is nothing to be read. */
export function recall(what: string, key: string): unknown {
  const bytes = read(fileOf(what, key, 'json'));
  return bytes ? JSON.parse(new TextDecoder().decode(bytes)) : undefined;
}

/** Keeps JSON. `key` must say all that the value depends on. */
export const keep = (what: string, key: string, value: unknown): void =>
  write(fileOf(what, key, 'json'), Buffer.from(JSON.stringify(value)));

/** Bytes that `keepBytes` was given, in a buffer of their own; null where there are none. */
export const recallBytes = (what: string, key: string): Uint8Array<ArrayBuffer> | null => read(fileOf(what, key, 'bytes'));

/** More than this is not kept: computing it again costs less than a full disk. */
const mostBytes = 256 << 20;

/** As `keep`. */
export function keepBytes(what: string, key: string, bytes: Uint8Array): void {
  if (bytes.byteLength <= mostBytes) write(fileOf(what, key, 'bytes'), bytes);
}
