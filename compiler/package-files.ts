/** Files that ship with the package beside the compiled JavaScript: kernel headers, the loader's source. */
import {existsSync} from 'node:fs';
import {dirname, join} from 'node:path';
import {fileURLToPath} from 'node:url';

const root = ((): string => {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, 'package.json'))) folder = dirname(folder);
  return folder;
})();

/** The path of a file by its place in the package. */
export const packageFile = (...path: readonly string[]): string => join(root, ...path);
