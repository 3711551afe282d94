/** Which dnnc this is, to the byte: results of one are not those of another. */
import {createHash} from 'node:crypto';
import {existsSync, readdirSync, readFileSync} from 'node:fs';
import {join} from 'node:path';
import {packageFile} from '../package-files.js';
import {version} from '../version.js';

let known: string | null = null;

/** The version and a hash of all code that ships: JavaScript, kernels, the loader. */
export function identity(): string {
  known ??= `${version} ${hashOfPackage()}`;
  return known;
}

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
