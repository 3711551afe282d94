/** What a store holds, where it lies in its folder, and how one sees that it is undamaged. The same names are the paths of a store's URLs. */
import {createHash} from 'node:crypto';
import {join} from 'node:path';
import {shaOf} from '../sha.js';

/** Networks and samples have their sha256 for a name; results the key of their job, and their own sha256 in the first line. */
export type Kind = 'networks' | 'samples' | 'results';

export const kinds: readonly Kind[] = ['networks', 'samples', 'results'];

const endings: Readonly<Record<Kind, string>> = {networks: 'network', samples: 'samples', results: 'json'};

export const isSha256 = (name: string): boolean => /^[0-9a-f]{64}$/.test(name);

export const placeOf = (folder: string, kind: Kind, name: string): string => join(folder, kind, `${name}.${endings[kind]}`);

/** Sees content part by part; `holds` tells whether all of it was what the name says. */
export type Check = {add(part: Uint8Array): void; holds(): boolean};

export function checkOf(kind: Kind, name: string): Check {
  const digest = createHash('sha256');
  if (kind !== 'results') return {add: part => void digest.update(part), holds: () => digest.digest('hex') === name};
  let line = Buffer.alloc(0);
  return {
    add(part) {
      const missing = Math.max(0, lineBytes - line.byteLength);
      line = Buffer.concat([line, part.subarray(0, missing)]);
      digest.update(part.subarray(missing));
    },
    holds: () => line.toString('latin1') === `${digest.digest('hex')}\n`,
  };
}

/** A sha256 and the end of its line. */
const lineBytes = 65;

/** A result as it is stored. */
export function resultText(result: unknown): string {
  const body = JSON.stringify(result);
  return `${shaOf(body)}\n${body}`;
}

/** undefined: damaged. */
export function readResult(text: string): unknown {
  const body = text.slice(lineBytes);
  return text.slice(0, lineBytes) === `${shaOf(body)}\n` ? JSON.parse(body) : undefined;
}
