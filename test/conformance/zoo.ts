/** Of real networks, listed by the operators that they need, how many have only operators that we support. */
import {existsSync, readFileSync} from 'node:fs';
import {join} from 'node:path';
import {operators} from '../../compiler/operators.js';
import {plainName, suiteFolder} from './suite.js';

export type ZooCoverage = {
  readonly networks: number;
  readonly supported: number;
  /** By operator that is missing: the networks that need it. */
  readonly missing: ReadonlyMap<string, readonly string[]>;
};

/** null where the list is not there. */
export function zooCoverage(): ZooCoverage | null {
  const file = join(suiteFolder(), 'zoo-ops.json');
  if (!existsSync(file)) return null;
  const {models}: {readonly models: Readonly<Record<string, readonly string[]>>} = JSON.parse(readFileSync(file, 'utf8'));
  const known = new Set(operators().map(({operator}) => operator));
  const missing = new Map<string, string[]>();
  let supported = 0;
  for (const [network, needs] of Object.entries(models)) {
    const lacks = needs.map(plainName).filter(operator => !known.has(operator));
    if (lacks.length === 0) supported++;
    for (const operator of lacks) missing.set(operator, [...(missing.get(operator) ?? []), network]);
  }
  return {networks: Object.keys(models).length, supported, missing};
}
