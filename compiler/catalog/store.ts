/**
 * Where jobs leave what they made, by content: networks under their sha256, results under the key of their job. What is damaged counts
 * as not there, so it is made again.
 */
import {mkdirSync, readFileSync, rmSync, statSync} from 'node:fs';
import {join} from 'node:path';
import {cacheFolder} from '../cache.js';
import {unwritable, writeWhole} from '../data/files.js';
import {shaOf} from '../sha.js';
import {kinds, placeOf, readResult, resultText} from './places.js';

export type Store = {
  readonly folder: string;
  /** Where a network lies that is there. */
  fileOf(sha256: string): string;
  /** Whether the network is there, undamaged. */
  has(sha256: string): boolean;
  /** Returns the sha256. Error: input file.unwritable, file.disk-full. */
  put(network: Uint8Array): string;
  /** undefined: not there. */
  result(key: string): unknown;
  /** Error: input file.unwritable, file.disk-full. */
  keep(key: string, result: unknown): void;
  /** Files that were read or written since the store was opened. */
  readonly used: ReadonlySet<string>;
};

/** Another one after whatever has been written to the file; null: there is none. */
export function stampOf(file: string): string | null {
  const stat = statSync(file, {throwIfNoEntry: false});
  return stat ? `${stat.ino} ${stat.size} ${stat.mtimeMs}` : null;
}

/** By default in the user's cache. Error: input file.unwritable, file.disk-full. */
export function openStore(folder = cacheFolder('catalog')): Store {
  try {
    for (const kind of kinds) mkdirSync(join(folder, kind), {recursive: true});
  } catch (cause) {
    unwritable(folder, cause);
  }
  const fileOf = (sha256: string): string => placeOf(folder, 'networks', sha256);
  const resultFile = (key: string): string => placeOf(folder, 'results', key);
  /** Networks that were found good, as they were then. */
  const good = new Map<string, string>();
  const used = new Set<string>();
  return {
    folder,
    fileOf,
    used,
    has(sha256) {
      const file = fileOf(sha256);
      used.add(file);
      const stamp = stampOf(file);
      if (stamp === null) return false;
      if (good.get(sha256) === stamp) return true;
      if (shaOf(readFileSync(file)) !== sha256) {
        rmSync(file, {force: true});
        return false;
      }
      good.set(sha256, stamp);
      return true;
    },
    put(network) {
      const sha256 = shaOf(network);
      writeWhole(fileOf(sha256), network);
      used.add(fileOf(sha256));
      return sha256;
    },
    result(key) {
      used.add(resultFile(key));
      try {
        return readResult(readFileSync(resultFile(key), 'utf8'));
      } catch {
        return undefined;
      }
    },
    keep(key, result) {
      used.add(resultFile(key));
      writeWhole(resultFile(key), Buffer.from(resultText(result)));
    },
  };
}
