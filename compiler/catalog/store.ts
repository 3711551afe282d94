/**
 * Where jobs leave what they made, by content: networks under their sha256, results under the key of their job. What is damaged counts
 * as not there, so it is made again.
 */
import {createHash} from 'node:crypto';
import {existsSync, mkdirSync, readFileSync, rmSync} from 'node:fs';
import {join} from 'node:path';
import {cacheFolder} from '../cache.js';
import {writeWhole} from '../data/files.js';

export type Store = {
  readonly folder: string;
  /** Where a network lies that is there. */
  fileOf(sha256: string): string;
  /** Whether the network is there, undamaged. */
  has(sha256: string): boolean;
  /** Returns the sha256. Error: input file.unwritable. */
  put(network: Uint8Array): string;
  /** undefined: not there. */
  result(key: string): unknown;
  /** Error: input file.unwritable. */
  keep(key: string, result: unknown): void;
};

const shaOf = (bytes: Uint8Array | string): string => createHash('sha256').update(bytes).digest('hex');

/** By default in the user's cache. */
export function openStore(folder = cacheFolder('catalog')): Store {
  const [networks, results] = [join(folder, 'networks'), join(folder, 'results')];
  for (const each of [networks, results]) mkdirSync(each, {recursive: true});
  const fileOf = (sha256: string): string => join(networks, `${sha256}.network`);
  const resultFile = (key: string): string => join(results, `${key}.json`);
  const good = new Set<string>();
  return {
    folder,
    fileOf,
    has(sha256) {
      if (good.has(sha256)) return true;
      const file = fileOf(sha256);
      if (!existsSync(file)) return false;
      if (shaOf(readFileSync(file)) !== sha256) {
        rmSync(file, {force: true});
        return false;
      }
      good.add(sha256);
      return true;
    },
    put(network) {
      const sha256 = shaOf(network);
      writeWhole(fileOf(sha256), network);
      good.add(sha256);
      return sha256;
    },
    result(key) {
      try {
        const [sum, body = ''] = readFileSync(resultFile(key), 'utf8').split('\n');
        return sum === shaOf(body) ? JSON.parse(body) : undefined;
      } catch {
        return undefined;
      }
    },
    keep(key, result) {
      const body = JSON.stringify(result);
      writeWhole(resultFile(key), Buffer.from(`${shaOf(body)}\n${body}`));
    },
  };
}
