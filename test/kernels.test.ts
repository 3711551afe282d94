import {execFile} from 'node:child_process';
import {existsSync, readFileSync} from 'node:fs';
import {mkdtemp, readdir, rm, writeFile} from 'node:fs/promises';
import {availableParallelism, tmpdir} from 'node:os';
import {dirname, join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {promisify} from 'node:util';
import test from 'ava';
import {type Contract, choose, type Feature, kernels} from '../codegen/kernels/inventory.js';
import {chooseTile, tiledSize} from '../codegen/kernels/tiles.js';
import {cheapest, smallest, whyOf} from '../codegen/kernels/ways.js';
import {cpuFeatures} from '../compiler/host.js';
import {tilesTogether} from '../ir/ops/conv2d/winograd.js';
import {hasWasmCompiler, wasm32} from './support/wasm.js';

const run = promisify(execFile);

/** The nearest folder above this file with a package.json outside build/. */
function projectRoot(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, 'package.json'))) folder = dirname(folder);
  return folder;
}

const folder = join(projectRoot(), 'codegen', 'kernels');
const warnings = ['-Wall', '-Wextra', '-Wpedantic', '-Wconversion', '-Werror', '-I', folder];
const avx512 = ['avx512f', 'avx512bw', 'avx512vl', 'avx512dq'];
const avx2 = ['avx2', 'fma', 'f16c'];
const targets = [[], avx2, avx512];
/** Where products of bytes have instructions of their own. */
const byteTargets = [
  [...avx2, 'avxvnni'],
  [...avx512, 'avx512vnni'],
];
const amx = [...avx512, 'avx512vnni', 'amx-tile', 'amx-int8'];
/** What takes a compiler long, and is the same code with other vectors: it runs optimized at literal shapes alone. */
const isSlow = (source: string, target: readonly string[]): boolean =>
  (/_u8_|conv2d_f32_/.test(source) && (target.includes('avx512f') || target.includes('avxvnni'))) ||
  (source.includes('_narrow_') && target.length > 0);
const targetsOf = (source: string) => (source.includes('_u8') ? [...targets, ...byteTargets] : targets);
const flagsOf = (target: readonly string[]) => target.map(feature => `-m${feature}`);

const runs = (target: readonly string[]) => target.every(feature => cpuFeatures().has(feature.replace('amx-', 'amx')));

/** AMX by functions in C where the processor has none. */
const amxInC = ['-include', join(folder, 'test', 'amx.h')];

/** Kernels at literal shapes, as in production, and at random ones that are passed at run time. */
const builds: readonly {readonly compilers: readonly string[]; readonly flags: readonly string[]}[] = [
  {compilers: ['gcc'], flags: ['-O3', '-DCHECK_LITERAL']},
  {compilers: ['gcc'], flags: ['-O1', '-DCHECK_LITERAL', '-fsanitize=address,undefined', '-fno-sanitize-recover=all']},
  {compilers: ['clang', 'gcc'], flags: ['-O1']},
];

async function has(command: string): Promise<boolean> {
  return run(command, ['--version']).then(
    () => true,
    () => false,
  );
}

/** Runs jobs, as many at once as there are cores, and returns the messages of those that failed. */
async function failures(jobs: readonly (() => Promise<unknown>)[]): Promise<string[]> {
  const queue = [...jobs];
  const failed: string[] = [];
  const worker = async () => {
    for (let job = queue.shift(); job; job = queue.shift())
      await job().catch((error: unknown) => failed.push(error instanceof Error ? error.message : String(error)));
  };
  await Promise.all(Array.from({length: Math.max(2, availableParallelism())}, worker));
  return failed;
}

