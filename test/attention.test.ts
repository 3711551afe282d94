/** ONNX's Attention: what is imported computes what the formula says, costs what it should, and bad calls are refused. */
import test from 'ava';
import type {onnx} from 'onnx-proto';
import {exact} from '../compiler/pipeline.js';
import {elements, numberAt, numbersOf, setElement, type Tensor, tensorFrom} from '../ir/tensor.js';
import type {Module} from '../ir/types.js';
import {runPasses} from '../passes/framework/manager.js';
import {buildAll, targetsHere} from './support/cc.js';
import {node, refuses, valueInfo} from './support/onnx-bytes.js';
import {attrs, float, int, load} from './support/onnx-graph.js';
import {programDifferences, randomInputs, referenceOf} from './support/reference.js';
import {difference, randomOf} from './support/tensors.js';

const elementTypes = {f32: 1, i64: 7, bool: 9} as const;
type Operand = readonly [shape: readonly number[], dtype?: keyof typeof elementTypes];
type Attributes = Readonly<Record<string, number>>;
type Case = {readonly operands: readonly (Operand | null)[]; readonly attributes?: Attributes; readonly outputs?: number};

const names = ['q', 'k', 'v', 'mask', 'past_key', 'past_value', 'lengths'];
const floats: ReadonlySet<string> = new Set(['scale', 'softcap']);

function attention({operands, attributes = {}, outputs = 1}: Case): Module {
  const graph: onnx.IGraphProto = {
    input: operands.flatMap((operand, i) =>
      operand ? [valueInfo(names[i]!, operand[0], elementTypes[operand[1] ?? 'f32'])] : [],
    ),
    output: Array.from({length: outputs}, (_, i) => valueInfo(`y${i}`, [])),
    node: [
      node(
        'Attention',
        operands.map((operand, i) => (operand ? names[i]! : '')),
        Array.from({length: outputs}, (_, i) => `y${i}`),
        attrs(...Object.entries(attributes).map(([name, value]) => (floats.has(name) ? float(name, value) : int(name, value)))),
      ),
    ],
  };
  return load(graph, {opset: 25}).module;
}

/** Random operands; the first row of truths is all false, and the lengths are 2 and 3. */
function inputsFor(module: Module): ReadonlyMap<string, Tensor> {
  const inputs = new Map(randomInputs(module, randomOf(11)));
  const mask = inputs.get('mask');
  if (mask?.dtype === 'bool') for (let i = 0; i < mask.shape.at(-1)!; i++) setElement(mask, i, 0);
  const lengths = inputs.get('lengths');
  if (lengths) inputs.set('lengths', tensorFrom('i64', lengths.shape, [2, 3]));
  return inputs;
}

/** The formula, one query at a time, for operands of four axes. */
function expected(inputs: ReadonlyMap<string, Tensor>, attributes: Attributes): readonly number[] {
  const [q, k, v] = [inputs.get('q')!, inputs.get('k')!, inputs.get('v')!];
  const [batch, heads, queries, size] = q.shape as [number, number, number, number];
  const [groups, width] = [k.shape[1]!, v.shape[3]!];
  const past = inputs.get('past_key')?.shape[2] ?? 0;
  const keys = past + k.shape[2]!;
  const at = (before: Tensor | undefined, now: Tensor, b: number, g: number, j: number, d: number): number => {
    const [from, place] = j < past ? [before!, j] : [now, j - past];
    return numberAt(from, ((b * groups + g) * from.shape[2]! + place) * from.shape[3]! + d);
  };
  const mask = inputs.get('mask');
  const added = (b: number, h: number, i: number, j: number): number => {
    if (!mask) return 0;
    if (j >= mask.shape.at(-1)!) return -Infinity;
    const index = [b, h, i, j].slice(-mask.shape.length);
    const flat = mask.shape.reduce((sum, count, axis) => sum * count + (count === 1 ? 0 : index[axis]!), 0);
    return mask.dtype === 'bool' ? (mask.data[flat] ? 0 : -Infinity) : numberAt(mask, flat);
  };
  const {is_causal = 0, left_window_size = -1, right_window_size = -1, softcap = 0, scale = 1 / Math.sqrt(size)} = attributes;
  const lengths = inputs.get('lengths');
  const range = (n: number): readonly number[] => Array.from({length: n}, (_, i) => i);
  return range(batch).flatMap(b =>
    range(heads).flatMap(h =>
      range(queries).flatMap(i => {
        const g = Math.floor(h / (heads / groups));
        const count = lengths ? Number(lengths.data[b]) : keys;
        const place = i + (lengths ? count - queries : past);
        const seen = range(keys).filter(
          j =>
            j < count &&
            (!is_causal || j <= place) &&
            (left_window_size < 0 || j >= place - left_window_size) &&
            (right_window_size < 0 || j <= place + right_window_size) &&
            added(b, h, i, j) !== -Infinity,
        );
        const scores = seen.map(j => {
          const dots = range(size).map(
            d => numberAt(q, ((b * heads + h) * queries + i) * size + d) * at(inputs.get('past_key'), k, b, g, j, d),
          );
          const score = dots.reduce((sum, term) => sum + term, 0) * scale;
          return (softcap ? softcap * Math.tanh(score / softcap) : score) + added(b, h, i, j);
        });
        const high = Math.max(...scores);
        const total = scores.reduce((sum, score) => sum + Math.exp(score - high), 0);
        return range(width).map(d =>
          seen.reduce(
            (sum, j, n) => sum + (Math.exp(scores[n]! - high) / total) * at(inputs.get('past_value'), v, b, g, j, d),
            0,
          ),
        );
      }),
    ),
  );
}

