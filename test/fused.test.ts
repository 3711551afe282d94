/** Operators of com.microsoft that onnxruntime's optimizer writes: each computes what the ONNX operators compute that it stands for. */
import test from 'ava';
import type {onnx} from 'onnx-proto';
import {tensorFrom} from '../ir/tensor.js';
import type {Module} from '../ir/types.js';
import {node, refuses, valueInfo} from './support/onnx-bytes.js';
import {attrs, f32, float, i64, int, ints, load} from './support/onnx-graph.js';
import {differences, randomInputs, referenceOf} from './support/reference.js';
import {randomOf} from './support/tensors.js';

const microsoft = (op: string, inputs: string[], outputs: string[], ...attributes: onnx.IAttributeProto[]) =>
  node(op, inputs, outputs, {domain: 'com.microsoft', attribute: attributes});

/** Two ways to say one thing, `y` being the result; and values of inputs that are not random. */
type Pair = {
  readonly inputs: Readonly<Record<string, number[]>>;
  readonly given?: Readonly<Record<string, number[]>>;
  readonly fused: onnx.INodeProto[];
  readonly plain: onnx.INodeProto[];
  readonly initializer?: onnx.ITensorProto[];
};

const opsetImport = [
  {domain: '', version: 25},
  {domain: 'com.microsoft', version: 1},
];

/** Given values are int32: masks. */
function moduleOf({inputs, given = {}, initializer = []}: Pair, nodes: onnx.INodeProto[]): Module {
  const input = Object.entries(inputs).map(([name, shape]) => valueInfo(name, shape, name in given ? 6 : 1));
  return load({input, output: [valueInfo('y', [])], node: nodes, initializer}, {opsetImport}).module;
}

const heads = {q: [2, 4, 6], k: [2, 5, 6], v: [2, 5, 6]};
const two = attrs(int('q_num_heads', 2), int('kv_num_heads', 2));
const plainAttention = (...extra: onnx.INodeProto[]): onnx.INodeProto[] => [
  ...extra,
  node('Attention', ['q', 'k', 'v', ...(extra.length > 0 ? ['bias'] : [])], ['y'], two),
];
const off = f32('off', [], [-10000]);
const zero = f32('zero', [], [0]);
const positions = {name: 'positions', dims: [5], dataType: 6, int32Data: [0, 1, 2, 3, 4]};

const pairs: Readonly<Record<string, Pair>> = {
  'attention of several heads': {
    inputs: heads,
    fused: [microsoft('MultiHeadAttention', ['q', 'k', 'v'], ['y'], int('num_heads', 2))],
    plain: plainAttention(),
  },
  'a mask of keys': {
    inputs: {...heads, mask: [2, 5]},
    given: {mask: [1, 1, 0, 1, 1, 0, 0, 0, 0, 0]},
    initializer: [off, zero, i64('axes', [1, 2])],
    fused: [microsoft('MultiHeadAttention', ['q', 'k', 'v', '', 'mask'], ['y'], int('num_heads', 2))],
    plain: plainAttention(
      node('Cast', ['mask'], ['truth'], attrs(int('to', 9))),
      node('Where', ['truth', 'zero', 'off'], ['flat']),
      node('Unsqueeze', ['flat', 'axes'], ['bias']),
    ),
  },
  'a number of keys, and a bias of the scores': {
    inputs: {...heads, mask: [2], relative: [1, 2, 4, 5]},
    given: {mask: [5, 2]},
    initializer: [off, zero, positions, i64('axes', [1, 2, 3])],
    fused: [microsoft('MultiHeadAttention', ['q', 'k', 'v', '', 'mask', 'relative'], ['y'], int('num_heads', 2))],
    plain: plainAttention(
      node('Unsqueeze', ['mask', 'axes'], ['counts']),
      node('Less', ['positions', 'counts'], ['truth']),
      node('Where', ['truth', 'zero', 'off'], ['padding']),
      node('Add', ['padding', 'relative'], ['bias']),
    ),
  },
  'keys and values in one operand': {
    inputs: {q: [2, 4, 6], kv: [2, 5, 2, 2, 3]},
    initializer: [i64('shape', [2, 5, 6])],
    fused: [microsoft('MultiHeadAttention', ['q', 'kv'], ['y'], int('num_heads', 2))],
    plain: [
      node('Split', ['kv'], ['kk', 'vv'], attrs(int('axis', 3), int('num_outputs', 2))),
      node('Reshape', ['kk', 'shape'], ['k']),
      node('Reshape', ['vv', 'shape'], ['v']),
      ...plainAttention(),
    ],
  },
  'attention with its own weights, causal': {
    inputs: {x: [2, 4, 7], w: [7, 18], b: [18]},
    fused: [microsoft('Attention', ['x', 'w', 'b'], ['y'], int('num_heads', 2), int('unidirectional', 1))],
    plain: [
      node('MatMul', ['x', 'w'], ['xw']),
      node('Add', ['xw', 'b'], ['all']),
      node('Split', ['all'], ['q', 'k', 'v'], attrs(int('axis', 2), int('num_outputs', 3))),
      node('Attention', ['q', 'k', 'v'], ['y'], attrs(int('q_num_heads', 2), int('kv_num_heads', 2), int('is_causal', 1))),
    ],
  },
  'parts of different sizes': {
    inputs: {x: [2, 4, 7], w: [7, 16], b: [16]},
    initializer: [i64('sizes', [6, 6, 4])],
    fused: [microsoft('Attention', ['x', 'w', 'b'], ['y'], int('num_heads', 2), ints('qkv_hidden_sizes', [6, 6, 4]))],
    plain: [
      node('MatMul', ['x', 'w'], ['xw']),
      node('Add', ['xw', 'b'], ['all']),
      node('Split', ['all', 'sizes'], ['q', 'k', 'v'], attrs(int('axis', 2))),
      ...plainAttention(),
    ],
  },
  'a sum and its normalization': {
    inputs: {x: [2, 4, 6], s: [4, 6], g: [6], h: [6], b: [6]},
    fused: [microsoft('SkipLayerNormalization', ['x', 's', 'g', 'h', 'b'], ['y'], float('epsilon', 0.01))],
    plain: [
      node('Sum', ['x', 's', 'b'], ['sum']),
      node('LayerNormalization', ['sum', 'g', 'h'], ['y'], attrs(float('epsilon', 0.01))),
    ],
  },
  'a sum and its root mean square': {
    inputs: {x: [2, 6], s: [2, 6], g: [6]},
    fused: [
      microsoft('SkipSimplifiedLayerNormalization', ['x', 's', 'g'], ['n', '', '', 'sum']),
      node('Add', ['n', 'sum'], ['y']),
    ],
    plain: [
      node('Add', ['x', 's'], ['sum']),
      node('RMSNormalization', ['sum', 'g'], ['n'], attrs(float('epsilon', 1e-12))),
      node('Add', ['n', 'sum'], ['y']),
    ],
  },
  BiasGelu: {
    inputs: {x: [2, 6], b: [6]},
    fused: [microsoft('BiasGelu', ['x', 'b'], ['y'])],
    plain: [node('Add', ['x', 'b'], ['sum']), node('Gelu', ['sum'], ['y'])],
  },
  FastGelu: {
    inputs: {x: [2, 6]},
    fused: [microsoft('FastGelu', ['x'], ['y'])],
    plain: [node('Gelu', ['x'], ['y'], attrs({name: 'approximate', type: 3, s: new TextEncoder().encode('tanh')}))],
  },
  QuickGelu: {
    inputs: {x: [2, 6]},
    fused: [microsoft('QuickGelu', ['x'], ['y'])],
    plain: [node('Swish', ['x'], ['y'], attrs(float('alpha', 1.702)))],
  },
  'a product turned and scaled': {
    inputs: {a: [3, 5, 4], b: [3, 6, 5]},
    initializer: [f32('half', [], [0.5])],
    fused: [microsoft('FusedMatMul', ['a', 'b'], ['y'], int('transA', 1), int('transB', 1), float('alpha', 0.5))],
    plain: [
      node('Transpose', ['a'], ['at'], attrs(ints('perm', [0, 2, 1]))),
      node('Transpose', ['b'], ['bt'], attrs(ints('perm', [0, 2, 1]))),
      node('MatMul', ['at', 'bt'], ['ab']),
      node('Mul', ['ab', 'half'], ['y']),
    ],
  },
};

