/** Loops over bytes and floats: the same results from vectors and from single elements, tables among them, and as evaluated. */
import test from 'ava';
import {tableOf} from '../codegen/c/tables.js';
import {exact} from '../compiler/pipeline.js';
import {parse} from '../ir/parse.js';
import {evaluator} from '../ir/scalar/evaluate.js';
import type {Scalar} from '../ir/scalar/expression.js';
import {parseScalar, printScalar} from '../ir/scalar/text.js';
import {simplify} from '../ir/simplify.js';
import {runPasses} from '../passes/framework/manager.js';
import {buildAll, targetsHere} from './support/cc.js';
import {programDifferences, randomInputs, referenceOf} from './support/reference.js';
import {randomOf} from './support/tensors.js';
import {hasCompiler} from './tiny-build.js';

const parsed = (text: string): Scalar => parseScalar(text) ?? {kind: 'lit', value: Number.NaN};
const quantized = (x: string, offset = 0): string => `clamp(add(round(${x}), ${offset}), 0, 255)`;

/** Sizes that leave elements over, an operand per channel, one that is broadcast, a function that needs a table. */
const loops = [
  ['u8[1,37,3,7]', `u8(${quantized('div(add(mul(mul(sub(f32(x0), 131), 0.07), x1), x2), 0.09)', 100)})`],
  ['u8[1,37,3,7]', `u8(${quantized('div(sigmoid(mul(sub(f32(x0), 131), 0.07)), 0.0039)')})`],
  ['f32[1,37,3,7]', 'mul(tanh(mul(f32(x0), 0.01)), x1)'],
  ['f32[1,37,3,7]', `mul(sub(${quantized('mul(x3, x1)', 12)}, 12), erf(mul(sub(${quantized('mul(x3, x1)', 12)}, 12), 0.05)))`],
  ['f32[1,37,3,7]', 'add(mul(f32(x0), 0.5), x3)'],
] as const;

(hasCompiler ? test : test.skip)('vectors and elements compute the same', async t => {
  const nodes = loops.map(([type, expression], i) => {
    const used = [0, 1, 2, 3].filter(place => expression.includes(`x${place}`));
    const operands = used.map(place => ['%q', '%gain', '%shift', '%real'][place]!).join(', ');
    const renamed = expression.replaceAll(/x(\d)/g, (_, place) => `x${used.indexOf(Number(place))}`);
    return `  %y${i} = map(${operands}) {expression = "${renamed}"} : ${type}`;
  });
  const module = parse(`dnnc-ir 1
module @m {
  input %q : u8[1,37,3,7]
  input %real : f32[1,37,3,7]
  const %gain : f32[37,1,1] = random(3)
  const %shift : f32[1,37,1,1] = random(4)
${nodes.join('\n')}
  head @m = ${loops.map((_, i) => `%y${i}`).join(', ')}
}`);
  const inputs = randomInputs(module, randomOf(8));
  const [program] = await buildAll([runPasses(module, exact)]);
  if (program instanceof Error || !program) throw program ?? new Error('nothing was built');
  t.deepEqual(programDifferences(program, targetsHere, inputs, referenceOf(module, inputs), 0), []);
});

test('dear functions of one byte get a table, others do not', t => {
  const isByte = (index: number): boolean => index === 0;
  const table = (text: string) => tableOf(parsed(text), 3, isByte);
  const found = table('add(x1, sigmoid(mul(x0, 0.1)))');
  t.is(found && printScalar(found.expression), 'add(x1, x3)');
  t.is(found && printScalar(found.index), 'x0');
  t.is(found?.values[10], Math.fround(1 / (1 + Math.exp(-1))));
  const inner = quantized('mul(x1, x2)', 3);
  const whole = table(`mul(sub(${inner}, 3), sigmoid(sub(${inner}, 3)))`);
  t.is(whole && printScalar(whole.index), inner);
  t.is(whole && printScalar(whole.expression), 'x3');
  for (const text of ['mul(x0, 0.1)', 'sigmoid(x1)', 'sigmoid(add(x0, x1))', 'div(mul(x0, 3), 7)', 'exp(mul(x0, x0))'])
    t.is(table(text), null, text);
});

test('a byte times a scale by the scale is the byte', t => {
  const random = randomOf(21);
  const scales = [...Array.from({length: 200}, () => Math.fround(10 ** (8 * random.unit() - 6))), 1e-30, 1e30];
  for (const scale of scales)
    for (const zero of [0, 17, 128, 255]) {
      const text = `u8(${quantized(`div(mul(sub(f32(x0), ${zero}), ${scale}), ${scale})`, zero)})`;
      const of = evaluator(parsed(text), ['u8'], 'u8');
      t.is(printScalar(simplify(parsed(text), ['u8'])), 'x0');
      for (let byte = 0; byte < 256; byte++) if (of([BigInt(byte)]) !== BigInt(byte)) t.fail(`${text} at ${byte}`);
    }
  const other = `u8(${quantized('div(mul(f32(x0), 0.5), 0.25)')})`;
  t.not(printScalar(simplify(parsed(other), ['u8'])), 'x0');
  const clipped = 'u8(clamp(add(round(div(mul(f32(x0), 0.5), 0.5)), 0), 0, 200))';
  t.not(printScalar(simplify(parsed(clipped), ['u8'])), 'x0');
});

test('bounds that a byte has anyway are left out, and no others', t => {
  const random = randomOf(23);
  const values = [
    Number.NaN,
    -Infinity,
    Infinity,
    ...Array.from({length: 80}, (_, i) => (i - 20) * 0.5 + (random.unit() - 0.5) / 4),
  ];
  for (const zero of [0, 3, 10])
    for (const low of [0, 3])
      for (const [a, b] of [
        [0, 20],
        [-3, 19.999],
        [0.49, 19.501],
        [-0.5, 19.5],
        [0.5, 19.4],
        [3, 12],
        [-10, 30],
      ] as const) {
        const text = `clamp(add(round(min(max(x0, ${a}), ${b})), ${zero}), ${low}, 20)`;
        const found = simplify(parsed(text), ['f32']);
        const [plain, simple] = [evaluator(parsed(text), ['f32'], 'f32'), evaluator(found, ['f32'], 'f32')];
        for (const value of values) t.is(simple([value]), plain([value]), `${text} at ${value}`);
        const isBoundHigh = !(b + zero > 19.5);
        t.is(printScalar(found).includes('min('), isBoundHigh, text);
        if (!isBoundHigh) t.is(printScalar(found).includes('max('), !(a + zero < low + 0.5), text);
      }
});
