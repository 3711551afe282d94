/** An instance of a build's module, with its weights, as what a session needs. Knows no Node and waits for nothing. */
import {DnncRuntimeError} from '../errors.js';
import type {Library, Manifest} from '../manifest.js';
import type {Binder} from '../native.js';
import {acceptWeights} from '../weights.js';
import type {WasmExports} from './api.js';
import {bindEntry} from './entry.js';
import {createMachine, type Machine} from './machine.js';

/** The name of the target, in manifests. */
export const wasmTarget = 'wasm32';

export type WasmParts = {
  readonly exports: WasmExports;
  /** The bytes of the file of weights; null where they are inside the module. */
  readonly weights: Uint8Array | null;
  /** The bytes of the file of a fitted head. Throws `weights.file`. */
  readonly head: (file: string) => Uint8Array;
};

/** Throws `library.none` where the build was made without this target. */
export function wasmLibraryOf({libraries}: Manifest): Library {
  const library = libraries.find(({target}) => target === wasmTarget);
  if (library) return library;
  const there = libraries.map(({target}) => target).join(', ');
  throw new DnncRuntimeError(
    'library.none',
    wasmTarget,
    `the build has no such target; there are ${there}`,
    `build with --target ${wasmTarget}`,
  );
}

/** Throws `library.symbol`, `library.memory`, `weights.*`. */
export function bindModule(manifest: Manifest, {exports, weights, head}: WasmParts): Binder {
  const {name, weights: facts} = manifest;
  const machine = createMachine(exports, wasmLibraryOf(manifest).file);
  const accepted = (at: number, bytes: number, file: string, check: string): number => {
    acceptWeights(machine.function(`${name}_${check}`)(at, bytes), file);
    return at;
  };
  const blob =
    weights === null
      ? accepted(machine.address(facts.symbol ?? `${name}_blob`), facts.bytes, facts.file, 'check')
      : accepted(placed(machine, weights), weights.byteLength, facts.file, 'check');
  checkBuild(machine, blob, manifest);
  const arena = machine.take(manifest.arena.bytes);
  return {
    entry: (symbol, inputs, outputs) => bindEntry(machine, symbol, {blob, arena}, inputs, outputs),
    exit({file}, cut, scores, given) {
      const bytes = given ?? head(file);
      const own = accepted(placed(machine, bytes), bytes.byteLength, file, 'exit_check');
      return bindEntry(machine, `${name}_exit`, {blob: own, arena}, [cut], [scores]);
    },
    // All weights are in memory, and stay there.
    page: () => 0,
    pageAsync: async () => 0,
  };
}

function placed(machine: Machine, bytes: Uint8Array): number {
  const at = machine.take(bytes.byteLength);
  machine.bytes().set(bytes, at);
  return at;
}

/** Module and weights fit together, or they would not have been accepted: this is about the manifest, which has the sizes. */
function checkBuild(machine: Machine, blob: number, {name, buildHash}: Manifest): void {
  const hash = machine.bytes().subarray(blob + 16, blob + 32);
  const hex = Array.from(hash, byte => byte.toString(16).padStart(2, '0')).join('');
  if (hex === buildHash) return;
  throw new DnncRuntimeError(
    'weights.build',
    name,
    `module and weights are of build ${hex}, the manifest of ${buildHash}`,
    'take all files of the directory from one build',
  );
}