for (const [name, pair] of Object.entries(pairs))
  test(name, t => {
    const [fused, plain] = [moduleOf(pair, pair.fused), moduleOf(pair, pair.plain)];
    const inputs = new Map(randomInputs(fused, randomOf(5)));
    for (const [input, values] of Object.entries(pair.given ?? {}))
      inputs.set(input, tensorFrom('i32', pair.inputs[input]!, values));
    t.deepEqual(differences(referenceOf(fused, inputs), referenceOf(plain, inputs), 1e-6), []);
  });

test('forms that only decoders have, and operands that do not fit, are refused', t => {
  const refused = (kind: 'input' | 'unsupported', inputs: Pair['inputs'], fused: onnx.INodeProto): void => {
    refuses(t, kind, kind === 'input' ? 'onnx.invalid' : 'onnx.form', () => moduleOf({inputs, fused: [], plain: []}, [fused]));
  };
  const mha = (operands: string[], ...more: onnx.IAttributeProto[]) =>
    microsoft('MultiHeadAttention', operands, ['y'], int('num_heads', 2), ...more);
  refused('unsupported', {...heads, mask: [8]}, mha(['q', 'k', 'v', '', 'mask']));
  refused('unsupported', {...heads, past: [1]}, mha(['q', 'k', 'v', '', '', '', '', '', 'past']));
  refused('input', heads, mha(['q', 'k']));
  refused('input', {...heads, b: [17]}, mha(['q', 'k', 'v', 'b']));
  const own = {x: [2, 4, 7], w: [7, 18], past: [2, 2, 2, 3, 3]};
  refused('unsupported', own, microsoft('Attention', ['x', 'w', '', '', 'past'], ['y'], int('num_heads', 2)));
  refused('unsupported', own, microsoft('Attention', ['x', 'w'], ['y'], int('num_heads', 2), int('do_rotary', 1)));
  refused('input', own, microsoft('Attention', ['x', 'w'], ['y'], int('num_heads', 4)));
  refused('input', {x: [2, 6], s: [3, 1, 6], g: [6]}, microsoft('SkipLayerNormalization', ['x', 's', 'g'], ['y']));
  refused('input', {x: [2, 6], s: [2, 6], g: [5]}, microsoft('SkipLayerNormalization', ['x', 's', 'g'], ['y']));
  refused('unsupported', {a: [2, 3, 3]}, microsoft('FusedMatMul', ['a', 'a'], ['y'], int('transBatchA', 1)));
});
