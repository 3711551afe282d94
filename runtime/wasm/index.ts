/**
 * Builds with `--target wasm32`, in a page, a worker or Node: the same session as that of `dnnc/runtime`.
 *
 *     import {loadWasm} from 'dnnc/wasm';
 *     import {manifest} from './out/manifest.js';
 *     const session = await loadWasm(manifest, {directory: new URL('./out/', import.meta.url)});
 *     const {width, height, data} = context.getImageData(0, 0, 32, 32);
 *     const {label} = session.run('age', {width, height, channels: 4, data});
 *
 * Calls run on the thread that makes them, those of `runAsync` as well, in the same turn: to keep a page at ease, load the
 * session in a worker. In Node, `load(directory, {target: 'wasm32'})` of `dnnc/runtime` reads the files itself.
 */
import {DnncRuntimeError, type RuntimeErrorCode} from '../errors.js';
import type {Manifest} from '../manifest.js';
import {readManifest} from '../read-manifest.js';
import {createSession, type Session} from '../session.js';
import {type WasmModule, wasmApi} from './api.js';
import {bindModule, wasmLibraryOf, wasmTarget} from './bind.js';
import {fetchFiles, fetchManifest} from './fetch.js';

type Bytes = ArrayBuffer | Uint8Array<ArrayBuffer>;

/** The files of a build, where the caller has them. */
export type WasmFiles = {
  /** `NAME.wasm32.wasm`, or the WebAssembly.Module that the caller made of it. */
  readonly module: Bytes | WasmModule;
  /** `NAME.weights`. Not needed after `--weights c`. */
  readonly weights?: Bytes;
  /** The files of fitted heads (exits) by name, where these are to run. */
  readonly heads?: {readonly [file: string]: Bytes};
};

export type WasmOptions = {
  /**
   * Default true: a module or a head whose sha256 is not that of the manifest is refused. That takes `crypto.subtle`, which
   * pages have on https and on their own machine. Without it there are the checksums and the hash of the build, as always.
   */
  readonly verify?: boolean;
};

/** Fetches a build: its directory, or the manifest.json in it, relative to the page. Throws DnncRuntimeError. */
export function loadWasm(place: string | URL, options?: WasmOptions): Promise<Session>;
/** The build of an imported manifest, whose labels and names become types: from an address, or from the bytes of its files. */
export function loadWasm<const M extends Manifest>(
  manifest: M,
  options: WasmOptions & ({readonly directory: string | URL} | WasmFiles),
): Promise<Session<M>>;
export async function loadWasm(
  source: string | URL | Manifest,
  options: WasmOptions & ({readonly directory?: string | URL} | WasmFiles) = {},
): Promise<Session> {
  if (typeof source === 'string' || source instanceof URL) {
    const {address, json} = await fetchManifest(source);
    const manifest = readManifest(json);
    return open(manifest, await fetchFiles(new URL('.', address), manifest), options);
  }
  const manifest = readManifest(source);
  return open(manifest, 'module' in options ? options : await fetchFiles(options.directory ?? '.', manifest), options);
}

async function open(manifest: Manifest, files: WasmFiles, {verify = true}: WasmOptions): Promise<Session> {
  const api = wasmApi();
  const {file, sha256} = wasmLibraryOf(manifest);
  const {module, weights, heads = {}} = files;
  if (verify && isBytes(module)) await verifyHash(file, module, sha256, 'library.hash');
  for (const {exit} of verify ? manifest.variants : []) {
    const head = exit && heads[exit.file];
    if (exit && head) await verifyHash(exit.file, head, exit.sha256, 'weights.damaged');
  }
  const made = isBytes(module) ? await api.compile(asArray(module)).catch(error => refuse(file, error)) : module;
  const {exports} = await api.instantiate(made).catch(error => refuse(file, error));
  const needed = (name: string, bytes: Bytes | undefined): Uint8Array => {
    if (bytes !== undefined) return asArray(bytes);
    throw new DnncRuntimeError('weights.file', name, 'is missing', 'give the bytes of this file too');
  };
  const bind = bindModule(manifest, {
    exports,
    weights: manifest.weights.symbol === undefined ? needed(manifest.weights.file, weights) : null,
    head: name => needed(name, heads[name]),
  });
  return createSession(manifest, wasmTarget, bind);
}

const isBytes = (given: Bytes | WasmModule): given is Bytes => given instanceof ArrayBuffer || ArrayBuffer.isView(given);

const asArray = (bytes: Bytes): Uint8Array<ArrayBuffer> => (bytes instanceof ArrayBuffer ? new Uint8Array(bytes) : bytes);

function refuse(file: string, error: unknown): never {
  const says = error instanceof Error ? error.message : String(error);
  throw new DnncRuntimeError('library.file', file, says, 'build the directory again', error);
}

/** Pages that are neither on https nor on this machine have no `crypto.subtle`: nothing is said of them. */
async function verifyHash(file: string, bytes: Bytes, sha256: string, code: RuntimeErrorCode): Promise<void> {
  const {crypto} = globalThis as {
    readonly crypto?: {readonly subtle?: {digest(name: string, bytes: Bytes): Promise<ArrayBuffer>}};
  };
  const digest = await crypto?.subtle?.digest('SHA-256', bytes);
  if (digest === undefined) return;
  const is = Array.from(new Uint8Array(digest), byte => byte.toString(16).padStart(2, '0')).join('');
  if (is === sha256) return;
  throw new DnncRuntimeError(
    code,
    file,
    `has sha256 ${is}, the manifest says ${sha256}`,
    'take all files of the directory from one build',
  );
}

export {DnncRuntimeError, type RuntimeErrorCode} from '../errors.js';
export type * from '../manifest.js';
export type {Image} from '../prepare.js';
export type {Answer, Entry, InputOf, LabelOf, Prior, RunOptions, Session, TaskName, VariantId} from '../session.js';
export type {WasmModule} from './api.js';