test('every kernel agrees with a naive loop, on every target that this processor runs', async t => {
  t.timeout(900_000);
  const present = (await Promise.all(['gcc', 'clang'].map(async name => ((await has(name)) ? [name] : [])))).flat();
  const scratch = await mkdtemp(join(tmpdir(), 'dnnc-kernels-'));
  const sources = (await readdir(join(folder, 'test'))).filter(name => name.endsWith('_test.c'));
  const jobs: (() => Promise<unknown>)[] = [];
  for (const source of sources)
    for (const target of targetsOf(source))
      for (const {compilers, flags} of builds) {
        const compiler = compilers.find(name => present.includes(name));
        if (!compiler || (!flags.includes('-O3') && isSlow(source, target))) continue;
        // The same code for other vectors: sanitizers see it without any and with the widest that do not take too long.
        const widest = isSlow(source, avx512) ? avx2 : avx512;
        if (flags.some(flag => flag.startsWith('-fsanitize')) && target !== targets[0] && target !== widest) continue;
        const program = join(scratch, String(jobs.length));
        const options = [
          '-std=c11',
          ...flags,
          ...warnings,
          ...flagsOf(target),
          join(folder, 'test', source),
          '-o',
          program,
          '-lm',
        ];
        jobs.push(async () => {
          await run(compiler, options);
          if (runs(target)) await run(program);
        });
      }
  const tiles = (name: string, flags: readonly string[], isRun: boolean) => async () => {
    const program = join(scratch, name);
    await run('gcc', ['-std=c11', ...flags, ...warnings, join(folder, 'test', 'conv2d_u8_test.c'), '-o', program, '-lm']);
    if (isRun) await run(program);
  };
  const random = ['-O1', '-DCHECK_RANDOM', '-DCHECK_TILES_ALONE'];
  const checked = ['-O1', '-DCHECK_LITERAL', '-DCHECK_TILES_ALONE', '-fsanitize=address,undefined', '-fno-sanitize-recover=all'];
  const [, vnni = []] = byteTargets;
  if (present.includes('gcc')) {
    jobs.push(tiles('tiles', [...random, ...flagsOf(amx)], runs(amx)));
    if (runs(vnni))
      jobs.push(...[random, checked].map((flags, i) => tiles(`tiles-in-c${i}`, [...flags, ...flagsOf(vnni), ...amxInC], true)));
  }
  const failed = await failures(jobs);
  await rm(scratch, {recursive: true});
  t.deepEqual(failed, []);
});

