/** Which dnnc this is, to the byte, and on which machine: results of one are not those of another. */
import {createHash} from 'node:crypto';
import {existsSync, readdirSync, readFileSync} from 'node:fs';
import {join} from 'node:path';
import {compilerVersion} from './cc.js';
import {cpuFeatures, cpuModel} from './host.js';
import {packageFile} from './package-files.js';
import {shaOf} from './sha.js';
import {version} from './version.js';

let known: string | null = null;

/** The version and a hash of all code that ships: JavaScript, kernels, the loader. */
export function identity(): string {
  known ??= `${version} ${hashOfPackage()}`;
  return known;
}

/** What results of a machine may depend on. */
export type Machine = {
  readonly cpu: string;
  readonly compiler: string;
  /** A hash: two machines of one CPU may offer different parts of it. */
  readonly features: string;
};

let here: Machine | null = null;

export function thisMachine(): Machine {
  here ??= {cpu: cpuModel(), compiler: compilerVersion(), features: shortHash([...cpuFeatures()].sort())};
  return here;
}

/** 16 hex digits. */
export const shortHash = (of: readonly string[]): string => shaOf(of.join('\n')).slice(0, 16);

const rooms = ['compiler', 'ir', 'passes', 'codegen', 'runtime'];

function hashOfPackage(): string {
  const digest = createHash('sha256');
  for (const room of rooms) {
    addFiles(packageFile('build', room), /\.js$/);
    addFiles(packageFile(room), /\.(h|c)$/);
  }
  return digest.digest('hex').slice(0, 16);

  function addFiles(folder: string, wanted: RegExp): void {
    if (!existsSync(folder)) return;
    const files = readdirSync(folder, {recursive: true, encoding: 'utf8'}).filter(file => wanted.test(file));
    for (const file of files.sort()) digest.update(file).update(readFileSync(join(folder, file)));
  }
}