const square = (n: number, heads = 2, groups = heads): readonly Operand[] => [
  [[2, heads, n, 8]],
  [[2, groups, n, 8]],
  [[2, groups, n, 5]],
];
const cases: Readonly<Record<string, Case>> = {
  'one query': {operands: [[[1, 3, 1, 4]], [[1, 3, 7, 4]], [[1, 3, 7, 4]]]},
  'one key': {operands: [[[1, 2, 5, 4]], [[1, 2, 1, 4]], [[1, 2, 1, 3]]]},
  scaled: {operands: square(6), attributes: {scale: 0.25, softcap: 1.5}},
  causal: {operands: square(6), attributes: {is_causal: 1}},
  'causal, heads that share keys': {operands: square(5, 6, 2), attributes: {is_causal: 1}},
  'one group': {operands: square(5, 4, 1)},
  'queries past the last key that their window reaches': {
    operands: [[[1, 2, 9, 4]], [[1, 2, 3, 4]], [[1, 2, 3, 4]]],
    attributes: {left_window_size: 2, right_window_size: 1},
  },
  'a mask per key': {operands: [...square(6), [[2, 1, 1, 6]]]},
  'a mask per head that shares keys': {operands: [...square(4, 4, 2), [[4, 4, 4]]]},
  'truths of one axis, all false': {operands: [...square(4), [[4], 'bool']]},
  'truths, one row all false, causal': {operands: [...square(5), [[5, 5], 'bool']], attributes: {is_causal: 1}},
  'a short mask': {operands: [...square(6), [[6, 4]]]},
  'what was there before': {
    operands: [...square(3), [[3, 7]], [[2, 2, 4, 8]], [[2, 2, 4, 5]]],
    attributes: {is_causal: 1, left_window_size: 3},
  },
  'lengths, the first shorter than the queries': {
    operands: [[[2, 2, 3, 4]], [[2, 2, 6, 4]], [[2, 2, 6, 4]], null, null, null, [[2], 'i64']],
    attributes: {is_causal: 1},
  },
  'lengths, a window and a mask for heads that share keys': {
    operands: [[[2, 4, 2, 4]], [[2, 2, 6, 4]], [[2, 2, 6, 4]], [[2, 4, 2, 6], 'bool'], null, null, [[2], 'i64']],
    attributes: {left_window_size: 1},
  },
};

for (const [name, one] of Object.entries(cases))
  test(`${name}: the formula`, t => {
    const given = attention(one);
    const inputs = inputsFor(given);
    const [y] = referenceOf(given, inputs).values().next().value!;
    t.is(difference(y!, tensorFrom('f32', y!.shape, expected(inputs, one.attributes ?? {})), 1e-6), null);
    const after = referenceOf(runPasses(given, exact), inputs).values().next().value!;
    t.is(difference(after[0]!, y!, 1e-6), null);
  });

test.serial('the C of every target computes the same', async t => {
  t.timeout(300_000);
  const modules = Object.values(cases).map(attention);
  const programs = await buildAll(modules.map(module => runPasses(module, exact)));
  const wrong = modules.flatMap((module, i) => {
    const [program, inputs] = [programs[i]!, inputsFor(module)];
    const found =
      program instanceof Error
        ? [program.message]
        : programDifferences(program, targetsHere, inputs, referenceOf(module, inputs), 1e-5);
    return found.map(says => `${Object.keys(cases)[i]}: ${says}`);
  });
  t.deepEqual(wrong, []);
});

