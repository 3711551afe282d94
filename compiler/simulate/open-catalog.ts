/** What `dnnc simulate` is given: a build and a profile, or a catalog file. */
import {readFileSync, statSync} from 'node:fs';
import {join} from 'node:path';
import {fail} from '../../ir/diagnostics.js';
import {readManifest} from '../../runtime/index.js';
import {type Catalog, catalogFromManifest, readCatalog, readProfile} from '../../runtime/schedule/index.js';
import {withNamedParts} from './named-parts.js';

/** A directory or its manifest.json with a profile, or a catalog. */
export function openCatalog(path: string, profile: string | undefined): Catalog {
  const file = isDirectory(path) ? join(path, 'manifest.json') : path;
  const document = readJson(file);
  const isManifest = typeof document === 'object' && document !== null && 'buildHash' in document;
  if (!isManifest) {
    if (profile !== undefined)
      fail('usage', 'simulate.profile', path, 'is a catalog, which needs no profile', 'leave out --profile');
    return readCatalog(document);
  }
  if (profile === undefined)
    return fail(
      'usage',
      'simulate.profile',
      path,
      'is a build: it does not say what energy, transmission and the cloud cost, nor how often requests come',
      '--profile FILE; examples/mcdnn/README.md shows one',
    );
  return catalogFromManifest(readManifest(document), readProfile(withNamedParts(readJson(profile), profile)));
}

function isDirectory(path: string): boolean {
  return statSync(path, {throwIfNoEntry: false})?.isDirectory() ?? false;
}

function readJson(file: string): unknown {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    return fail('input', 'simulate.file', file, 'cannot be read', 'name a build, its manifest.json or a catalog');
  }
  try {
    return JSON.parse(text);
  } catch {
    return fail('input', 'simulate.file', file, 'is not JSON', 'name a build, its manifest.json or a catalog');
  }
}
