/**
 * What samples consist of, named by one hash, and as one stream of bytes that has this hash: a file alone is its bytes; a folder of classes, or
 * images in IDX with their labels, an archive. Layout: magic, then per entry, in the order of their names, u32 length of the name,
 * u64 length of the content (little-endian), both. The name of a class ends in a slash: one without images counts among the labels too.
 */
import {createHash} from 'node:crypto';
import {closeSync, mkdirSync, openSync, readSync, statSync, writeSync} from 'node:fs';
import {basename, join} from 'node:path';
import {fail} from '../../ir/diagnostics.js';
import {unreadable} from './files.js';
import {classesOf, isFolder} from './folder.js';
import {filesOfIdx, isIdxName} from './idx.js';

const magic = Buffer.from('DNNCDIR1', 'latin1');
const headBytes = 12;

type Entry = {readonly name: string; readonly file: string | null};

/** sha256 of `bytesOf`. Errors: input file.*, dataset.*. */
export function hashOfSamples(path: string): string {
  const digest = createHash('sha256');
  for (const part of bytesOf(path)) digest.update(part);
  return digest.digest('hex');
}

/** Errors: as above. */
export function* bytesOf(path: string): Generator<Uint8Array> {
  const entries = entriesOf(path);
  if (!entries) return yield* fileBytes(path);
  yield magic;
  for (const {name, file} of entries) {
    const head = Buffer.alloc(headBytes);
    const text = Buffer.from(name);
    head.writeUInt32LE(text.byteLength);
    head.writeBigUInt64LE(BigInt(file === null ? 0 : statSync(file).size), 4);
    yield head;
    yield text;
    if (file !== null) yield* fileBytes(file);
  }
}

/** null: a file alone. */
function entriesOf(path: string): readonly Entry[] | null {
  if (isFolder(path))
    return classesOf(path).flatMap(({name, images}) => [
      {name: `${name}/`, file: null},
      ...images.map(image => ({name: `${name}/${image}`, file: join(path, name, image)})),
    ]);
  const files = isIdxName(path) ? filesOfIdx(path) : [path];
  return files.length === 1 ? null : files.map(file => ({name: basename(file), file}));
}

const step = 1 << 20;

function* fileBytes(path: string): Generator<Uint8Array> {
  const file = opened(path);
  try {
    for (;;) {
      // Each its own: whoever takes the parts may keep them for a while.
      const part = Buffer.allocUnsafeSlow(step);
      const count = readSync(file, part);
      if (count === 0) return;
      yield part.subarray(0, count);
    }
  } finally {
    closeSync(file);
  }
}

function opened(path: string): number {
  try {
    return openSync(path, 'r');
  } catch (cause) {
    return unreadable(path, cause);
  }
}

/** Whether a file is an archive of several. */
export function isArchive(path: string): boolean {
  const file = opened(path);
  const head = Buffer.alloc(magic.byteLength);
  const count = readSync(file, head);
  closeSync(file);
  return count === magic.byteLength && head.equals(magic);
}

/** Writes what an archive holds into a folder that is there. Error: input archive.format. */
export function unpack(archive: string, folder: string): void {
  const input = opened(archive);
  const refuse = (says: string): never => fail('input', 'archive.format', archive, says, 'make it again');
  try {
    if (!take(input, magic.byteLength).equals(magic)) refuse('is not an archive of samples');
    for (;;) {
      const head = take(input, headBytes);
      if (head.byteLength === 0) return;
      if (head.byteLength < headBytes) refuse('ends early');
      const length = head.readUInt32LE();
      const text = take(input, length);
      if (text.byteLength < length) refuse('ends early');
      const name = text.toString();
      if (!isPlain(name)) refuse(`holds a file that is named "${name}"`);
      if (name.endsWith('/')) mkdirSync(join(folder, name), {recursive: true});
      else copy(input, Number(head.readBigUInt64LE(4)), join(folder, name), () => refuse('ends early'));
    }
  } finally {
    closeSync(input);
  }
}

/** A name, or a class and a name; never a way out of the folder. */
const isPlain = (name: string): boolean => {
  const parts = name.replace(/\/$/, '').split('/');
  return parts.length <= 2 && parts.every(part => part !== '' && part !== '.' && part !== '..' && !/[\\\0]/.test(part));
};

/** As many bytes as there are, up to `count`. */
function take(file: number, count: number): Buffer {
  const bytes = Buffer.alloc(Math.min(count, step));
  let at = 0;
  while (at < bytes.byteLength) {
    const got = readSync(file, bytes, at, bytes.byteLength - at, null);
    if (got === 0) break;
    at += got;
  }
  return bytes.subarray(0, at);
}

function copy(input: number, size: number, path: string, short: () => never): void {
  const output = openSync(path, 'wx');
  try {
    for (let left = size; left > 0; ) {
      const part = take(input, left);
      if (part.byteLength === 0) short();
      writeSync(output, part);
      left -= part.byteLength;
    }
  } finally {
    closeSync(output);
  }
}
