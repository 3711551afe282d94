/** Cases and goldens that live in files; with DNNC_BLESS=1 they are rewritten with today's output. */
import {existsSync, readdirSync, readFileSync, writeFileSync} from 'node:fs';
import {packageFile} from '../../compiler/package-files.js';

export const blessing = process.env.DNNC_BLESS === '1';

/** Every file below a folder of the package with this ending, as paths in the package, sorted. */
export function filesBelow(folder: string, ending: string): readonly string[] {
  if (!existsSync(packageFile(folder))) return [];
  return readdirSync(packageFile(folder), {recursive: true, encoding: 'utf8'})
    .filter(name => name.endsWith(ending) && !/(^|\/)(node_modules|build)\//.test(name))
    .map(name => `${folder}/${name}`)
    .sort();
}

export const read = (file: string): string => readFileSync(packageFile(file), 'utf8');

/** What the file holds, after it was given the new text if we are blessing. */
export function golden(file: string, text: string): string {
  if (blessing) writeFileSync(packageFile(file), text);
  return existsSync(packageFile(file)) ? read(file) : '';
}

const line = '// ---- becomes\n';

/** The two halves of a pass case. */
export function halvesOf(file: string): {readonly pass: string; readonly before: string} {
  const text = read(file);
  const at = text.indexOf(line);
  const pass = /^\/\/ pass: (\S+)\n/.exec(text)?.[1];
  if (at < 0 || pass === undefined) throw new Error(`${file} has no line "// pass: NAME" or no line "${line.trim()}"`);
  return {pass, before: text.slice(0, at)};
}

export const withAfter = (before: string, after: string): string => `${before}${line}${after}`;
