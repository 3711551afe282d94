/**
 * A directory as `dnnc build` writes it, made by hand: a small C library that keeps the contract of generated code, its weights,
 * the addon and the manifest. So the runtime is tested without the compiler.
 */
import {execFileSync} from 'node:child_process';
import {createHash} from 'node:crypto';
import {mkdtempSync, readFileSync, writeFileSync} from 'node:fs';
import {createRequire} from 'node:module';
import {tmpdir} from 'node:os';
import {dirname, join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {loaderArguments} from '../codegen/manifest.js';
import type {Manifest} from '../runtime/index.js';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const headers = (createRequire(import.meta.url)('node-api-headers') as {readonly include_dir: string}).include_dir;
const {DNNC_CC, CC} = process.env;
export const cc = DNNC_CC ?? CC ?? 'cc';

export const hasCompiler = ((): boolean => {
  try {
    execFileSync(cc, ['--version'], {stdio: 'ignore'});
    return true;
  } catch {
    return false;
  }
})();

const source = `
#define _POSIX_C_SOURCE 200809L
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <time.h>
typedef struct { char magic[4]; uint32_t version, order, build; uint64_t bytes; uint32_t sum, pad[9]; } header;
int tiny_check(const void *blob, size_t bytes) {
  const header *h = blob;
  const unsigned char *p = blob;
  uint32_t sum = 0;
  if ((uintptr_t)blob % 64) return 7;
  if (bytes < sizeof *h) return 1;
  if (memcmp(h->magic, "DNNC", 4)) return 2;
  if (h->order != 0x01020304u) return 4;
  if (h->version != 1) return 3;
  if (h->build != 77) return 5;
  if (h->bytes != bytes) return 1;
  for (size_t i = sizeof *h; i < bytes; i++) sum = sum * 31 + p[i];
  return sum == h->sum ? 0 : 6;
}
static const float *weights(const void *blob) { return (const float *)((const char *)blob + sizeof(header)); }
typedef void after_step(void *user, int step);
static int age(const void *blob, void *arena, const void *const *in, void *const *out, after_step *after, void *user) {
  float *a = arena, *y = out[0];
  if (after) after(user, -1);
  memcpy(a, in[0], 16);
  if (after) after(user, 0);
  a[4] = a[0] + a[1], a[5] = a[2] + a[3];
  if (after) after(user, 1);
  y[0] = a[4] + weights(blob)[0], y[1] = a[5] + weights(blob)[1];
  if (after) after(user, 2);
  return 0;
}
int tiny_age_invoke(const void *b, void *a, const void *const *i, void *const *o) { return age(b, a, i, o, NULL, NULL); }
int tiny_age_trace(const void *b, void *a, const void *const *i, void *const *o, after_step *f, void *u) {
  return age(b, a, i, o, f, u);
}
/* a u8[1,3], b i64[2] -> y f32[1,3] = a, z i64[2] = b reversed */
int tiny_pair_invoke(const void *b, void *a, const void *const *in, void *const *out) {
  const unsigned char *x = in[0];
  const int64_t *v = in[1];
  float *y = out[0];
  int64_t *z = out[1];
  (void)b, (void)a;
  for (int i = 0; i < 3; i++) y[i] = (float)x[i];
  z[0] = v[1], z[1] = v[0];
  return 0;
}
int tiny_rows_invoke(const void *b, void *a, const void *const *in, void *const *out) {
  (void)b, (void)a;
  memcpy(out[0], in[0], 24);
  return 0;
}
int tiny_nop_invoke(const void *b, void *a, const void *const *in, void *const *out) {
  (void)b, (void)a, (void)in, (void)out;
  return 0;
}
int tiny_broken_invoke(const void *b, void *a, const void *const *in, void *const *out) {
  (void)b, (void)a, (void)in, (void)out;
  return 3;
}
/* 50 ms of wall time in its arena: x -> y[0] = x unless another call shares the arena, y[1] = calls that ran at once */
int tiny_slow_invoke(const void *b, void *a, const void *const *in, void *const *out) {
  static atomic_int running;
  volatile float *mine = a;
  float *y = out[0];
  struct timespec rest = {0, 1000000};
  (void)b;
  y[1] = 0;
  atomic_fetch_add(&running, 1);
  for (int i = 0; i < 50; i++) {
    mine[0] = *(const float *)in[0];
    nanosleep(&rest, NULL);
    y[0] = mine[0];
    if (y[1] < (float)atomic_load(&running)) y[1] = (float)atomic_load(&running);
  }
  atomic_fetch_sub(&running, 1);
  return 0;
}
_Alignas(64) const unsigned char tiny_blob[64 + 8] = {EMBEDDED};
`;

/** The blob: a header of 64 bytes, then the weights 0.5 and 0.25. */
export function blobOf(): Buffer {
  const blob = Buffer.alloc(64 + 8);
  blob.writeFloatLE(0.5, 64);
  blob.writeFloatLE(0.25, 68);
  let sum = 0;
  for (const byte of blob.subarray(64)) sum = (Math.imul(sum, 31) + byte) >>> 0;
  blob.write('DNNC');
  blob.writeUInt32LE(1, 4);
  blob.writeUInt32LE(0x01020304, 8);
  blob.writeUInt32LE(77, 12);
  blob.writeBigUInt64LE(BigInt(blob.length), 16);
  blob.writeUInt32LE(sum, 24);
  return blob;
}

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

const sizes = {macs: 0, weightBytes: 8, arenaBytes: 64, arenaLowerBound: 24, loadBytes: 72, path: ['all']};
const variant = <const Id extends string>(task: string, id: Id) => ({
  id,
  task,
  recipe: 'full',
  entry: `tiny_${task}_invoke`,
  ...sizes,
});

/** What the tiny library computes, as a manifest. Hashes come from the files. */
const manifestOf = (library: string, weights: string) =>
  ({
    schema: 1,
    generator: {name: 'dnnc', version: '0.1.0', optionsHash: '00000000', sources: []},
    name: 'tiny',
    buildHash: '0000004d',
    libraries: [
      {target: 'generic', file: 'tiny.generic.so', sha256: library, needs: []},
      {target: 'impossible', file: 'tiny.impossible.so', sha256: library, needs: ['avx1024', 'fma']},
      {target: 'linked', file: 'tiny.missing.so', sha256: library, needs: ['avx1024']},
    ],
    weights: {file: 'tiny.weights', bytes: 72, sha256: weights, alignment: 64},
    arena: {bytes: 64, lowerBound: 24, alignment: 64},
    tasks: {
      age: {
        labels: ['child', 'adult'],
        inputs: [
          {
            name: 'x',
            dtype: 'f32',
            shape: [1, 1, 2, 2],
            preparation: {channels: 'grey', mean: [10], std: [2], resize: 'nearest'},
          },
        ],
        outputs: [{name: 'y', dtype: 'f32', shape: [1, 2]}],
        scores: 'logits',
        variants: ['age/full', 'age/missing', 'age/broken'],
      },
      pair: {
        labels: ['cup', 'hat'],
        labelOffset: 1,
        inputs: [
          {name: 'a', dtype: 'u8', shape: [1, 3]},
          {name: 'b', dtype: 'i64', shape: [2]},
        ],
        outputs: [
          {name: 'y', dtype: 'f32', shape: [1, 3]},
          {name: 'z', dtype: 'i64', shape: [2]},
        ],
        scores: 'logits',
        variants: ['pair/full'],
      },
      rows: {
        labels: ['left', 'right'],
        inputs: [{name: 'x', dtype: 'f32', shape: [3, 2]}],
        outputs: [{name: 'y', dtype: 'f32', shape: [3, 2]}],
        scores: 'logits',
        variants: ['rows/full'],
      },
      nop: {
        inputs: [{name: 'x', dtype: 'f32', shape: [1, 4]}],
        outputs: [{name: 'y', dtype: 'f32', shape: [1, 2]}],
        scores: 'logits',
        variants: ['nop/full'],
      },
      slow: {
        inputs: [{name: 'x', dtype: 'f32', shape: [1, 1]}],
        outputs: [{name: 'y', dtype: 'f32', shape: [1, 2]}],
        scores: 'logits',
        variants: ['slow/full'],
      },
    },
    segments: [{id: 'all', tasks: ['age', 'pair', 'rows', 'nop', 'slow'], macs: 0, weightBytes: 8, arenaBytes: 64}],
    cuts: [],
    variants: [
      variant('age', 'age/full'),
      {...variant('age', 'age/missing'), entry: 'tiny_none_invoke'},
      {...variant('age', 'age/broken'), entry: 'tiny_broken_invoke'},
      variant('pair', 'pair/full'),
      variant('rows', 'rows/full'),
      variant('nop', 'nop/full'),
      variant('slow', 'slow/full'),
    ],
    files: {},
  }) as const satisfies Manifest;

export type TinyManifest = ReturnType<typeof manifestOf>;

/** `sanitize` builds library and addon with AddressSanitizer and UBSan. The directory lies in the system's temporary one. */
export function buildTiny(sanitize = false): {readonly directory: string; readonly manifest: TinyManifest} {
  const directory = mkdtempSync(join(tmpdir(), 'dnnc-tiny-'));
  const at = (name: string) => join(directory, name);
  const extra = sanitize ? ['-fsanitize=address,undefined', '-fno-sanitize-recover=undefined', '-g', '-O1'] : [];
  const blob = blobOf();
  writeFileSync(at('tiny.c'), source.replace('EMBEDDED', [...blob].join(',')));
  execFileSync(cc, ['-std=c11', '-O2', '-fPIC', '-shared', ...extra, at('tiny.c'), '-o', at('tiny.generic.so')]);
  execFileSync(cc, [...loaderArguments(root, headers, at('loader.node')), '-Werror', ...extra]);
  writeFileSync(at('tiny.weights'), blob);
  const manifest = manifestOf(sha256(readFileSync(at('tiny.generic.so'))), sha256(blob));
  writeFileSync(at('manifest.json'), JSON.stringify(manifest));
  return {directory, manifest};
}
