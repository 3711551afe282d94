/** `loader.node`, compiled once per machine and compiler, then copied from the user's cache. */
import {createHash} from 'node:crypto';
import {copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync} from 'node:fs';
import {createRequire} from 'node:module';
import {join} from 'node:path';
import {loaderArguments} from '../codegen/manifest.js';
import {cacheFolder} from './cache.js';
import {compilerVersion, runCompiler} from './cc.js';
import {packageFile} from './package-files.js';

export async function writeLoader(folder: string): Promise<void> {
  const headers = String(createRequire(import.meta.url)('node-api-headers').include_dir);
  const sources = packageFile('runtime', 'native');
  const digest = createHash('sha256').update(`${compilerVersion()} ${process.platform} ${process.arch}`);
  for (const file of readdirSync(sources).sort()) digest.update(readFileSync(join(sources, file)));
  const cached = join(cacheFolder('loader'), `${digest.digest('hex').slice(0, 32)}.node`);
  const target = join(folder, 'loader.node');
  if (existsSync(cached)) return copyFileSync(cached, target);
  await runCompiler(loaderArguments(packageFile(), headers, 'loader.node'), folder);
  try {
    mkdirSync(cacheFolder('loader'), {recursive: true});
    copyFileSync(target, `${cached}.${process.pid}`);
    renameSync(`${cached}.${process.pid}`, cached);
  } catch {
    // A home that cannot be written only costs compiling again.
    rmSync(`${cached}.${process.pid}`, {force: true});
  }
}
