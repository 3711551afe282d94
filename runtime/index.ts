/**
 * The runtime: loads what `dnnc build` wrote and answers.
 *
 *     import {load} from 'dnnc/runtime';
 *     import {manifest} from './out/manifest.js';
 *     const session = load(manifest, {directory: new URL('./out/', import.meta.url)});
 *     const {label} = session.run('age', pixels);   // 'child' | 'adult'
 */
import {type LibraryOptions, openBuild, pathOf, readManifestFile} from './library.js';
import type {Manifest} from './manifest.js';
import {readManifest} from './read-manifest.js';
import {createSession, type Session} from './session.js';

export type LoadOptions = LibraryOptions;

/** Opens a build: its directory, or the manifest.json in it. Throws DnncRuntimeError; nothing is left open then. */
export function load(place: string | URL, options?: LoadOptions): Session;
/** Opens the build of an imported manifest, whose labels and names become types. `directory` holds its files. */
export function load<const M extends Manifest>(
  manifest: M,
  options: LoadOptions & {readonly directory: string | URL},
): Session<M>;
export function load(source: string | URL | Manifest, options: LoadOptions & {readonly directory?: string | URL} = {}): Session {
  if (typeof source === 'string' || source instanceof URL) {
    const {directory, json} = readManifestFile(source);
    return open(readManifest(json), directory, options);
  }
  return open(readManifest(source), pathOf(options.directory ?? '.'), options);
}

function open(manifest: Manifest, directory: string, options: LoadOptions): Session {
  const {target, bind} = openBuild(directory, manifest, options);
  return createSession(manifest, target, bind);
}

export type {AdoptedId, Heads} from './adopted.js';
export * from './contexts/index.js';
export {DnncRuntimeError, type RuntimeErrorCode} from './errors.js';
export {loaderFile, openLoader, pickLibrary} from './library.js';
export type * from './manifest.js';
export {manifestSchema} from './manifest.js';
export type {
  BoundEntry,
  NativeBlob,
  NativeEntry,
  NativeLibrary,
  NativeLoader,
  NativeTensor,
  NativeTracedEntry,
  Region,
} from './native.js';
export type {SegmentEntry} from './paths.js';
export type {Image} from './prepare.js';
export {type Correction, correctionOf, type Frequencies, frequenciesIn, posterior} from './prior.js';
export {readManifest} from './read-manifest.js';
export type {Answer, Entry, InputOf, LabelOf, Prior, RunOptions, Session, TaskName, VariantId} from './session.js';
export {type ArrayOf, arrayTypes, bytesOf, type TensorType, type TypedArray} from './tensors.js';
export {fromWire, toWire} from './wire.js';
