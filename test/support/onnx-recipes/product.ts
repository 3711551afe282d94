/** Products of matrices, and layers that are made of them. */
import type {Draft, Draw, Known, Recipe} from '../onnx-draw.js';
import {float, int} from '../onnx-graph.js';
import {text, texts} from './common.js';

const sizes = [1, 2, 3, 4, 5, 8, 16, 17];

/** The other operand: a value that fits, or a weight that keeps sums about as large as x. */
function factor(draw: Draw, shape: readonly number[], inner: number, dtype: Known['tensor']['dtype']): Known {
  const fits = draw.values.filter(({tensor}) => tensor.dtype === dtype && String(tensor.shape) === String(shape));
  if (fits.length > 0 && draw.random.chance(0.5)) return draw.random.pick(fits);
  return draw.weight(shape, -2 / Math.sqrt(inner), 2 / Math.sqrt(inner), dtype);
}

function matmul(draw: Draw): Draft {
  const x = draw.pick({
    dtypes: ['f32', 'f32', 'f32', 'f64', 'f16', 'i32', 'i64', 'u32', 'u64'],
    shape: () => draw.shape(1),
    fits: ({shape}) => shape.length >= 1,
  });
  const {shape, dtype} = x.tensor;
  const inner = shape.at(-1)!;
  const batch = shape.slice(0, -2).map(size => (draw.random.chance(0.3) ? 1 : size));
  const lead = draw.random.pick([[], batch, batch.slice(1), [2, ...batch]]);
  const w = draw.random.chance(0.1) ? [inner] : [...lead, inner, draw.random.pick(sizes)];
  if (draw.random.chance(0.15) && shape.length >= 2) {
    const y = draw.weight([...lead, draw.random.pick(sizes), shape.at(-2)!], -1, 1, dtype);
    return {inputs: [y, x]};
  }
  return {inputs: [x, factor(draw, w, inner, dtype)]};
}

function gemm(draw: Draw): Draft {
  const a = draw.pick({
    dtypes: ['f32', 'f32', 'f64', 'f16'],
    shape: () => draw.shape(2, 2),
    fits: ({shape}) => shape.length === 2,
  });
  const {shape, dtype} = a.tensor;
  const turned = draw.random.chance(0.3);
  const [rows, inner] = turned ? [shape[1]!, shape[0]!] : [shape[0]!, shape[1]!];
  const columns = draw.random.pick(sizes);
  const turnedB = draw.random.chance(0.5);
  const b = factor(draw, turnedB ? [columns, inner] : [inner, columns], inner, dtype);
  const c = draw.random.chance(0.6)
    ? [draw.weight(draw.random.pick([[columns], [1, columns], [rows, 1], [rows, columns], [1], []]), -1, 1, dtype)]
    : [];
  const attributes = [
    ...(turned ? [int('transA', 1)] : []),
    ...(turnedB ? [int('transB', 1)] : []),
    ...(draw.random.chance(0.3) ? [float('alpha', draw.random.pick([0.5, -1, 2]))] : []),
    ...(draw.random.chance(0.3) ? [float('beta', draw.random.pick([0.5, -1, 0]))] : []),
  ];
  // C is optional from operator set 11 on.
  return {inputs: [a, b, ...(c.length === 0 && draw.opset < 11 ? [draw.weight([columns], -1, 1, dtype)] : c)], attributes};
}

/** Equations by the ranks of their operands. */
const equations: readonly string[] = [
  ...['ij->ji', 'ij->i', 'ij->', 'ii->i', 'ii', 'ijk->ikj', '...ij->...ji', 'i...->...', 'bij->b'],
  ...[
    'ij,jk->ik',
    'ij,kj->ik',
    'bij,bjk->bik',
    'bhid,bhjd->bhij',
    'ij,ij->',
    'i,j->ij',
    'i,i',
    '...ij,...jk->...ik',
    'ij,j',
    'abc,cd->abd',
    'bi,bj->bij',
  ],
  ...['ij,jk,kl->il', 'i,ij,j->'],
];

function einsum(draw: Draw): Draft {
  const equation = draw.random.pick(equations);
  const size = new Map<string, number>();
  // As many axes in every operand: onnxruntime 1.30 crashes where they differ.
  const dots = draw.random.pick(['', '*', '*+']);
  const shapes = equation
    .split('->')[0]!
    .split(',')
    .map(term =>
      [...term.replace('...', dots)].map(label => {
        const known = size.get(label) ?? 1 + draw.random.below(5);
        size.set(label, known);
        return known;
      }),
    );
  const inputs = shapes.map(shape =>
    draw.pick({dtypes: ['f32'], shape: () => shape, low: -2, high: 2, fits: tensor => String(tensor.shape) === String(shape)}),
  );
  return {inputs, attributes: [text('equation', equation)]};
}

const activations = {RNN: ['Tanh', 'Relu', 'Sigmoid'], GRU: ['Sigmoid', 'Tanh'], LSTM: ['Sigmoid', 'Tanh', 'Tanh']} as const;
const gates = {RNN: 1, GRU: 3, LSTM: 4} as const;

function recurrent(draw: Draw, op: keyof typeof gates): Draft {
  const x = draw.pick({
    shape: () => [1 + draw.random.below(5), 1 + draw.random.below(3), draw.random.pick(sizes)],
    fits: ({shape}) => shape.length === 3,
  });
  const [steps, batch, width] = x.tensor.shape;
  const hidden = 1 + draw.random.below(6);
  const direction = draw.random.pick(['forward', 'forward', 'reverse', 'bidirectional']);
  const ways = direction === 'bidirectional' ? 2 : 1;
  const rows = gates[op] * hidden;
  const state = (): Known | null => (draw.random.chance(0.4) ? draw.weight([ways, batch!, hidden]) : null);
  const lengths = draw.random.chance(0.2)
    ? draw.numbers(
        'i32',
        [batch!],
        Array.from({length: batch!}, () => 1 + draw.random.below(steps!)),
      )
    : null;
  const inputs = [
    x,
    draw.weight([ways, rows, width!]),
    draw.weight([ways, rows, hidden]),
    draw.random.chance(0.6) ? draw.weight([ways, 2 * rows]) : null,
    lengths,
    state(),
    ...(op === 'LSTM' ? [state(), draw.random.chance(0.3) ? draw.weight([ways, 3 * hidden]) : null] : []),
  ];
  const used = op === 'RNN' ? [draw.random.pick(activations.RNN)] : activations[op];
  const both = ways === 2 ? [...used, ...used] : used;
  const attributes = [
    int('hidden_size', hidden),
    ...(ways === 2 || direction === 'reverse' ? [text('direction', direction)] : []),
    ...(draw.random.chance(0.3) ? [texts('activations', both)] : []),
    ...(op === 'GRU' ? draw.maybe(int('linear_before_reset', draw.random.below(2))) : []),
    ...(draw.random.chance(0.1) ? [float('clip', 0.75)] : []),
  ];
  const outputs =
    op === 'LSTM'
      ? [[true], [true, true], [true, true, true], [false, true], [false, false, true]]
      : [[true], [true, true], [false, true]];
  return {inputs, attributes, outputs: draw.random.pick(outputs)};
}

export const productRecipes: readonly Recipe[] = [
  {op: 'MatMul', draw: matmul},
  {op: 'MatMul', draw: matmul},
  {op: 'Gemm', draw: gemm},
  {op: 'Einsum', opsets: [12, 99], draw: einsum},
  ...(['RNN', 'GRU', 'LSTM'] as const).map((op): Recipe => ({op, draw: draw => recurrent(draw, op)})),
];
