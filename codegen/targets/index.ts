/** What a target is: an instruction set, the compiler flags that allow it, and the CPU features that its library needs. */
import type {Feature} from '../kernels/inventory.js';

export type Target = {
  readonly name: string;
  readonly summary: string;
  readonly features: readonly Feature[];
  /** Flags for gcc and clang, besides the common ones; paths are relative to the folder of the build. */
  readonly flags: readonly string[];
  /** Preprocessor condition that holds when those flags were given. */
  readonly guard: string;
  /** Headers of kernels/ that its compiler lacks. */
  readonly headers?: readonly string[];
  /** Whether it is faster than the one before it has not been measured on a processor: it is taken where it is named. */
  readonly isUntimed?: true;
  /** What its library is: one that the operating system loads, or a module of WebAssembly, which clang alone makes. */
  readonly format: 'shared' | 'wasm';
};

const avx512: readonly Feature[] = ['avx2', 'fma', 'f16c', 'avx512f', 'avx512bw', 'avx512vl', 'avx512dq'];
const avx512Flags = [...avx512.map(feature => `-m${feature}`), '-mprefer-vector-width=512'];
const avx512Guard = 'defined(__AVX512F__) && defined(__AVX512BW__) && defined(__AVX512VL__) && defined(__AVX512DQ__)';

/** From plain to special. */
export const targets: readonly Target[] = [
  {name: 'generic', summary: 'portable C11, any CPU', features: [], flags: [], guard: '1', format: 'shared'},
  {
    name: 'x86-64-avx2',
    summary: 'x86-64 with AVX2, FMA and F16C (2013 and later)',
    features: ['avx2', 'fma', 'f16c'],
    flags: ['-mavx2', '-mfma', '-mf16c'],
    guard: 'defined(__AVX2__) && defined(__FMA__) && defined(__F16C__)',
    format: 'shared',
  },
  {
    name: 'x86-64-avxvnni',
    summary: 'x86-64 with AVX2, FMA and AVX-VNNI: products of bytes (2021 and later)',
    features: ['avx2', 'fma', 'f16c', 'avxvnni'],
    flags: ['-mavx2', '-mfma', '-mf16c', '-mavxvnni'],
    guard: 'defined(__AVX2__) && defined(__FMA__) && defined(__AVXVNNI__)',
    format: 'shared',
  },
  {
    name: 'x86-64-avx512',
    summary: 'x86-64 with AVX-512 F, BW, VL, DQ',
    features: avx512,
    flags: avx512Flags,
    guard: avx512Guard,
    format: 'shared',
  },
  {
    name: 'x86-64-avx512vnni',
    summary: 'the same with AVX-512 VNNI: products of bytes (2019 and later)',
    features: [...avx512, 'avx512vnni'],
    flags: [...avx512Flags, '-mavx512vnni'],
    guard: `${avx512Guard} && defined(__AVX512VNNI__)`,
    format: 'shared',
  },
  {
    name: 'x86-64-amx',
    summary: 'the same with AMX: tiles of bytes (2023 and later)',
    features: [...avx512, 'avx512vnni', 'amxint8'],
    flags: [...avx512Flags, '-mavx512vnni', '-mamx-tile', '-mamx-int8'],
    guard: `${avx512Guard} && defined(__AVX512VNNI__) && defined(__AMX_INT8__)`,
    format: 'shared',
    isUntimed: true,
  },
  {
    name: 'wasm32',
    summary: 'WebAssembly with 128-bit vectors: browsers and Node (2021 and later)',
    features: ['simd128'],
    // What every engine with vectors has besides. A layer stays a function of its own: engines compile what runs often once more,
    // function by function. There is no libc: see kernels/freestanding.
    flags: [
      ...['--target=wasm32', '-msimd128', '-mbulk-memory', '-mnontrapping-fptoint', '-msign-ext'],
      ...[
        '-fvisibility=default',
        '-finline-hint-functions',
        '-ffreestanding',
        '-nostdlibinc',
        '-isystem',
        'kernels/freestanding',
      ],
    ],
    guard: 'defined(__wasm_simd128__)',
    headers: ['freestanding/math.h', 'freestanding/string.h'],
    format: 'wasm',
  },
];

export const findTarget = (name: string): Target | undefined => targets.find(target => target.name === name);

/** The most special target whose features are all there, of those that were timed. */
export const bestTarget = (features: ReadonlySet<string>): Target =>
  targets.findLast(target => !target.isUntimed && target.features.every(feature => features.has(feature))) ?? targets[0]!;

/** What every library is compiled with, besides its target's flags. Nobody reads errno or floating-point flags: loops may be vectorised. */
export const commonFlags: readonly string[] = [
  '-std=c11',
  '-O3',
  '-fno-math-errno',
  '-fno-trapping-math',
  '-Wall',
  '-Wextra',
  '-Wpedantic',
  '-Wconversion',
];
