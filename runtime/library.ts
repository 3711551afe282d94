/**
 * The Node edge of the runtime: reads files, loads the addon, picks and opens the library that this CPU runs best,
 * and maps the weights once the library has found them good.
 */
import {createHash} from 'node:crypto';
import {readFileSync, statSync} from 'node:fs';
import {createRequire} from 'node:module';
import {dirname, join, resolve} from 'node:path';
import {fileURLToPath} from 'node:url';
import {DnncRuntimeError, type RuntimeErrorCode} from './errors.js';
import type {Library, Manifest, Weights} from './manifest.js';
import {type Binder, loaderVersion, type NativeBlob, type NativeLibrary, type NativeLoader} from './native.js';
import {arrayTypes, bytesOf, type TensorType} from './tensors.js';
import {wasmApi} from './wasm/api.js';
import {bindModule, wasmLibraryOf, wasmTarget} from './wasm/bind.js';
import {acceptWeights} from './weights.js';

/** The name of the addon beside the libraries. */
export const loaderFile = 'loader.node';

/** Addons give this alignment to arenas, in bytes. */
const arenaAlignment = 64;

export const pathOf = (place: string | URL): string => (typeof place === 'string' ? resolve(place) : fileURLToPath(place));

const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** The directory of a build and the JSON in its manifest. `place`: the directory, or the file in it. Throws `manifest.file`. */
export function readManifestFile(place: string | URL): {readonly directory: string; readonly json: unknown} {
  const path = pathOf(place);
  try {
    const file = statSync(path).isDirectory() ? join(path, 'manifest.json') : path;
    const json: unknown = JSON.parse(readFileSync(file, 'utf8'));
    return {directory: dirname(file), json};
  } catch (error) {
    throw new DnncRuntimeError(
      'manifest.file',
      path,
      reasonOf(error),
      'give the directory that dnnc build wrote, or the manifest.json in it',
      error,
    );
  }
}

/** Loads the addon of a directory. Throws `loader.missing` or `loader.version`. */
export function openLoader(directory: string): NativeLoader {
  const file = join(directory, loaderFile);
  const again = 'build the directory again with a C compiler on this machine';
  let loader: NativeLoader;
  try {
    loader = createRequire(import.meta.url)(file) as NativeLoader;
  } catch (error) {
    throw new DnncRuntimeError('loader.missing', file, reasonOf(error), again, error);
  }
  if (loader.version !== loaderVersion) {
    throw new DnncRuntimeError(
      'loader.version',
      file,
      `has version ${loader.version}, this runtime needs ${loaderVersion}`,
      again,
    );
  }
  return loader;
}

/** The library with the most needs among those that this machine meets; of equals the first. Throws `library.none`. */
export function pickLibrary(
  libraries: readonly Library[],
  features: readonly string[],
  platform = `${process.platform}-${process.arch}`,
): Library {
  const runs = libraries.filter(
    library =>
      (library.platform ?? platform) === platform &&
      library.needs.every(need => features.includes(need)) &&
      library.target !== wasmTarget,
  );
  const best = runs.toSorted((a, b) => b.needs.length - a.needs.length)[0];
  if (best) return best;
  const there = libraries.map(
    library => `${library.target} (${[library.platform ?? [], library.needs].flat().join(' ') || 'any CPU'})`,
  );
  throw new DnncRuntimeError(
    'library.none',
    platform,
    `no library runs here; there are ${there.join(', ')}`,
    'build with --target generic, or for this machine',
  );
}

function named(libraries: readonly Library[], target: string): Library {
  const library = libraries.find(each => each.target === target);
  if (library) return library;
  const there = libraries.map(each => each.target).join(', ');
  throw new DnncRuntimeError('library.none', target, `the build has no such target; there are ${there}`, 'build with --target');
}

export type LibraryOptions = {
  /**
   * Instead of the best that the CPU runs: opened as asked, even if the CPU lacks what it needs. `wasm32` is never the best; it
   * needs no addon.
   */
  readonly target?: string;
  /**
   * Default true: a library whose sha256 is not that of the manifest is refused. Sizes of arrays come from the manifest, so a
   * wrong pair would corrupt memory.
   */
  readonly verify?: boolean;
};

