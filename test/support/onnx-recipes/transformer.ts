/** Attention, and what onnxruntime's optimizer makes of transformers. */
import type {onnx} from 'onnx-proto';
import {elements} from '../../../ir/tensor.js';
import type {Draft, Draw, Known, Recipe} from '../onnx-draw.js';
import {float, int} from '../onnx-graph.js';
import {range, reals} from './common.js';

/** How large an attention is: grouped queries have more heads than keys. */
type Sizes = {
  readonly batch: number;
  readonly heads: number;
  readonly groups: number;
  readonly queries: number;
  readonly keys: number;
  readonly size: number;
  readonly values: number;
};

function sizesOf(draw: Draw, grouped: boolean): Sizes {
  const heads = draw.between(1, 4);
  const [queries, size] = [draw.between(1, 6), draw.random.pick([1, 2, 3, 4, 8])];
  return {
    batch: draw.between(1, 2),
    heads,
    groups: grouped && draw.random.chance(0.4) ? draw.random.pick([1, 2, heads].filter(n => heads % n === 0)) : heads,
    queries,
    keys: draw.random.chance(0.5) ? queries : draw.between(1, 7),
    size,
    values: draw.random.chance(0.7) ? size : draw.between(1, 6),
  };
}

/** An input of the graph, or a value of the model that fits. */
const operand = (draw: Draw, shape: readonly number[]): Known =>
  draw.pick({shape: () => shape, low: -3, high: 3, fits: tensor => String(tensor.shape) === String(shape)});

/** As an input of the graph, or a constant. */
const either = (draw: Draw, value: Known): Known =>
  draw.random.chance(0.5) ? value : {...value, name: draw.name('x'), constant: false};

/** Truth values in rows, of which the first is always true: somebody must be seen. */
const truths = (draw: Draw, shape: readonly number[]): number[] =>
  range(elements(shape)).map(i => (i % shape.at(-1)! === 0 || draw.random.chance(0.6) ? 1 : 0));

function attention(draw: Draw): Draft {
  const {batch, heads, groups, queries, keys, size, values} = sizesOf(draw, true);
  const flat = draw.random.chance(0.5);
  const shape = (count: number, places: number, width: number): readonly number[] =>
    flat ? [batch, places, count * width] : [batch, count, places, width];
  const past = draw.random.chance(0.2) ? draw.between(1, 3) : 0;
  const all = keys + past;
  const lead = draw.random.pick([[], [1, 1], [batch, 1], [batch, heads], [heads].slice(0, heads === 1 ? 1 : 0)]);
  const masked = [...lead, queries, all];
  const mask = draw.random.pick([null, null, draw.weight(masked, -2, 1), draw.numbers('bool', masked, truths(draw, masked))]);
  const caches = past
    ? [draw.weight([batch, groups, past, size]), draw.weight([batch, groups, past, values])].map(value => either(draw, value))
    : [];
  const attributes: onnx.IAttributeProto[] = flat ? [int('q_num_heads', heads), int('kv_num_heads', groups)] : [];
  // With fewer keys than queries, or a mask besides, some query may see nothing; to onnxruntime a single query is the last.
  if (all >= queries && (queries > 1 || keys === 1) && !(mask && mask.tensor.dtype === 'bool'))
    attributes.push(...draw.maybe(int('is_causal', 1)));
  if (draw.random.chance(0.3)) attributes.push(float('scale', 0.5));
  if (draw.random.chance(0.2)) attributes.push(float('softcap', 2));
  const inputs = [
    operand(draw, shape(heads, queries, size)),
    operand(draw, shape(groups, keys, size)),
    operand(draw, shape(groups, keys, values)),
    mask && either(draw, mask),
    ...caches,
  ];
  const outputs = past || draw.random.chance(0.2) ? [true, true, true] : [true];
  const mode = outputs.length > 1 && draw.random.chance(0.3) ? [int('qk_matmul_output_mode', draw.between(0, 3))] : [];
  return {inputs, attributes: [...attributes, ...mode], outputs: mode.length > 0 ? [...outputs, true] : outputs};
}

function rotary(draw: Draw): Draft {
  const [batch, heads, places, half] = [draw.between(1, 2), draw.between(1, 3), draw.between(1, 5), draw.between(1, 4)];
  const part = draw.random.chance(0.3) ? draw.between(1, half) : half;
  const flat = draw.random.chance(0.5);
  const x = operand(draw, flat ? [batch, places, heads * 2 * half] : [batch, heads, places, 2 * half]);
  const byPlace = draw.random.chance(0.5);
  const table = byPlace ? [places + 2, part] : [batch, places, part];
  const ids = draw.numbers(
    'i64',
    [batch, places],
    range(batch * places).map(() => draw.random.below(places + 2)),
  );
  const attributes = [
    ...(flat ? [int('num_heads', heads)] : []),
    ...(part < half ? [int('rotary_embedding_dim', 2 * part)] : []),
    ...draw.maybe(int('interleaved', draw.random.below(2))),
  ];
  return {inputs: [x, draw.weight(table), draw.weight(table), ...(byPlace ? [either(draw, ids)] : [])], attributes};
}

