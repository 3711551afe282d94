/** The C of the target wasm32: its own libm against that of JavaScript, and ops and networks against the reference. */
import {mkdirSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {collectHeaders} from '../compiler/headers.js';
import {ops} from '../ir/ops/index.js';
import {expectationOf, problemsInC} from './support/agreement.js';
import {buildAll, targetsHere} from './support/cc.js';
import {byType, casesOfElementwise, casesOfFolders, isElementwise} from './support/op-cases.js';
import {moduleOf} from './support/op-module.js';
import {randomModule} from './support/random-module.js';
import {programDifferences, referenceOf} from './support/reference.js';
import {temporaryFolder} from './support/temporary.js';
import {randomOf} from './support/tensors.js';
import {compileModule, hasWasmCompiler, instanceOf, wasm32} from './support/wasm.js';
import {hasCompiler} from './tiny-build.js';

const fromFolders = await casesOfFolders();

const needsClang = hasWasmCompiler ? test : test.skip;
const needsBoth = hasWasmCompiler && hasCompiler ? test : test.skip;

const functions = 'exp log log1p sin cos tan asin acos atan sinh cosh tanh asinh acosh atanh'.split(' ');
const folder = temporaryFolder();

/** Numbers of double between a and b. */
function ulpsBetween(a: number, b: number): number {
  const place = (x: number): bigint => {
    const bits = new BigInt64Array(Float64Array.of(x).buffer)[0]!;
    return bits < 0n ? -(bits & 0x7fffffffffffffffn) : bits;
  };
  if (Object.is(a, b)) return 0;
  if (Number.isNaN(a) || Number.isNaN(b)) return Number.POSITIVE_INFINITY;
  const distance = place(a) - place(b);
  return Number(distance < 0n ? -distance : distance);
}

const special = [0, 1, 0.5, 22, 709.7, 745, 1e22, 1e-300, 5e-324, 2 ** 1023, Math.PI, Number.POSITIVE_INFINITY, Number.NaN];

function numbersFor(seed: number): readonly number[] {
  const random = randomOf(seed);
  const spread = (): number => (random.unit() - 0.5) * Math.exp(random.pick([0, 4, 60, 1200]) * (random.unit() - 0.5));
  return [...special, ...special.map(x => -x), ...Array.from({length: 2000}, spread)];
}

needsClang('the functions of freestanding/math.h are those of libm, within a few units in the last place', async t => {
  const lines = [...functions, 'erf'].map(
    name => `double d_${name}(double x);\ndouble d_${name}(double x) { return ${name}(x); }`,
  );
  const both = ['fmod', 'pow'].map(
    name => `double d_${name}(double x, double y);\ndouble d_${name}(double x, double y) { return ${name}(x, y); }`,
  );
  mkdirSync(join(folder, 'kernels', 'freestanding'), {recursive: true});
  for (const [file, text] of collectHeaders(wasm32.headers ?? [])) writeFileSync(join(folder, 'kernels', file), text);
  writeFileSync(join(folder, 'math.c'), `#include <math.h>\n${[...lines, ...both].join('\n')}\n`);
  await compileModule(folder, 'math', ['-Werror']);
  const machine = instanceOf(folder, 'math');
  for (const [i, name] of functions.entries()) {
    const [ours, theirs] = [machine.function(`d_${name}`), Reflect.get(Math, name) as (x: number) => number];
    for (const x of numbersFor(i)) t.true(ulpsBetween(ours(x), theirs(x)) <= 5, `${name}(${x}): ${ours(x)}, not ${theirs(x)}`);
  }
  const [fmod, pow, erf] = ['fmod', 'pow', 'erf'].map(name => machine.function(`d_${name}`));
  const others = numbersFor(99);
  for (const [i, x] of numbersFor(100).entries()) {
    const y = others[(i * 7) % others.length]!;
    t.is(fmod!(x, y), x % y, `fmod(${x}, ${y})`);
    const [power, wanted] = [pow!(x, y), x ** y];
    // C says 1 where one of 1 and an infinity is the base, or the exponent is not a number.
    if (Math.abs(x) !== 1)
      t.true(Object.is(power, wanted) || Math.abs(power - wanted) <= 4e-13 * Math.abs(wanted), `pow(${x}, ${y}): ${power}`);
  }
  // Abramowitz, Stegun, table 7.1
  for (const [x, wanted] of [
    [0.1, 0.1124629160182849],
    [1, 0.8427007929497149],
    [1.5, 0.9661051464753108],
    [3, 0.9999779095030014],
  ] as const) // prettier-ignore
    t.true(ulpsBetween(erf!(x), wanted) <= 3);
  t.is(erf!(-7), -1);
});

/** All would take minutes: DNNC_WASM_OPS=all npx ava build/test/wasm-kernels.test.js */
const chosen = process.env.DNNC_WASM_OPS === 'all' ? ops.map(({name}) => name) : ['conv2d_u8', 'softmax', 'sin', 'erf', 'round'];

async function agree(t: ExecutionContext, names: readonly string[]): Promise<void> {
  const built = ops
    .filter(({name}) => names.includes(name))
    .flatMap(op => {
      const parts = isElementwise(op) ? byType(casesOfElementwise(op)) : (fromFolders.get(op.name) ?? []).map(one => [one]);
      return parts.map(part => ({op, ...moduleOf(op, part)}));
    });
  const programs = await buildAll(
    built.map(({module}) => module),
    {targets: [wasm32]},
  );
  const wrong = built.flatMap(({op, module, inputs}, i) => {
    const program = programs[i]!;
    if (program instanceof Error) return [`${op.name}: ${program.message}`];
    const found = programDifferences(program, [wasm32], inputs, referenceOf(module, inputs), 1e-5);
    return found.map(says => `${op.name}: ${says}`);
  });
  t.true(built.length >= names.length);
  t.deepEqual(wrong, []);
}

needsClang('kernels of wasm32 compute what the reference evaluator says', t => agree(t, chosen));

needsBoth('random modules: the C of wasm32 agrees with the reference, segment by segment too', async t => {
  const made = Array.from({length: 4}, (_, i) => randomModule(40 + i));
  const expected = made.map((module, i) => expectationOf(module, 40 + i));
  const programs = await buildAll(made, {targets: [targetsHere[0]!, wasm32]});
  t.deepEqual(
    programs.flatMap((program, i) => problemsInC(program, [wasm32], expected[i]!).map(says => `seed ${40 + i}: ${says}`)),
    [],
  );
});
