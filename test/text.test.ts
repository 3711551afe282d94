/** Text and module are one: what is printed reads back to the same text, and what cannot be read is refused with its place. */
import test from 'ava';
import {exact} from '../compiler/pipeline.js';
import {DnncError} from '../ir/diagnostics.js';
import {parse} from '../ir/parse.js';
import {print} from '../ir/print.js';
import type {Module} from '../ir/types.js';
import {runPasses} from '../passes/framework/manager.js';
import {filesBelow, halvesOf, read} from './support/files.js';
import {printConstantsWhole} from './support/fixture.js';
import {randomModule} from './support/random-module.js';
import {printedAgain} from './support/reference.js';
import {randomOf} from './support/tensors.js';

const texts: readonly {readonly file: string; readonly text: string}[] = [
  ...filesBelow('passes', '.ir').map(file => ({file, text: halvesOf(file).before})),
  ...filesBelow('test/fixtures', '.ir').map(file => ({file, text: read(file)})),
];

const same = (module: Module): boolean => printedAgain(module) === print(module);

test('every .ir file reads back to what it prints, before and after the passes', t => {
  for (const {file, text} of texts) {
    const module = parse(text, {file});
    t.true(same(module), file);
    t.true(same(runPasses(module, exact)), `${file}, optimized`);
  }
});

test('random modules read back to what they print, before and after the passes', t => {
  for (let seed = 5000; seed < 5150; seed++) {
    const module = randomModule(seed);
    t.true(same(module), `seed ${seed}`);
    t.true(same(runPasses(module, exact)), `seed ${seed}, optimized`);
    t.notThrows(() => parse(printConstantsWhole(module)), `seed ${seed} as a fixture`);
  }
});

test('names, numbers, attributes and locations of every kind', t => {
  const text = `dnnc-ir 1

module @"a name" {
  attr note = "quotes \\" and \\\\ and // no comment"
  attr list = [1, [true, "two"], -inf, nan, -0, 1e-45]

  input %"x y" : f32[2,3]
  input %q : i8[4,2] !q(0, [0.5,1,2,4], [0,-1,2,3])
  input %p : u8[] !q(*, [0.25], [128])

  const %k : f32[3] = [-0, inf, nan] @ onnx("file.onnx", "a \\"node\\"")
  const %big : i64[2] = [-9007199254740992, 7] @ text("f", 1, 2)
  const %t : bool[2] = [1, 0] @ pass("p", onnx("a", "b"), pass("q"))

  %a.1/b:c-d = clip(%"x y") {low = -1.5} : f32[2,3] @ pass("one", text("f", 3, 4))
  %y = add(%a.1/b:c-d, %k) : f32[2,3] @ text("m", 1, 1)

  head @"first head" = %y, %y {classes = 3, labels = ["a", "b"]} @ text("m", 2, 1)
}
`;
  const printed = print(parse(text));
  t.is(print(parse(printed)), printed);
  for (const line of text.split('\n').filter(one => one.includes('%'))) t.true(printed.includes(line), line);
});

test('64-bit literals beyond 2^53 keep every bit', t => {
  const text = 'dnnc-ir 1 module @m { const %k : i64[2] = [9223372036854775807, -9223372036854775808] head @h = %k }';
  const module = parse(text);
  const [constant] = module.graph.constants;
  t.deepEqual([...new BigInt64Array(constant!.blob.bytes.slice().buffer)], [9223372036854775807n, -9223372036854775808n]);
  t.true(same(module));
});

/** Bytes to put in: all that has a meaning somewhere, and some that never has. */
const pieces = [
  ...'%@{}[]():,=!"\\/-+.0123456789abcxyz \n\t\u0000\u00ff\ud800',
  'none',
  'random(1)',
  '-1',
  '1e999',
  '[]',
  'f32[2]',
  '//',
];

function damaged(text: string, seed: number): string {
  const random = randomOf(seed);
  let result = text;
  for (let i = 1 + random.below(3); i > 0; i--) {
    const at = random.below(result.length);
    const length = random.below(4);
    const kind = random.below(5);
    if (kind === 0) result = result.slice(0, at);
    else if (kind === 1) result = result.slice(0, at) + result.slice(at + 1 + length);
    else if (kind === 2)
      result = result.slice(0, at) + String.fromCharCode(result.charCodeAt(at) ^ (1 << random.below(7))) + result.slice(at + 1);
    else if (kind === 3) result = result.slice(0, at) + random.pick(pieces) + result.slice(at + length);
    else {
      const from = random.below(result.length);
      result = result.slice(0, at) + result.slice(from, from + 20) + result.slice(at);
    }
  }
  return result;
}

test('damaged text is read or refused with line and column, never more, and soon', t => {
  t.timeout(600_000);
  let refused = 0;
  for (let seed = 0; seed < 6000; seed++) {
    const {file, text} = texts[seed % texts.length]!;
    const bad = damaged(text, seed);
    const started = performance.now();
    try {
      parse(bad, {file});
    } catch (error) {
      refused++;
      if (
        !(error instanceof DnncError) ||
        error.kind !== 'input' ||
        !error.problems.every(({where}) => /:\d+:\d+$/.test(where))
      ) {
        t.fail(`seed ${seed}, ${file}: ${error instanceof Error ? error.stack : String(error)}\n${bad}`);
        return;
      }
    }
    if (performance.now() - started > 5000) t.fail(`seed ${seed} took ${performance.now() - started} ms`);
  }
  t.true(refused > 3000, `${refused} were refused`);
});

test('text that is long rather than wrong takes time in proportion', t => {
  const many = Array.from({length: 4000}, (_, i) => `%v${i + 1} = relu(%v${i}) : f32[2]`).join('\n');
  const started = performance.now();
  const module = parse(`dnnc-ir 1\nmodule @m {\ninput %v0 : f32[2]\n${many}\nhead @h = %v4000\n}`);
  t.is(module.graph.nodes.length, 4000);
  t.true(performance.now() - started < 20_000, `${performance.now() - started} ms`);
});
