/** What a folder that `dnnc build` wrote says of itself. */
import {join} from 'node:path';
import {DnncError} from '../../ir/diagnostics.js';
import type {Module} from '../../ir/types.js';
import {type Manifest, readManifest} from '../../runtime/index.js';
import {requireBuild} from '../build.js';
import {readJson, readWhole} from '../data/files.js';
import {onlyZeros, readIr} from '../read-ir.js';
import {shaOf} from '../sha.js';
import {type BuildLog, readLog} from './log.js';

/** The optimized module, or a sentence on why it is not to be had. */
export type Ir = {readonly module: Module} | {readonly missing: string};

export type Facts = {readonly manifest: Manifest; readonly log: BuildLog; readonly ir: Ir};

/**
 * Errors: input open.foreign, where the folder is none of ours; those of `readJson`, `readLog` and `readManifest`. A module that is
 * missing, was changed or was written by another version is no error.
 */
export function readFacts(directory: string): Facts {
  requireBuild(directory);
  const manifest = readManifest(readJson(join(directory, 'manifest.json')));
  return {manifest, log: readLog(directory), ir: irOf(directory, manifest)};
}

function irOf(directory: string, {name, files, generator}: Manifest): Ir {
  const file = `${name}.ir`;
  const path = join(directory, file);
  try {
    const sha256 = shaOf(readWhole(path));
    if (files[file] !== undefined && files[file] !== sha256) return {missing: `${file} was changed after the build.`};
    return {module: readIr(path, onlyZeros)};
  } catch (error) {
    if (!(error instanceof DnncError)) throw error;
    const [problem] = error.problems;
    const is = problem?.code === 'file.missing' ? 'is not in the folder' : `(of dnnc ${generator.version}) cannot be read`;
    return {missing: `${file} ${is}.`};
  }
}
