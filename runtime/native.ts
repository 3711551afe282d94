/**
 * What the addon `loader.node` exports (C sources in `native/`), as types. Objects belong to the addon that made them; the
 * garbage collector closes them, and each keeps alive what it uses: an entry its library, weights and arena.
 */
import type {Exit} from './manifest.js';
import type {TensorType, TypedArray} from './tensors.js';

declare const brand: unique symbol;
/** An open library. */
export type NativeLibrary = {readonly [brand]: 'library'};
/** Weights in memory, read only. */
export type NativeBlob = {readonly [brand]: 'blob'};

/** `type` is the code of Node-API for the kind of typed array: `arrayTypes[dtype].napi`. */
export type NativeTensor = {readonly bytes: number; readonly type: number};

/** Part of the arena, in bytes. */
export type Region = {readonly offset: number; readonly bytes: number};

type Arrays = readonly TypedArray[];

/**
 * One function of a library with its weights and an arena of its own. The code writes straight into the caller's arrays.
 * Every method throws TypeError for a wrong kind of array, RangeError for a wrong length or for an output that shares memory
 * with another array, and Error when the C function returns something else than 0.
 */
export type NativeEntry = {
  call(inputs: Arrays, outputs: Arrays): void;
  /** On the thread pool, in another arena. Inputs are copied before it returns, outputs are written when the promise resolves. */
  callAsync(inputs: Arrays, outputs: Arrays): Promise<void>;
  /** A call with these arrays, which the function keeps alive. It throws RangeError once one of them was detached or resized. */
  fixed(inputs: Arrays, outputs: Arrays): () => void;
  /** Nanoseconds of each call, timed in C, after `warmUp` calls that are not counted. */
  bench(inputs: Arrays, outputs: Arrays, iterations: number, warmUp: number): Float64Array<ArrayBuffer>;
};

/** An entry bound with the name of its trace function, in a library compiled with -DDNNC_TRACE. */
export type NativeTracedEntry = NativeEntry & {
  /** Nanoseconds of each step, summed over `iterations`. RangeError: there are more steps than given. */
  trace(inputs: Arrays, outputs: Arrays, steps: number, iterations: number, warmUp: number): Float64Array<ArrayBuffer>;
  /** Copies of the regions listed for each step, taken right after that step of one call. */
  capture(inputs: Arrays, outputs: Arrays, regions: readonly (readonly Region[])[]): Uint8Array<ArrayBuffer>[][];
};

export type NativeLoader = {
  readonly version: number;
  /** Features that CPU and operating system offer, as gcc spells them: `avx2`, `fma`, `avx512f`, `neon`, `dotprod`. */
  cpuFeatures(): string[];
  /** Throws Error with the reason of the dynamic linker. */
  open(path: string): NativeLibrary;
  has(library: NativeLibrary, name: string): boolean;
  /** What `int name(const void *blob, size_t bytes)` returns. */
  check(library: NativeLibrary, name: string, blob: NativeBlob): number;
  /** Maps a file, page aligned. The file must not be shortened while it is in use. */
  map(path: string): NativeBlob;
  /**
   * Brings part of the weights into memory, or gives back the pages that nothing else lies in. Returns the bytes of these pages;
   * 0 for weights inside a library. What was given back is read from the file again when it is needed.
   */
  page(blob: NativeBlob, offset: number, bytes: number, wanted: boolean): number;
  /** Brings part of the weights into memory as `page` does, on the thread pool. */
  pageAsync(blob: NativeBlob, offset: number, bytes: number): Promise<number>;
  /** A copy of bytes that no file has, aligned to 64 bytes. */
  hold(bytes: Uint8Array): NativeBlob;
  /** Weights that were compiled into the library under this symbol. */
  embedded(library: NativeLibrary, name: string, bytes: number): NativeBlob;
  /**
   * Sum over samples of share * -log(probability of the label), with its gradient: softmax of weights * features + bias, whose
   * numbers `at` and `gradient` hold, [classes][stride] and then [classes]. `features`: [samples][stride], stride a multiple of
   * 16. RangeError where sizes do not fit.
   */
  logistic(features: Float32Array, labels: Int32Array, shares: Float32Array, at: Float64Array, gradient: Float64Array): number;
  /**
   * out[m][n] += sum over k of a[m][k] * b[n][k]; rows lie `lda`, `ldb` and `ldo` elements apart. RangeError where sizes do not
   * fit. The arrays must not overlap.
   */
  product(
    ...of: [
      ...[a: Float64Array, lda: number, b: Float64Array, ldb: number, out: Float64Array, ldo: number],
      ...[m: number, n: number, k: number],
    ]
  ): void;
  /**
   * out[m][n] += sum over k of a[m * row + k * step] * b[k][n], which takes a as it lies or turned; rows of b and out lie `ldb`
   * and `ldo` elements apart. Sums of up to 256 products are floats, these are added as doubles. RangeError where sizes do not
   * fit. The arrays must not overlap, but for a and b.
   */
  productOfFloats(
    ...of: [
      ...[a: Float32Array, row: number, step: number, b: Float32Array, ldb: number, out: Float64Array, ldo: number],
      ...[m: number, n: number, k: number],
    ]
  ): void;
  bind(
    library: NativeLibrary,
    name: string,
    blob: NativeBlob,
    arenaBytes: number,
    inputs: readonly NativeTensor[],
    outputs: readonly NativeTensor[],
  ): NativeEntry;
  bind(
    library: NativeLibrary,
    name: string,
    blob: NativeBlob,
    arenaBytes: number,
    inputs: readonly NativeTensor[],
    outputs: readonly NativeTensor[],
    traceName: string,
  ): NativeTracedEntry;
};

/** The version of these types; the addon must have an equal one. */
export const loaderVersion = 5;

/** With `trace` and `capture` where the library was compiled with -DDNNC_TRACE. */
export type BoundEntry = NativeEntry & Partial<Pick<NativeTracedEntry, 'trace' | 'capture'>>;

/** Of weights in the file of the build, in bytes. */
type Place = {readonly offset: number; readonly bytes: number};

/** Binds what a library has to weights and an arena; `inputs` and `outputs` are the tensors that the code takes, in order. */
export type Binder = {
  /** A C symbol, with the weights of the build. */
  entry(symbol: string, inputs: readonly TensorType[], outputs: readonly TensorType[]): BoundEntry;
  /**
   * A fitted head, with its own file, or with the bytes of one that is not in the folder. Throws `weights.*` where they are not
   * those that the manifest means.
   */
  exit(exit: Exit, cut: TensorType, scores: TensorType, bytes?: Uint8Array): BoundEntry;
  /** `page` of NativeLoader, on the weights of the build. */
  page(weights: Place, wanted: boolean): number;
  /** `pageAsync` of NativeLoader, on the weights of the build. */
  pageAsync(weights: Place): Promise<number>;
};
