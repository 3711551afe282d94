/**
 * The part of the JavaScript interface of WebAssembly that is used here. Its types come with those of web pages only, and the
 * runtime is compiled without them.
 */
import {DnncRuntimeError} from '../errors.js';

/** A WebAssembly.Module. */
export type WasmModule = object;

export type WasmMemory = {readonly buffer: ArrayBuffer; grow(pages: number): number};

/** What an instance exports, by name. */
export type WasmExports = Readonly<Record<string, unknown>>;

type Bytes = Uint8Array<ArrayBuffer>;
type Instance = {readonly exports: WasmExports};

export type WasmApi = {
  validate(bytes: Bytes): boolean;
  compile(bytes: Bytes): Promise<WasmModule>;
  instantiate(module: WasmModule): Promise<Instance>;
  readonly Module: new (bytes: Bytes) => WasmModule;
  readonly Instance: new (module: WasmModule) => Instance;
};

/** A module with one function, which makes a vector and takes a lane of it. */
const vectors = Uint8Array.of(
  ...[0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 10, 1, 8, 0, 65, 0, 253, 15, 253, 98, 11],
);

/** Throws `library.none` where this engine has no WebAssembly, or none with vectors. */
export function wasmApi(): WasmApi {
  const {WebAssembly: api} = globalThis as {readonly WebAssembly?: WasmApi};
  const lacks = api === undefined ? 'WebAssembly' : api.validate(vectors) ? null : 'the 128-bit vectors of WebAssembly (SIMD)';
  if (api !== undefined && lacks === null) return api;
  throw new DnncRuntimeError(
    'library.none',
    'wasm32',
    `this engine has no ${lacks}`,
    'take Chrome 91, Firefox 89, Safari 16.4, Node 16.4 or later',
  );
}