/** Opens library and weights of a build. */
export function openBuild(
  directory: string,
  manifest: Manifest,
  options: LibraryOptions = {},
): {readonly target: string; readonly bind: Binder} {
  if (manifest.arena.alignment > arenaAlignment) {
    throw new DnncRuntimeError(
      'manifest.invalid',
      'arena.alignment',
      `is ${manifest.arena.alignment}, this runtime gives ${arenaAlignment}`,
    );
  }
  if (options.target === wasmTarget) return {target: wasmTarget, bind: openModule(directory, manifest, options)};
  const loader = openLoader(directory);
  const chosen =
    options.target === undefined
      ? pickLibrary(manifest.libraries, loader.cpuFeatures())
      : named(manifest.libraries, options.target);
  const file = join(directory, chosen.file);
  if (options.verify !== false) verifyHash(file, chosen.sha256);
  const library = attempt('library.file', file, () => loader.open(file));
  const blob = openWeights(loader, library, directory, manifest.weights);
  checkWeights(loader, library, blob, join(directory, manifest.weights.file), `${manifest.name}_check`);
  const tensor = (type: TensorType) => ({bytes: bytesOf(type), type: arrayTypes[type.dtype].napi});
  const bind: Binder = {
    entry: (symbol, from, to) =>
      attempt('library.symbol', file, () => {
        const [inputs, outputs] = [from.map(tensor), to.map(tensor)];
        const trace = symbol.replace(/_invoke$/, '_trace');
        const traced = trace !== symbol && loader.has(library, trace);
        return traced
          ? loader.bind(library, symbol, blob, manifest.arena.bytes, inputs, outputs, trace)
          : loader.bind(library, symbol, blob, manifest.arena.bytes, inputs, outputs);
      }),
    page: ({offset, bytes}, wanted) => loader.page(blob, offset, bytes, wanted),
    pageAsync: ({offset, bytes}) => loader.pageAsync(blob, offset, bytes),
    exit(exit, cut, scores, bytes) {
      const head = bytes ? exit.file : join(directory, exit.file);
      verifyHash(head, exit.sha256, 'weights.file', bytes);
      const own = attempt('weights.file', head, () => (bytes ? loader.hold(bytes) : loader.map(head)));
      checkWeights(loader, library, own, head, `${manifest.name}_exit_check`);
      const symbol = `${manifest.name}_exit`;
      return attempt('library.symbol', file, () =>
        loader.bind(library, symbol, own, arenaAlignment, [tensor(cut)], [tensor(scores)]),
      );
    },
  };
  return {target: chosen.target, bind};
}

/** The module of WebAssembly in a build, run by this engine instead of the addon. */
function openModule(directory: string, manifest: Manifest, options: LibraryOptions): Binder {
  const api = wasmApi();
  const {file, sha256} = wasmLibraryOf(manifest);
  const path = join(directory, file);
  if (options.verify !== false) verifyHash(path, sha256);
  const {exports} = attempt('library.file', path, () => new api.Instance(new api.Module(Uint8Array.from(readFileSync(path)))));
  const {weights, variants} = manifest;
  const bytesOfFile = (name: string): Uint8Array =>
    attempt('weights.file', join(directory, name), () => readFileSync(join(directory, name)));
  return bindModule(manifest, {
    exports,
    weights: weights.symbol === undefined ? bytesOfFile(weights.file) : null,
    head(name) {
      const exit = variants.find(variant => variant.exit?.file === name)?.exit;
      if (exit) verifyHash(join(directory, name), exit.sha256, 'weights.file');
      return bytesOfFile(name);
    },
  });
}

function attempt<T>(code: RuntimeErrorCode, where: string, action: () => T): T {
  try {
    return action();
  } catch (error) {
    throw new DnncRuntimeError(code, where, reasonOf(error), 'build the directory again', error);
  }
}

function verifyHash(file: string, sha256: string, unreadable: RuntimeErrorCode = 'library.file', given?: Uint8Array): void {
  const bytes = given ?? attempt(unreadable, file, () => readFileSync(file));
  const is = createHash('sha256').update(bytes).digest('hex');
  if (is === sha256) return;
  throw new DnncRuntimeError(
    unreadable === 'library.file' ? 'library.hash' : 'weights.damaged',
    file,
    `has sha256 ${is}, the manifest says ${sha256}`,
    'take all files of the directory from one build',
  );
}

function openWeights(loader: NativeLoader, library: NativeLibrary, directory: string, weights: Weights): NativeBlob {
  const {symbol} = weights;
  if (symbol !== undefined) return attempt('library.symbol', symbol, () => loader.embedded(library, symbol, weights.bytes));
  const file = join(directory, weights.file);
  return attempt('weights.file', file, () => loader.map(file));
}

function checkWeights(loader: NativeLoader, library: NativeLibrary, blob: NativeBlob, file: string, check: string): void {
  const status = attempt('library.symbol', check, () => loader.check(library, check, blob));
  acceptWeights(status, file);
}