/** Rows with what is added to them, a gain, and perhaps a shift and a bias. */
function skip(draw: Draw, centered: boolean): Draft {
  const x = draw.pick({shape: () => draw.shape(3, 3), fits: ({shape}) => shape.length === 3});
  const width = [x.tensor.shape[2]!];
  const maybe = (): Known | null => (draw.random.chance(0.5) ? draw.weight(width) : null);
  const inputs = [x, operand(draw, x.tensor.shape), draw.weight(width), ...(centered ? [maybe()] : []), maybe()];
  const outputs = draw.random.chance(0.4) ? [true, false, false, true] : [true];
  return {inputs, attributes: draw.random.chance(0.7) ? [float('epsilon', 0.001)] : [], outputs};
}

function fusedProduct(draw: Draw): Draft {
  const x = draw.pick({shape: () => draw.shape(2), fits: ({shape}) => shape.length >= 2});
  const {shape} = x.tensor;
  const [turned, turnedB] = [draw.random.chance(0.4), draw.random.chance(0.4)];
  const inner = shape.at(turned ? -2 : -1)!;
  const columns = draw.random.pick([1, 2, 3, 5, 8, 17]);
  const lead = draw.random.pick([[], shape.slice(0, -2)]);
  const w = draw.weight([...lead, ...(turnedB ? [columns, inner] : [inner, columns])]);
  const flags = [...(turned ? [int('transA', 1)] : []), ...(turnedB ? [int('transB', 1)] : [])];
  return {inputs: [x, w], attributes: [...flags, ...draw.maybe(float('alpha', draw.random.pick([0.5, -1, 2])))]};
}

function packed(draw: Draw): Draft {
  const {batch, heads, queries, size} = sizesOf(draw, false);
  const channels = draw.between(1, 6);
  const width = heads * size;
  const x = operand(draw, [batch, queries, channels]);
  const padded = [batch, queries];
  const mask = draw.random.pick([
    null,
    draw.numbers('i32', padded, truths(draw, padded)),
    draw.numbers(
      'i32',
      [batch],
      range(batch).map(() => draw.between(1, queries)),
    ),
  ]);
  const attributes = [int('num_heads', heads), ...(mask ? [] : draw.maybe(int('unidirectional', 1)))];
  return {inputs: [x, draw.weight([channels, 3 * width]), draw.weight([3 * width]), mask], attributes};
}

function multiHead(draw: Draw): Draft {
  const {batch, heads, queries, keys, size, values} = sizesOf(draw, false);
  const inputs = [
    operand(draw, [batch, queries, heads * size]),
    operand(draw, [batch, keys, heads * size]),
    operand(draw, [batch, keys, heads * values]),
  ];
  const bias = draw.random.chance(0.4) ? draw.weight([heads * (2 * size + values)]) : null;
  const mask = draw.random.chance(0.3) ? draw.numbers('i32', [batch, keys], truths(draw, [batch, keys])) : null;
  const scores = draw.random.chance(0.3) ? draw.weight([batch, heads, queries, keys]) : null;
  return {inputs: [...inputs, bias, mask, scores], attributes: [int('num_heads', heads), ...draw.maybe(float('scale', 0.5))]};
}

const microsoft = (op: string, draw: Recipe['draw']): Recipe => ({op, domain: 'com.microsoft', draw});

const biased = (op: string, needed: boolean): Recipe =>
  microsoft(op, draw => {
    const x = draw.pick({dtypes: ['f32', 'f32', 'f16'], shape: () => draw.shape(1), fits: ({shape}) => shape.length >= 1});
    const bias = needed || draw.random.chance(0.5) ? [draw.weight([x.tensor.shape.at(-1)!], -1, 1, x.tensor.dtype)] : [];
    return {inputs: [x, ...bias]};
  });

export const transformerRecipes: readonly Recipe[] = [
  {op: 'Attention', opsets: [23, 99], draw: attention},
  {op: 'Attention', opsets: [23, 99], draw: attention},
  {op: 'RotaryEmbedding', opsets: [23, 99], draw: rotary},
  microsoft('Attention', packed),
  microsoft('MultiHeadAttention', multiHead),
  microsoft('SkipLayerNormalization', draw => skip(draw, true)),
  microsoft('SkipSimplifiedLayerNormalization', draw => skip(draw, false)),
  microsoft('FusedMatMul', fusedProduct),
  microsoft('Gelu', draw => ({inputs: [draw.pick({dtypes: reals})]})),
  biased('BiasGelu', true),
  biased('FastGelu', false),
  microsoft('QuickGelu', draw => ({inputs: [draw.pick()], attributes: draw.maybe(float('alpha', 1.25))})),
];
