/** The version in package.json. */
import {readFileSync} from 'node:fs';
import {packageFile} from './package-files.js';

const parsed: unknown = JSON.parse(readFileSync(packageFile('package.json'), 'utf8'));
export const version: string =
  typeof parsed === 'object' && parsed !== null && 'version' in parsed ? String(parsed.version) : 'unknown';
