/**
 * A store that lies in the user's cache keeps to a size: what was not used for longest goes, once no process uses the store. Whoever
 * uses it says so by a file that is named by machine and process.
 */
import {randomUUID} from 'node:crypto';
import {existsSync, mkdirSync, readdirSync, rmSync, statSync, utimesSync, writeFileSync} from 'node:fs';
import {hostname} from 'node:os';
import {join} from 'node:path';
import {fail} from '../../ir/diagnostics.js';
import {unwritable} from '../data/files.js';
import {kinds} from './places.js';

/** Bytes that stores keep to where nothing else is said. */
const usualMost = 4096e6;

/** What DNNC_CACHE_MB says. Error: usage cache.size. */
export function mostBytes(asked = process.env.DNNC_CACHE_MB): number {
  if (asked === undefined || asked === '') return usualMost;
  const megabytes = Number(asked);
  if (Number.isFinite(megabytes) && megabytes >= 0) return megabytes * 1e6;
  return fail(
    'usage',
    'cache.size',
    `DNNC_CACHE_MB=${asked}`,
    'is no number of megabytes',
    'DNNC_CACHE_MB=4096, or leave it away',
  );
}

const usersOf = (folder: string): string => join(folder, 'users');

/** A file of a process that has ended, on another machine or under a number that another one has got, counts no longer. Milliseconds. */
const longest = 7 * 24 * 3600e3;

/** Nothing is evicted until what this returns is called, or this process ends. Error: input file.unwritable, file.disk-full. */
export function announceUse(folder: string): () => void {
  const file = join(usersOf(folder), `${hostname()} ${process.pid} ${randomUUID()}`);
  try {
    mkdirSync(usersOf(folder), {recursive: true});
    writeFileSync(file, '');
  } catch (cause) {
    unwritable(file, cause);
  }
  return () => rmSync(file, {force: true});
}

function isUsed(folder: string): boolean {
  if (!existsSync(usersOf(folder))) return false;
  return readdirSync(usersOf(folder)).some(name => {
    const file = join(usersOf(folder), name);
    const [host, pid] = name.split(' ');
    const began = statSync(file, {throwIfNoEntry: false})?.mtimeMs ?? 0;
    const lives = Date.now() - began < longest && (host !== hostname() || isRunning(Number(pid)));
    if (!lives) rmSync(file, {force: true});
    return lives;
  });
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    // Not ours to signal, but there.
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

type Kept = {readonly path: string; readonly bytes: number; readonly used: number};

/** `used`: files that have been in use until now. Nothing goes while others use the store. Returns the bytes that went. */
export function evict(folder: string, used: Iterable<string>, most = mostBytes()): number {
  for (const file of used) touch(file);
  const all = kinds.flatMap(kind => entriesOf(join(folder, kind)));
  let [left, gone] = [all.reduce((sum, {bytes}) => sum + bytes, 0), 0];
  for (const {path, bytes} of all.sort((a, b) => a.used - b.used)) {
    if (left <= most || isUsed(folder)) break;
    rmSync(path, {recursive: true, force: true});
    left -= bytes;
    gone += bytes;
  }
  return gone;
}

/** The time of access, which the system may not keep, or only to a day. */
function touch(file: string): void {
  const stat = statSync(file, {throwIfNoEntry: false});
  if (stat) utimesSync(file, Date.now() / 1000, stat.mtimeMs / 1000);
}

/** Files, and folders of samples. */
function entriesOf(folder: string): readonly Kept[] {
  return readdirSync(folder).flatMap((name): readonly Kept[] => {
    const path = join(folder, name);
    const stat = statSync(path, {throwIfNoEntry: false});
    if (!stat) return [];
    const used = Math.max(stat.atimeMs, stat.mtimeMs);
    return [{path, used, bytes: stat.isDirectory() ? entriesOf(path).reduce((sum, {bytes}) => sum + bytes, 0) : stat.size}];
  });
}
