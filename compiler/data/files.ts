/** Whole files in and out, with errors that say what to do. A file that is written is there as a whole or not at all. */
import {closeSync, existsSync, fstatSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, writeFileSync} from 'node:fs';
import {dirname} from 'node:path';
import {fail} from '../../ir/diagnostics.js';

/** What Node reads in one go. Bytes. */
const largest = 2 ** 31 - 1;

/** Errors, all input: file.missing, file.unreadable, file.size. */
export function readWhole(path: string, largestSize = largest): Uint8Array {
  let file: number;
  try {
    file = openSync(path, 'r');
  } catch (cause) {
    return unreadable(path, cause);
  }
  try {
    const {size} = fstatSync(file);
    if (size > largestSize) fail('input', 'file.size', path, `the file has ${size} bytes, more than ${largestSize}`);
    const {buffer, byteOffset, byteLength} = readFileSync(file);
    return new Uint8Array(buffer, byteOffset, byteLength);
  } catch (cause) {
    return unreadable(path, cause);
  } finally {
    closeSync(file);
  }
}

/** Errors, all input: those of `readWhole`, file.json. */
export function readJson(path: string): unknown {
  const text = new TextDecoder().decode(readWhole(path));
  try {
    return JSON.parse(text);
  } catch (cause) {
    const says = cause instanceof Error ? cause.message : String(cause);
    return fail('input', 'file.json', path, `is not JSON: ${says}`, 'write the file again');
  }
}

/** Node's system errors as ours; anything else passes through. */
export function unreadable(path: string, cause: unknown): never {
  if (!(cause instanceof Error) || !('code' in cause) || typeof cause.code !== 'string') throw cause;
  if (cause.code === 'ENOENT' || cause.code === 'ENOTDIR')
    fail('input', 'file.missing', path, 'there is no such file', 'check the path');
  if (cause.code === 'EISDIR') fail('input', 'file.unreadable', path, 'this is a folder, not a file', 'name a file in it');
  return fail('input', 'file.unreadable', path, `the file cannot be read (${cause.code})`, 'check its permissions');
}

/** Writes beside and renames; makes the folder where there is none. Errors, all input: file.unwritable, file.disk-full. */
export function writeWhole(path: string, content: Uint8Array | string): void {
  const beside = `${path}.${process.pid}.partial`;
  try {
    mkdirSync(dirname(path), {recursive: true});
    writeFileSync(beside, content);
    renameSync(beside, path);
  } catch (cause) {
    if (existsSync(beside)) rmSync(beside);
    unwritable(path, cause);
  }
}

/** As `unreadable`, of a file that was to be written. */
export function unwritable(path: string, cause: unknown): never {
  if (!(cause instanceof Error) || !('code' in cause) || typeof cause.code !== 'string') throw cause;
  if (isFull(cause))
    fail('input', 'file.disk-full', path, 'the disk is full; nothing was changed', 'free some space, or name another place');
  return fail('input', 'file.unwritable', path, cause.message, 'check the folder and its permissions');
}

/** Whether a system error says that the disk, or one's share of it, is full. */
export const isFull = (cause: unknown): boolean =>
  cause instanceof Error && 'code' in cause && (cause.code === 'ENOSPC' || cause.code === 'EDQUOT');
