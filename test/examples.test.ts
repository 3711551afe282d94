/** The examples, run as their READMEs say, in temporary folders; the C also with sanitizers, strict warnings and as C++. */
import {execFile, spawnSync} from 'node:child_process';
import {copyFileSync, mkdirSync, readFileSync, symlinkSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {promisify} from 'node:util';
import test from 'ava';
import {build, resolveTasks, targetsNamed} from 'dnnc';
import {temporaryFolder} from './support/temporary.js';
import {cc, hasCompiler} from './tiny-build.js';

const root = fileURLToPath(new URL('../../', import.meta.url));
const run = promisify(execFile);
const folder = temporaryFolder();
const withCompiler = hasCompiler ? test : test.skip;
const cxx = 'c++';
const hasCxx = spawnSync(cxx, ['--version']).status === 0;

const strict = ['-Wall', '-Wextra', '-Wpedantic', '-Wconversion', '-Werror'];
/** Without -Wconversion: gcc forgets explicit casts in code that -fsanitize=undefined instruments. */
const sanitized = [
  ...strict.filter(flag => flag !== '-Wconversion'),
  '-O1',
  '-g',
  '-fsanitize=address,undefined',
  '-fno-sanitize-recover=all',
];

/** Folder of one form of the C example: what run.sh built and the last line that it printed. */
async function runC(weights: 'blob' | 'c', flags: readonly string[]): Promise<string> {
  const {stdout} = await run('sh', ['examples/01-c-program/run.sh', weights], {
    cwd: root,
    env: {...process.env, CC: cc, CFLAGS: flags.join(' '), OUT: folder, XDG_CACHE_HOME: join(folder, 'cache')},
  });
  return stdout.trimEnd().split('\n').at(-1) ?? '';
}

const main = join(root, 'examples/01-c-program/main.c');

test.serial.before(() => mkdirSync(join(folder, 'node'), {recursive: true}));

(hasCompiler ? test.serial : test.serial.skip)('C: the program reads the number, under sanitizers', async t => {
  t.is(await runC('blob', sanitized), '70');

  const [program, weights, picture] = ['program', 'sign/sign.weights', 'picture.rgb'].map(file => join(folder, 'blob', file));
  const damaged = readFileSync(weights!);
  damaged[damaged.length - 100]! ^= 1;
  writeFileSync(join(folder, 'damaged.weights'), damaged);
  const refused = spawnSync(program!, [join(folder, 'damaged.weights'), picture!], {encoding: 'utf8'});
  t.is(refused.status, 1);
  t.regex(refused.stderr, /not the weights of this program \(SIGN_ERROR 6\)/);
});

(hasCompiler && hasCxx ? test.serial : test.serial.skip)('C: the program is also C++', async t => {
  const at = join(folder, 'blob');
  const object = join(at, 'sign.o');
  await run(cc, ['-std=c11', '-O1', '-c', join(at, 'sign/sign.c'), '-o', object]);
  const program = join(at, 'program++');
  const args = ['-x', 'c++', main, '-x', 'none', object, '-I', join(at, 'sign'), '-o', program, '-lm'];
  await run(cxx, ['-std=c++17', ...strict, ...args]);
  const {stdout} = await run(program, [join(at, 'sign/sign.weights'), join(at, 'picture.rgb')]);
  t.is(stdout, '70\n');
});

(hasCompiler ? test.serial : test.serial.skip)('C: weights inside the program; no warnings', async t => {
  t.is(await runC('c', [...strict, '-O1']), '70');
});

withCompiler('Node: the program compiles against its manifest, and runs', async t => {
  const example = join(root, 'examples/02-node-program');
  const at = join(folder, 'node');
  const {tasks} = resolveTasks({config: join(root, 'examples/signs/dnnc.config.json')});
  await build(tasks, {
    directory: join(at, 'dnnc-out/signs'),
    name: 'signs',
    targets: targetsNamed(['generic']),
    measure: false,
    flags: ['-O1'],
  });
  for (const file of ['main.ts', 'tsconfig.json']) copyFileSync(join(example, file), join(at, file));
  writeFileSync(join(at, 'package.json'), '{"type": "module"}');
  mkdirSync(join(at, 'node_modules'));
  symlinkSync(root, join(at, 'node_modules/dnnc'), 'dir');
  symlinkSync(join(root, 'node_modules/@types'), join(at, 'node_modules/@types'), 'dir');
  const picture = join(at, 'picture.rgb');
  const labels = ['--shape', 'octagon', '--number', '70', '--weather', 'rain'];
  await run(process.execPath, [join(root, 'build/examples/signs/picture.js'), ...labels, '--out', picture]);
  await run(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', at]);
  const {stdout} = await run(process.execPath, ['dnnc-out/program/main.js', picture], {cwd: at});
  t.regex(stdout, /^a red octagon, number 70, in rain \(\d+% sure\): keep your distance\n$/);
});
