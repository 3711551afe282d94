/**
 * Generated C: three golden files that a reviewer can read, no warning from gcc nor clang as C11 and as C++17, the same bytes
 * each time, nothing global and nothing from the heap, and several modules in one program.
 */
import {execFile} from 'node:child_process';
import {writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {promisify} from 'node:util';
import test, {type ExecutionContext} from 'ava';
import {emitWeights} from '../codegen/c/module.js';
import {targets as everyTarget, findTarget, type Target} from '../codegen/targets/index.js';
import {type Compiled, compile} from '../compiler/compile.js';
import {parse} from '../ir/parse.js';
import type {Module} from '../ir/types.js';
import {parallel, temporaryFolder, writeSources} from './support/cc.js';
import {filesBelow, golden, read} from './support/files.js';
import {randomModule} from './support/random-module.js';

/** The plainest, and one with vectors: other vectors are the same text, which the tests of ops and kernels compile for all. */
const targets = everyTarget.filter(({name}) => name === 'generic' || name === 'x86-64-avx512');

const run = promisify(execFile);
const has = (command: string): Promise<boolean> =>
  run(command, ['--version']).then(
    () => true,
    () => false,
  );
const compilers: readonly {readonly name: string; readonly present: boolean}[] = await Promise.all(
  ['gcc', 'clang'].map(async name => ({name, present: await has(name)})),
);

const files = filesBelow('test/golden', '.ir');
const moduleOf = (file: string): Module => parse(read(file), {file});
const compileFor = (module: Module, list: readonly Target[]): Compiled =>
  compile(module, {targets: list, sources: ['net.onnx'], embedded: false});

/** Which text is kept: the plainest for one, what a CPU with vectors gets for the others. */
const shown: Readonly<Record<string, string>> = {conv: 'x86-64-avx2', heads: 'generic', maps: 'generic'};

for (const file of files) {
  const stem = file.replace(/\.ir$/, '');
  test(`golden: ${stem}`, t => {
    const target = findTarget(shown[stem.split('/').at(-1)!] ?? 'generic')!;
    const text = compileFor(moduleOf(file), [target]).texts.get(target)!;
    t.is(golden(`${stem}.c`, text.source), text.source);
    t.is(golden(`${stem}.h`, text.header), text.header);
  });
}

test('two compilations give the same bytes', t => {
  const modules = [...files.map(moduleOf), ...Array.from({length: 10}, (_, i) => randomModule(700 + i))];
  modules.forEach((module, i) => {
    const [once, again] = [
      compileFor(module, targets),
      compileFor(files[i] ? moduleOf(files[i]) : randomModule(700 + i - files.length), targets),
    ];
    t.is(once.hash, again.hash);
    t.deepEqual(once.weights, again.weights);
    for (const target of targets) t.deepEqual(once.texts.get(target), again.texts.get(target));
  });
});

test('another weight, another hash; other names of sources, too', t => {
  const text = read('test/golden/conv.ir');
  const hashOf = (changed: string, sources: readonly string[] = ['net.onnx']): string =>
    compile(parse(changed), {targets, sources}).hash;
  const hashes = [hashOf(text), hashOf(text.replace('random(4)', 'random(5)')), hashOf(text, ['other.onnx'])];
  t.is(new Set(hashes).size, 3);
  t.true(hashes.every(hash => /^[0-9a-f]{32}$/.test(hash)));
});

/** The golden modules and some random ones, as files in a folder. */
function writeAll(wanted: readonly Target[], embedded = false): {readonly folder: string; readonly names: readonly string[]} {
  const folder = temporaryFolder();
  const modules = [...files.map(moduleOf), ...Array.from({length: 3}, (_, i) => randomModule(40 + i))];
  const parts = modules.map((module, i) => {
    const name = `m${i}`;
    return {name, result: compile({...module, name}, {targets: wanted, sources: ['net.onnx'], embedded})};
  });
  writeSources(folder, parts, wanted);
  if (embedded)
    for (const {name, result} of parts)
      writeFileSync(join(folder, `${name}_weights.c`), emitWeights(name, result.weights, 'a test'));
  return {folder, names: parts.map(({name}) => name)};
}

const warnings = ['-Wall', '-Wextra', '-Wpedantic', '-Wconversion', '-Werror'];
const languages = [
  {name: 'C11', flags: ['-std=c11']},
  {name: 'C++17', flags: ['-x', 'c++', '-std=c++17']},
];

async function quiet(t: ExecutionContext, command: string, args: readonly string[], folder: string): Promise<void> {
  await run(command, args, {cwd: folder, maxBuffer: 1 << 26}).then(
    () => t.pass(),
    (error: unknown) => t.fail(error instanceof Error ? error.message.slice(0, 2000) : String(error)),
  );
}

for (const {name: compiler, present} of compilers)
  (present ? test.serial : test.serial.skip)(`${compiler}: no warning as C11 and C++17, traced or not`, async t => {
    t.timeout(900_000);
    const {folder, names} = writeAll(targets);
    const jobs = targets.flatMap(target =>
      languages.flatMap(language => {
        // One file that includes them all would hide unused functions and what a header needs; but each alone takes long for all.
        const chosen = target.name === 'generic' ? names : names.slice(0, files.length);
        return chosen.map(name => async () => {
          const flags = [...language.flags, '-O3', ...warnings, ...target.flags];
          await quiet(t, compiler, [...flags, '-c', `${name}.${target.name}.c`, '-o', `${compiler}.${name}.o`], folder);
        });
      }),
    );
    const traced = names.map(name => async () => {
      await quiet(
        t,
        compiler,
        ['-std=c11', '-O1', ...warnings, '-DDNNC_TRACE', '-c', `${name}.generic.c`, '-o', `${compiler}.${name}.t.o`],
        folder,
      );
    });
    await parallel([...jobs, ...traced]);
  });

test('a file that is compiled without the flags of its target says which it needs', async t => {
  const {folder} = writeAll(everyTarget);
  const error = await t.throwsAsync(run('gcc', ['-std=c11', '-fsyntax-only', 'm0.x86-64-avx2.c'], {cwd: folder}));
  t.regex(error?.message ?? '', /compile this file for x86-64-avx2: -mavx2 -mfma -mf16c/);
});

test.serial(
  'nothing global is written, nothing is allocated or printed, no function but the documented ones is visible',
  async t => {
    t.timeout(900_000);
    const {folder, names} = writeAll(targets);
    for (const target of targets)
      for (const name of names) {
        const object = `${name}.${target.name}.o`;
        await run('gcc', ['-std=c11', '-O1', ...target.flags, '-c', `${name}.${target.name}.c`, '-o', object], {cwd: folder});
        const symbols = (await run('nm', [object], {cwd: folder})).stdout
          .trim()
          .split('\n')
          .map(line => /(\S) (\S+)$/.exec(line)!.slice(1) as [string, string]);
        const of = (kinds: string): readonly string[] =>
          symbols.filter(([kind]) => kinds.includes(kind)).map(([, symbol]) => symbol);
        t.deepEqual(of('bBdDCsSgGuvVwW'), [], `${object}: writable, common or weak data`);
        const foreign = of('U').filter(
          symbol => !/^(mem(cpy|set|cmp|move)|_GLOBAL_OFFSET_TABLE_|__stack_chk_fail)$/.test(symbol),
        );
        t.true(
          foreign.every(symbol => isLibm(symbol)),
          `${object} calls ${foreign}`,
        );
        t.true(
          of('TR').every(symbol => symbol.startsWith(`${name}_`)),
          `${object} shows ${of('TR')}`,
        );
      }
  },
);

/** Functions of libm that element-wise ops may call. */
const isLibm = (symbol: string): boolean =>
  /^(a?(sin|cos|tan)h?|log1?p?|exp|erf|pow|fmod|floor|ceil|sqrt|nearbyint|fabs|expm1|round|trunc|fma)f?$/.test(symbol);

test.serial('several modules, weights included, are one program in C and in C++', async t => {
  t.timeout(900_000);
  const {folder: cwd, names} = writeAll([targets[0]!], true);
  const opens = names.map(
    name => `  ${name}_weights w_${name};\n  if (${name}_open(${name}_blob, sizeof ${name}_blob, &w_${name})) return 1;\n`,
  );
  const main = `${names.map(name => `#include "${name}.h"\n`).join('')}int main(void) {\n${opens.join('')}  return 0;\n}\n`;
  writeFileSync(join(cwd, 'main.c'), main);
  const sources = names.flatMap(name => [`${name}.generic.c`, `${name}_weights.c`]);
  await run('gcc', ['-std=c11', '-O1', ...warnings, '-c', ...sources], {cwd});
  const objects = sources.map(source => source.replace(/c$/, 'o'));
  await run('gcc', ['-std=c11', ...warnings, 'main.c', ...objects, '-o', 'main', '-lm'], {cwd});
  await run(join(cwd, 'main'));
  await run('g++', ['-std=c++17', ...warnings, '-c', '-x', 'c++', 'main.c', '-o', 'main.o'], {cwd});
  await run('g++', ['main.o', ...objects, '-o', 'mixed', '-lm'], {cwd});
  await run(join(cwd, 'mixed'));
  t.pass();
});
