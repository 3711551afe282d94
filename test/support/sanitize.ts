/**
 * Modules under AddressSanitizer and UndefinedBehaviorSanitizer: one program of many modules, every buffer allocated with
 * exactly the size that the header promises, so that one byte too far is an error.
 */
import {execFile} from 'node:child_process';
import {readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {promisify} from 'node:util';
import {invokeNames} from '../../codegen/c/module.js';
import type {Target} from '../../codegen/targets/index.js';
import type {Compiled} from '../../compiler/compile.js';
import {alignment} from '../../ir/plan.js';
import {bytesOf, bytesOfTensor, type Tensor, tensorOf} from '../../ir/tensor.js';
import type {Module} from '../../ir/types.js';
import {argumentsOf, cc, compileAs, inputsOf, type Results, type Tensors, temporaryFolder, together, writeSources} from './cc.js';

const run = promisify(execFile);

export type Sanitized = {readonly module: Module; readonly inputs: Tensors};

const flags = ['-std=c11', '-w', '-O1', '-g', '-fsanitize=address,undefined', '-fno-sanitize-recover=all'];

/** Results by module, in order. Throws what the sanitizers say. */
export async function runSanitized(list: readonly Sanitized[], target: Target): Promise<readonly Results[]> {
  const folder = temporaryFolder();
  const parts = list.map(({module}, i) => {
    const result = compileAs(module, `m${i}`, [target]);
    if (result instanceof Error) throw result;
    return {name: `m${i}`, result};
  });
  writeSources(folder, parts, [target]);
  list.forEach(({inputs}, i) => {
    const {plan} = parts[i]!.result;
    plan.entries.forEach((entry, at) => {
      const bytes = inputsOf(entry, inputs).map(tensor => Buffer.from(bytesOfTensor(tensor)));
      writeFileSync(join(folder, `m${i}.${at}.in`), Buffer.concat(bytes));
    });
  });
  writeFileSync(join(folder, 'main.c'), `${together(parts, target)}${mainText(parts)}`);
  await run(cc, [...flags, ...target.flags, 'main.c', '-o', 'main', '-lm'], {cwd: folder, maxBuffer: 1 << 26});
  await run(join(folder, 'main'), [], {cwd: folder, maxBuffer: 1 << 26});
  return parts.map(({name, result}) => readResults(folder, name, result));
}

function readResults(folder: string, name: string, {plan}: Compiled): Results {
  return new Map(
    plan.entries.map((entry, at) => {
      const bytes = readFileSync(join(folder, `${name}.${at}.out`));
      let offset = 0;
      const tensors = argumentsOf(entry).outputs.map((type): Tensor => {
        const own = Uint8Array.from(bytes.subarray(offset, offset + bytesOf(type)));
        offset += own.byteLength;
        return tensorOf(type.dtype, type.shape, own);
      });
      return [entry.name, tensors] as const;
    }),
  );
}

function mainText(parts: readonly {readonly name: string; readonly result: Compiled}[]): string {
  const calls = parts.flatMap(({name, result}) => {
    const names = invokeNames(result.plan);
    return result.plan.entries.map((entry, at) => {
      const {inputs, outputs} = argumentsOf(entry);
      const list = (types: typeof inputs): string =>
        `(const size_t[]){${[...types.map(bytesOf), 0].join(', ')}}, ${types.length}`;
      const arena = Math.max(result.plan.memory?.bytes ?? 0, alignment);
      return `  run_case("${name}.weights", ${result.weights.byteLength}, "${name}.${at}", ${name}_check, ${names[at]}, ${arena}, ${list(inputs)}, ${list(outputs)});\n`;
    });
  });
  return `
#include <stdio.h>
#include <stdlib.h>

static void *space(size_t bytes) {
  void *p = 0;
  if (posix_memalign(&p, 64, bytes)) exit(10);
  memset(p, 255, bytes);
  return p;
}

static void slurp(const char *path, void *to, size_t bytes, long from) {
  FILE *file = fopen(path, "rb");
  if (!file || fseek(file, from, SEEK_SET) || fread(to, 1, bytes, file) != bytes) exit(11);
  fclose(file);
}

typedef int invoke_function(const void *weights, void *arena, const void *const *in, void *const *out);

static void run_case(const char *weights, size_t blob_bytes, const char *stem, int (*check)(const void *, size_t), invoke_function *invoke,
                     size_t arena_bytes, const size_t *in_bytes, int ins, const size_t *out_bytes, int outs) {
  char path[64];
  void *blob = space(blob_bytes), *arena = space(arena_bytes), *in[16], *out[16];
  long at = 0;
  slurp(weights, blob, blob_bytes, 0);
  if (check(blob, blob_bytes)) exit(12);
  sprintf(path, "%s.in", stem);
  for (int i = 0; i < ins; at += (long)in_bytes[i], i++) slurp(path, in[i] = space(in_bytes[i]), in_bytes[i], at);
  for (int i = 0; i < outs; i++) out[i] = space(out_bytes[i]);
  if (invoke(blob, arena, (const void *const *)in, out)) exit(13);
  sprintf(path, "%s.out", stem);
  FILE *file = fopen(path, "wb");
  for (int i = 0; i < outs; i++) fwrite(out[i], 1, out_bytes[i], file);
  fclose(file);
  for (int i = 0; i < ins; i++) free(in[i]);
  for (int i = 0; i < outs; i++) free(out[i]);
  free(blob);
  free(arena);
}

int main(void) {
${calls.join('')}  return 0;
}
`;
}
