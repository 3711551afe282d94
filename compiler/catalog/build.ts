/** A build of the variants that are worth having, unless it is there already. */
import {existsSync, readFileSync} from 'node:fs';
import {join} from 'node:path';
import {readManifest} from '../../runtime/index.js';
import type {Manifest} from '../../runtime/manifest.js';
import {type BuildOptions, type Built, build} from '../build.js';
import {hashOfData} from '../evaluate-variant.js';
import {identity, thisMachine} from '../identity.js';
import {isNetworkFile} from '../network-file.js';
import {shaOf} from '../sha.js';
import type {Task} from '../tasks.js';
import {type CatalogOptions, type Found, findVariants} from './index.js';

export type CatalogBuilt = Found & {
  readonly manifest: Manifest;
  /** null: the folder was there, made of the same by the same dnnc. */
  readonly built: Built | null;
};

/** What `build` is told beside what the catalog tells it. */
export type CatalogBuildOptions = Omit<BuildOptions, 'lossy' | 'recipes' | 'extend' | 'catalog' | 'evaluate' | 'bind'>;

/** Searches, then builds what is kept. Errors: those of `findVariants` and `build`; the folder is then as it was before. */
export async function buildCatalog(
  tasks: readonly Task[],
  catalog: CatalogOptions,
  options: CatalogBuildOptions,
): Promise<CatalogBuilt> {
  const {evaluate, bind, store} = catalog;
  const found = await findVariants(tasks, catalog);
  const key = keyOf(found, catalog, options);
  const known = intact(options.directory, store.result(key));
  if (known) return {...found, manifest: known, built: null};
  const built = await build(found.tasks, {...options, evaluate, bind, catalog: found.log, recipes: found.reports});
  store.keep(key, shaOf(readFileSync(join(options.directory, 'manifest.json'))));
  return {...found, manifest: built.manifest, built};
}

/** Names all that the folder depends on. What a network of the store is made of is in the name of its file. */
function keyOf({tasks, log}: Found, {evaluate, bind}: CatalogOptions, options: CatalogBuildOptions): string {
  const {progress: _, observe: __, chooser, calibrate, targets, ...plain} = options;
  const data = (its: CatalogOptions['evaluate'] | undefined): unknown =>
    [...(its ?? [])].map(([task, labelled]) => [task, hashOfData(labelled)]);
  const models = tasks.map(({model, others}) =>
    [model, ...others.map(other => other.model)].filter(file => !isNetworkFile(file)).map(file => shaOf(readFileSync(file))),
  );
  const facts = [
    tasks,
    models,
    log,
    data(evaluate),
    data(calibrate),
    [...bind],
    plain,
    targets?.map(({name}) => name),
    chooser !== undefined,
  ];
  return shaOf([identity(), ...Object.values(thisMachine()), JSON.stringify(facts)].join('\n'));
}

/** The manifest of a folder that is as it was written: `manifestHash` is of its manifest, which has those of the other files. */
function intact(directory: string, manifestHash: unknown): Manifest | null {
  const file = join(directory, 'manifest.json');
  if (!existsSync(file)) return null;
  const bytes = readFileSync(file);
  if (shaOf(bytes) !== manifestHash) return null;
  const manifest = readManifest(JSON.parse(bytes.toString()));
  const same = Object.entries(manifest.files).every(([name, sha256]) => {
    const its = join(directory, name);
    return existsSync(its) && shaOf(readFileSync(its)) === sha256;
  });
  return same ? manifest : null;
}
