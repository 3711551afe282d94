/**
 * Output folders that are there as a whole or not at all: everything is written into a folder beside, which then takes the
 * place of the old one. An interrupted or failed build leaves what was there.
 */
import {chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync} from 'node:fs';
import {basename, dirname, join, resolve} from 'node:path';
import {fail} from '../ir/diagnostics.js';
import {stopCompilers} from './cc.js';

/** Written by every build: a folder that has it may be replaced. */
export const logName = 'build.log.json';

/** Calls `write` with a fresh folder and moves it to `directory`. Throws `input` where the place cannot be written or is not ours. */
export async function replaceDirectory<T>(directory: string, write: (folder: string) => Promise<T>): Promise<T> {
  const place = resolve(directory);
  if (existsSync(place) && !isOurs(place))
    fail('input', 'output.foreign', directory, 'has files that dnnc did not write', 'name an empty or new folder with -o');
  const parent = dirname(place);
  const partial = attempt(directory, () => {
    mkdirSync(parent, {recursive: true});
    return mkdtempSync(join(parent, `.${basename(place)}.partial-`));
  });
  const stop = (signal: NodeJS.Signals): void => {
    stopCompilers();
    try {
      rmSync(partial, {recursive: true, force: true, maxRetries: 5});
    } finally {
      process.exit(signal === 'SIGINT' ? 130 : 143);
    }
  };
  process.once('SIGINT', stop).once('SIGTERM', stop);
  try {
    const result = await write(partial);
    chmodSync(partial, 0o777 & ~process.umask());
    const old = `${partial}.old`;
    attempt(directory, () => {
      if (existsSync(place)) renameSync(place, old);
      try {
        renameSync(partial, place);
      } catch (error) {
        if (existsSync(old)) renameSync(old, place);
        throw error;
      }
    });
    rmSync(old, {recursive: true, force: true});
    return result;
  } catch (error) {
    rmSync(partial, {recursive: true, force: true});
    if (isSystemError(error)) return unwritable(directory, error);
    throw error;
  } finally {
    process.removeListener('SIGINT', stop).removeListener('SIGTERM', stop);
  }
}

function isOurs(place: string): boolean {
  try {
    const names = readdirSync(place);
    return names.length === 0 || names.includes(logName);
  } catch {
    return false;
  }
}

function attempt<T>(directory: string, act: () => T): T {
  try {
    return act();
  } catch (error) {
    if (isSystemError(error)) return unwritable(directory, error);
    throw error;
  }
}

const isSystemError = (error: unknown): error is NodeJS.ErrnoException => error instanceof Error && 'syscall' in error;

function unwritable(directory: string, error: NodeJS.ErrnoException): never {
  const full = error.code === 'ENOSPC';
  return fail(
    'input',
    full ? 'output.disk-full' : 'output.unwritable',
    directory,
    full ? 'the disk is full; nothing was changed' : `cannot be written (${error.code ?? error.message}); nothing was changed`,
    full ? 'free some space, or name another folder with -o' : 'check its permissions, or name another folder with -o',
  );
}