test('every header compiles alone, as C and as C++', async t => {
  t.timeout(900_000);
  const scratch = await mkdtemp(join(tmpdir(), 'dnnc-headers-'));
  const headers = (await readdir(folder)).filter(name => name.endsWith('.h'));
  const write = async (name: string, included: readonly string[]) => {
    await writeFile(join(scratch, name), `${included.map(header => `#include "${header}"\n`).join('')}int dnnc_here;\n`);
    return join(scratch, name);
  };
  const alone = await Promise.all(headers.map(header => write(`${header}.c`, [header])));
  const together = await write('all.c', headers.toReversed());
  const languages = [
    ['gcc', '-std=c11'],
    ['g++', '-x', 'c++', '-std=c++17'],
    ['clang', '-std=c11'],
    ['clang++', '-x', 'c++', '-std=c++17'],
  ];
  const jobs: (() => Promise<unknown>)[] = [];
  for (const [compiler = '', ...language] of languages) {
    if (!(await has(compiler))) continue;
    const check = (target: readonly string[], sources: readonly string[]) => () =>
      run(compiler, [...language, '-O3', '-fsyntax-only', ...warnings, ...flagsOf(target), ...sources]);
    jobs.push(check([], alone), ...[...targets, ...byteTargets, amx].map(target => check(target, [together])));
  }
  if (hasWasmCompiler) {
    const kernelsAlone = await write(
      'wasm.c',
      headers.filter(header => header !== 'peaks.h'),
    ); // it reads a clock of libc
    const [command = '', ...first] = (process.env.DNNC_WASM_CC ?? 'clang').split(' ');
    const args = [...first, '-std=c11', '-O3', '-fsyntax-only', ...warnings, ...wasm32.flags, kernelsAlone];
    jobs.push(() => run(command, args, {cwd: dirname(folder)}));
  }
  const failed = await failures(jobs);
  await rm(scratch, {recursive: true});
  t.deepEqual(failed, []);
});

test('choose takes the most special kernel that the target runs', t => {
  const uneven = {oh: 7, ow: 7, oc: 32, mr: 14, nv: 2};
  t.is(choose('conv2d_f32', [], uneven).fn, 'conv2d_f32_portable');
  t.is(choose('conv2d_f32', ['avx2'], uneven).fn, 'conv2d_f32_portable');
  t.is(choose('conv2d_f32', ['avx2', 'fma'], uneven).fn, 'conv2d_f32_simd');
  t.is(choose('conv2d_f32', ['avx2', 'fma'], {...uneven, oh: 8}).fn, 'conv2d_f32_simd_even');
  t.is(choose('conv2d_f32', ['avx512f'], {...uneven, mr: 7}).fn, 'conv2d_f32_simd_even');
  t.is(choose('conv2d_f32', ['avx512f'], {...uneven, mr: 7, oc: 40}).fn, 'conv2d_f32_simd');
  t.deepEqual(choose('matmul_f32', ['avx2', 'fma', 'avx512f'], {}).needs, ['avx512f']);
  for (const contract of new Set<Contract>(kernels.map(row => row.contract))) t.deepEqual(choose(contract, [], {}).needs, []);
  t.is(choose('conv2d_f32_by_f16', ['avx2', 'fma'], uneven).fn, 'conv2d_f32_by_f16_portable');
  t.is(choose('conv2d_f32_by_f16', ['avx2', 'fma', 'f16c'], uneven).fn, 'conv2d_f32_by_f16_simd');
  t.is(choose('conv2d_u8', ['simd128'], uneven).fn, 'conv2d_u8_simd');
  const tiles = (fields: Readonly<Record<string, number>>) =>
    choose('conv2d_u8', ['avx512f', 'amxint8'], {...uneven, ...fields}).fn;
  for (const run of [4, 48, 64, 144, 192]) t.is(tiles({run}), 'conv2d_u8_amx', `${run}`);
  for (const fields of [{run: 9}, {run: 68}, {run: 64, ow: 1}]) t.regex(tiles(fields), /simd/);
  t.is(choose('conv2d_f32_by_i4', ['avx2', 'fma'], uneven).fn, 'conv2d_f32_by_i4_simd');
  for (const {header, fn, contract} of kernels) {
    const text = readFileSync(join(folder, header), 'utf8');
    t.true(text.includes(` ${fn}(`) || text.includes(`DNNC_CONV2D_BY(${contract},`), fn);
  }
});

test('ways: Winograd where tiles and channels are many, plain sums where weights may not grow', t => {
  const ways = ['direct', 'winograd-2', 'winograd-4'] as const;
  const size = (side: number, ic: number, oc: number) => ({n: 1, oh: side, ow: side, kh: 3, kw: 3, ic, oc});
  t.is(cheapest.way('conv2d_f32', size(56, 64, 64), ways), 'winograd-4');
  t.is(cheapest.way('conv2d_f32', size(32, 16, 16), ways), 'winograd-4');
  t.is(cheapest.way('conv2d_f32', size(224, 3, 64), ways), 'direct');
  t.is(cheapest.way('conv2d_f32', size(7, 512, 512), ways), 'direct');
  t.is(cheapest.way('conv2d_f32', size(1, 64, 64), ways), 'direct');
  t.is(smallest.way('conv2d_f32', size(56, 64, 64), ways), 'direct');
});

test('ways of 1x3 and 3x1 kernels: transforms along a line pay where they are few beside the products', t => {
  for (const [kh, kw] of [
    [1, 3],
    [3, 1],
  ]) {
    const way = (side: number, ic: number, oc: number) =>
      cheapest.way('conv2d_f32', {n: 1, oh: side, ow: side, kh: kh!, kw: kw!, ic, oc}, ['direct', 'winograd-line-4']);
    for (const [side, ic, oc] of [
      [32, 32, 16],
      [16, 64, 32],
      [8, 32, 128],
      [28, 128, 128],
    ])
      t.is(way(side!, ic!, oc!), 'winograd-line-4', `${side} ${ic} ${oc}`);
    for (const [side, ic, oc] of [
      [32, 4, 16],
      [112, 3, 32],
      [4, 512, 512],
      [3, 64, 64],
      [1, 64, 64],
    ])
      t.is(way(side!, ic!, oc!), 'direct', `${side} ${ic} ${oc}`);
  }
});

test('a way is explained by what it was chosen from', t => {
  const fields = {n: 1, oh: 32, ow: 32, ic: 32, oc: 16, m: 4, tiles: 14};
  const why = (contract: string) =>
    whyOf({kind: 'kernel', contract, header: null, struct: '', fields, params: [], epilogue: null});
  t.is(why('winograd_3x1_f32'), 'Winograd F(4, 3) along columns, 14 tiles; estimated kilocycles: direct 54, winograd-line-4 37');
  t.regex(why('winograd_f32'), /^Winograd F\(4x4, 3x3\), 14 tiles; .*: direct 162, winograd-2 \d+, winograd-4 \d+$/);
  t.is(why('maxpool_f32'), 'maxpool_f32');
});

test('tiles along a line: between the steps they stay in the first-level cache, and leave nothing over where they can', t => {
  const together = (side: number, ic: number, oc: number) => tilesTogether({oh: side, ow: side, kh: 1, kw: 3, ic, oc}, 4);
  t.is(together(30, 32, 16), 12);
  t.is(together(16, 64, 64), 8);
  t.is(together(8, 256, 256), 16);
  t.is(together(3, 64, 64), 3);
});

test("Winograd's products are of whole vectors, whose tiles must fit the registers", t => {
  const narrow: Feature[] = ['avx2', 'fma'];
  for (let oc = 1; oc < 80; oc++) {
    const size = tiledSize({contract: 'winograd_f32', fields: {oc, ic: 8, tiles: 4, m: 4}})!;
    const {mr, nv} = chooseTile(size, narrow);
    t.true(mr * Math.min(nv * 2, Math.ceil(oc / 8)) <= 12, `${oc} channels`);
    const four = chooseTile(size, ['simd128']);
    t.true(four.mr * Math.min(four.nv * 4, Math.ceil(oc / 4)) <= 8, `${oc} channels`);
  }
});

test('chooseTile finds tiles that fit the registers and waste little', t => {
  const wide: Feature[] = ['avx2', 'fma', 'avx512f'];
  const narrow: Feature[] = ['avx2', 'fma'];
  const size = (oh: number, ow: number, oc: number, k: number, ic: number) => ({oh, ow, oc, kh: k, kw: k, ic, groups: 1});
  t.deepEqual(chooseTile(size(56, 56, 64, 3, 64), wide), {mr: 14, nv: 2, panelsOuter: false});
  t.deepEqual(chooseTile(size(7, 7, 512, 3, 512), wide), {mr: 14, nv: 2, panelsOuter: true});
  t.deepEqual(chooseTile(size(1, 1, 1000, 1, 2048), wide), {mr: 1, nv: 8, panelsOuter: true});
  t.deepEqual(chooseTile(size(56, 56, 64, 3, 64), narrow), {mr: 6, nv: 1, panelsOuter: false});
  // A product of bytes without an instruction of its own takes more registers.
  const bytes = {...size(56, 56, 64, 3, 16), bytes: true};
  t.true(chooseTile(bytes, wide).mr * chooseTile(bytes, wide).nv <= 20);
  t.true(chooseTile(bytes, [...wide, 'avx512vnni']).mr * chooseTile(bytes, [...wide, 'avx512vnni']).nv > 20);
  for (let oc = 1; oc < 100; oc += 7)
    for (let ow = 1; ow < 40; ow += 3) {
      const {mr, nv} = chooseTile(size(5, ow, oc, 3, 16), wide);
      t.true(mr * nv <= 28 && mr >= 1 && nv >= 1 && nv <= 8, `${ow} columns, ${oc} channels`);
      const avx2 = chooseTile(size(5, ow, oc, 3, 16), narrow);
      t.true(avx2.mr * Math.ceil(Math.min(oc, avx2.nv * 16) / 8) <= 12, `${ow} columns, ${oc} channels`);
      const four = chooseTile(size(5, ow, oc, 3, 16), ['simd128']);
      t.true(four.mr * Math.ceil(Math.min(oc, four.nv * 16) / 4) <= 8, `${ow} columns, ${oc} channels`);
    }
});
