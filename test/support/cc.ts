/**
 * Modules to machine code, many at once: every module gets a prefix of its own, and one run of the C compiler per target and
 * core makes one library of them all. Entries are called through the loader addon.
 */
import {execFile, execFileSync} from 'node:child_process';
import {mkdirSync, mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {createRequire} from 'node:module';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {promisify} from 'node:util';
import {invokeNames} from '../../codegen/c/module.js';
import {loaderArguments} from '../../codegen/manifest.js';
import {type Target, targets} from '../../codegen/targets/index.js';
import {type Compiled, compile} from '../../compiler/compile.js';
import {collectHeaders} from '../../compiler/headers.js';
import {runsHere} from '../../compiler/host.js';
import {packageFile} from '../../compiler/package-files.js';
import {fail} from '../../ir/diagnostics.js';
import {alignment, type Entry, everyEntry, type Root} from '../../ir/plan.js';
import {pathOf, type Segment} from '../../ir/segments.js';
import {bytesOf, type Tensor, zeros} from '../../ir/tensor.js';
import type {Module, TensorType} from '../../ir/types.js';
import {
  arrayTypes,
  type NativeBlob,
  type NativeEntry,
  type NativeLibrary,
  type NativeLoader,
  openLoader,
} from '../../runtime/index.js';
import type {Machine} from '../../runtime/wasm/machine.js';
import {poison} from './tensors.js';
import {binderOf, compileModule, instanceOf, isWasm, wasm32} from './wasm.js';

const run = promisify(execFile);

export type Tensors = ReadonlyMap<string, Tensor>;
/** Results of each head, in order. */
export type Results = ReadonlyMap<string, readonly Tensor[]>;

export type Program = {
  readonly compiled: Compiled;
  /** Runs every head. Each entry runs on NaN first, so that nothing can read what an earlier call left in the arena. */
  run(target: Target, inputs: Tensors): Results;
  /** Runs the segments of the heads that share some, each segment once; the other heads are missing. */
  runSegments(target: Target, inputs: Tensors): Results;
};

/** The targets that this processor runs, from plain to special. */
export const everyTargetHere: readonly Target[] = targets.filter(runsHere);

/** Those of them whose C differs for more than products of bytes. */
export const targetsHere: readonly Target[] = everyTargetHere.filter(({name}) => !name.endsWith('vnni'));

export const cc = process.env.DNNC_CC ?? process.env.CC ?? 'gcc';

const folders: string[] = [];
process.on('exit', () => {
  for (const folder of folders) rmSync(folder, {recursive: true, force: true});
});

/** Removed when the process ends. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'dnnc-test-'));
  folders.push(folder);
  return folder;
}

let loader: NativeLoader | null = null;

/** The addon, built once per process. */
export function theLoader(): NativeLoader {
  if (loader) return loader;
  const folder = temporaryFolder();
  const {include_dir: headers} = createRequire(import.meta.url)('node-api-headers') as {readonly include_dir: string};
  execFileSync(cc, loaderArguments(packageFile(), headers, join(folder, 'loader.node')));
  loader = openLoader(folder);
  return loader;
}

export type BuildOptions = {readonly targets?: readonly Target[]; readonly flags?: readonly string[]};

/** A program per module, or the error that compiling it gave. Throws where the C compiler refuses what was generated. */
export async function buildAll(
  modules: readonly Module[],
  {targets: wanted = targetsHere, flags = ['-O1']}: BuildOptions = {},
): Promise<readonly (Program | Error)[]> {
  const folder = temporaryFolder();
  const compiled = modules.map((module, i) => compileAs(module, `m${i}`, wanted));
  const good = compiled.flatMap((result, i) => (result instanceof Error ? [] : [{name: `m${i}`, result}]));
  writeSources(folder, good, wanted);
  const halves = [0, 1].map(half => good.filter((_, i) => i % 2 === half)).filter(part => part.length > 0);
  const jobs = wanted.flatMap(target => halves.map((part, half) => ({target, part, file: `${target.name}.${half}`})));
  for (const {target, part, file} of jobs) writeFileSync(join(folder, `${file}.c`), together(part, target));
  await parallel(
    jobs.map(({target, file}) => async () => {
      if (isWasm(target)) return compileModule(folder, file, ['-w', ...flags]);
      const args = ['-std=c11', '-w', ...flags, ...target.flags, '-fPIC', '-shared', '-o', `${file}.so`, `${file}.c`, '-lm'];
      await run(cc, args, {cwd: folder, maxBuffer: 1 << 26});
    }),
  );
  const places = new Map(good.map(({name}, i) => [name, i % 2]));
  const libraries = new Map<string, NativeLibrary>();
  const fileOf = (target: Target, name: string): string => `${target.name}.${places.get(name)}`;
  const open = (target: Target, name: string): NativeLibrary => {
    const file = join(folder, `${fileOf(target, name)}.so`);
    const library = libraries.get(file) ?? theLoader().open(file);
    libraries.set(file, library);
    return library;
  };
  const opened = {open, instance: (name: string): Machine => instanceOf(folder, fileOf(wasm32, name))};
  return compiled.map((result, i) => (result instanceof Error ? result : programOf(folder, `m${i}`, result, opened)));
}

export function compileAs(module: Module, name: string, wanted: readonly Target[]): Compiled | Error {
  try {
    return compile({...module, name}, {targets: wanted, sources: ['a test'], cuts: 'all'});
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

type Named = {readonly name: string; readonly result: Compiled};

export function writeSources(folder: string, parts: readonly Named[], wanted: readonly Target[]): void {
  const headers = new Set<string>();
  for (const {name, result} of parts) {
    writeFileSync(join(folder, `${name}.weights`), result.weights);
    for (const target of wanted) {
      const text = result.texts.get(target)!;
      writeFileSync(join(folder, `${name}.h`), text.header);
      writeFileSync(join(folder, `${name}.${target.name}.c`), text.source);
      for (const header of text.headers) headers.add(header);
    }
  }
  mkdirSync(join(folder, 'kernels', 'freestanding'), {recursive: true});
  for (const [file, text] of collectHeaders(headers)) writeFileSync(join(folder, 'kernels', file), text);
}

/** One C file that includes many: kernel headers are read once, and static functions of one name are told apart. */
export function together(parts: readonly Named[], target: Target): string {
  const headers = new Set(parts.flatMap(({result}) => result.texts.get(target)!.headers));
  const includes = [...headers].map(header => `#include "kernels/${header}"\n`).join('');
  const bodies = parts.map(({name, result}) => {
    const {source} = result.texts.get(target)!;
    const statics = [...source.matchAll(/^(?:static|DNNC_INLINE) [^(=]*?(\w+)\(/gm)].map(match => match[1]!);
    const own = [...new Set(statics)].filter(word => !word.startsWith(`${name}_`));
    const defines = own.map(word => `#define ${word} ${name}_${word}\n`).join('');
    return `${defines}#include "${name}.${target.name}.c"\n${own.map(word => `#undef ${word}\n`).join('')}`;
  });
  return `#define _POSIX_C_SOURCE 200809L\n${includes}#include <string.h>\n${bodies.join('')}`;
}

/** As many jobs at once as this machine has cores to spare for one test file: two. */
export async function parallel(jobs: readonly (() => Promise<void>)[]): Promise<void> {
  const queue = [...jobs];
  const worker = async (): Promise<void> => {
    for (let job = queue.shift(); job; job = queue.shift()) await job();
  };
  await Promise.all([worker(), worker()]);
}

export const typeOfRoot = (root: Root | undefined): TensorType =>
  root?.kind === 'input' || root?.kind === 'output' ? root.type : fail('bug', 'test.root', root?.name ?? '?', 'is no argument');

/** Types of the arguments of an entry. */
export const argumentsOf = (entry: Entry): {readonly inputs: readonly TensorType[]; readonly outputs: readonly TensorType[]} => ({
  inputs: entry.inputs.map(root => typeOfRoot(entry.roots[root])),
  outputs: entry.outputs.map(root => typeOfRoot(entry.roots[root])),
});

/** The tensors that an entry takes, out of those of a module. */
export const inputsOf = (entry: Entry, tensors: Tensors): readonly Tensor[] =>
  entry.inputs.map(root => {
    const {name} = entry.roots[root]!;
    return tensors.get(name) ?? fail('bug', 'test.input', name, 'no tensor was given');
  });

function programOf(
  folder: string,
  name: string,
  compiled: Compiled,
  {
    open,
    instance,
  }: {readonly open: (target: Target, name: string) => NativeLibrary; readonly instance: (name: string) => Machine},
): Program {
  const entries = new Map<string, NativeEntry>();
  let blob: NativeBlob | null = null;
  let binder: ReturnType<typeof binderOf> | null = null;
  const bind = (target: Target, index: number): NativeEntry => {
    const key = `${target.name} ${index}`;
    const known = entries.get(key);
    if (known) return known;
    const symbol = invokeNames(compiled.plan)[index]!;
    const types = argumentsOf(everyEntry(compiled.plan)[index]!);
    if (isWasm(target)) {
      binder ??= binderOf(instance(name), name, compiled);
      const entry = binder(symbol, types);
      entries.set(key, entry);
      return entry;
    }
    const native = theLoader();
    const library = open(target, name);
    blob ??= native.map(join(folder, `${name}.weights`));
    const code = native.check(library, `${name}_check`, blob);
    if (code !== 0) fail('bug', 'test.blob', name, `refuses its own weights with ${code}`);
    const {inputs, outputs} = types;
    const native_ = (type: TensorType) => ({bytes: bytesOf(type), type: arrayTypes[type.dtype].napi});
    const arena = Math.max(compiled.plan.memory?.bytes ?? 0, alignment);
    const entry = native.bind(library, symbol, blob, arena, inputs.map(native_), outputs.map(native_));
    entries.set(key, entry);
    return entry;
  };
  const call = (target: Target, index: number, given: readonly Tensor[]): readonly Tensor[] => {
    const {outputs} = argumentsOf(everyEntry(compiled.plan)[index]!);
    const results = outputs.map(({dtype, shape}) => zeros(dtype, shape));
    for (const inputs of [given.map(poison), given])
      bind(target, index).call(
        inputs.map(({data}) => data),
        results.map(({data}) => data),
      );
    return results;
  };
  const {plan, module} = compiled;
  return {
    compiled,
    run: (target, tensors) => new Map(plan.entries.map((entry, i) => [entry.name, call(target, i, inputsOf(entry, tensors))])),
    runSegments(target, tensors) {
      const {segments} = compiled;
      const done = new Map<Segment, readonly Tensor[]>();
      return new Map(
        module.heads.flatMap(head => {
          const path = pathOf(segments, head);
          let results: readonly Tensor[] = [];
          for (const segment of path) {
            const index = segments.indexOf(segment);
            const given = segment.from === null ? inputsOf(plan.segments[index]!, tensors) : results;
            results = done.get(segment) ?? call(target, plan.entries.length + index, given);
            done.set(segment, results);
          }
          return path.length > 0 ? [[head.name, results] as const] : [];
        }),
      );
    },
  };
}