test('operands of three axes are parted into heads and joined again', t => {
  const flat = attention({operands: [[[2, 4, 12]], [[2, 5, 6]], [[2, 5, 4]]], attributes: {q_num_heads: 4, kv_num_heads: 2}});
  const inputs = inputsFor(flat);
  const heads = (name: string, count: number): Tensor => {
    const {shape, data} = inputs.get(name)!;
    const [batch, places, size] = [shape[0]!, shape[1]!, shape[2]! / count];
    const values = Array.from({length: data.length}, (_, at) => {
      const [d, n, h, b] = [
        at % size,
        Math.floor(at / size) % places,
        Math.floor(at / size / places) % count,
        Math.floor(at / size / places / count),
      ];
      return numberAt(inputs.get(name)!, ((b * places + n) * count + h) * size + d);
    });
    return tensorFrom('f32', [batch, count, places, size], values);
  };
  const parts = new Map([
    ['q', heads('q', 4)],
    ['k', heads('k', 2)],
    ['v', heads('v', 2)],
  ]);
  const meant = expected(parts, {});
  const [y] = referenceOf(flat, inputs).values().next().value!;
  t.deepEqual(y!.shape, [2, 4, 8]);
  const [n, h, d] = [4, 4, 2];
  const places = Array.from({length: elements(y!.shape)}, (_, at) => {
    const [size, head, place, b] = [at % d, Math.floor(at / d) % h, Math.floor(at / d / h) % n, Math.floor(at / d / h / n)];
    return meant[((b * h + head) * n + place) * d + size]!;
  });
  t.is(difference(y!, tensorFrom('f32', y!.shape, places), 1e-6), null);
});

/** The ops that are left after the pipeline, but for those that only look at memory in another way. */
const steps = (module: Module): readonly string[] =>
  runPasses(module, exact)
    .graph.nodes.map(({op}) => op)
    .filter(op => !['reshape', 'transpose', 'expand', 'slice'].includes(op));

test('scale, cap, mask and places are applied where the scores are made', t => {
  const plain = ['matmul', 'softmax', 'matmul'];
  t.deepEqual(steps(attention(cases['scaled']!)), plain);
  t.deepEqual(steps(attention(cases['causal']!)), plain);
  t.deepEqual(steps(attention(cases['causal, heads that share keys']!)), plain);
  t.deepEqual(steps(attention(cases['a mask per key']!)), ['reduce', ...plain]);
  const wide = {...cases['causal']!, attributes: {is_causal: 1, softmax_precision: 10}};
  t.deepEqual(steps(attention(wide)), plain, 'a narrower softmax is done in the type of the operands');
  t.true(steps(attention({...wide, attributes: {softmax_precision: 11}})).length > 3);
});

test('the four stages of the scores', t => {
  const stage = (mode: number): readonly number[] => {
    const module = attention({
      operands: [...square(4), [[4, 4], 'bool']],
      attributes: {softcap: 2, qk_matmul_output_mode: mode},
      outputs: 4,
    });
    return numbersOf(referenceOf(module, inputsFor(module)).values().next().value![3]!);
  };
  const [scaled, capped, masked, probabilities] = [0, 1, 2, 3].map(stage) as [number[], number[], number[], number[]];
  t.true(capped.every((value, i) => Math.abs(value - 2 * Math.tanh(scaled[i]! / 2)) < 1e-6));
  t.true(masked.slice(0, 4).every(value => value === -Infinity));
  t.deepEqual(probabilities.slice(0, 4), [0, 0, 0, 0]);
  t.true(probabilities.every(Number.isFinite));
});

test('what does not fit together is refused', t => {
  const refused = (one: Case): void => {
    refuses(t, 'input', 'onnx.invalid', () => attention(one));
  };
  const three: readonly Operand[] = [[[2, 4, 12]], [[2, 4, 12]], [[2, 4, 12]]];
  refused({operands: three});
  refused({operands: three, attributes: {q_num_heads: 5, kv_num_heads: 5}});
  refused({operands: [[[2, 4, 12]], [[2, 4, 4, 12]], [[2, 4, 12]]]});
  refused({operands: square(4, 3, 2)});
  refused({operands: [[[2, 2, 4, 8]], [[2, 2, 4, 6]], [[2, 2, 4, 8]]]});
  refused({operands: [[[2, 2, 4, 8]], [[2, 2, 4, 8]], [[2, 2, 5, 8]]]});
  refused({operands: [[[2, 2, 4, 8]], [[1, 2, 4, 8]], [[1, 2, 4, 8]]]});
  refused({operands: [...square(4), [[3, 4]]]});
  refused({operands: [...square(4), [[4, 9]]]});
  refused({operands: [...square(4), [[4, 4], 'i64']]});
  refused({operands: [...square(4), null, [[2, 2, 3, 8]]]});
  refused({operands: [...square(4), null, [[2, 2, 3, 7]], [[2, 2, 3, 5]]]});
  refused({operands: [...square(4), null, null, null, [[3], 'i64']]});
  refused({operands: square(4), attributes: {left_window_size: -2}});
  refused({operands: square(4), attributes: {qk_matmul_output_mode: 4}});
  refused({operands: square(4), attributes: {softmax_precision: 7}});
});
