/** Operators of sequence models that are no op of their own: each computes what the plain operators compute that define it. */
import test from 'ava';
import type {onnx} from 'onnx-proto';
import {tensorFrom} from '../ir/tensor.js';
import {node, refuses, text, valueInfo} from './support/onnx-bytes.js';
import {attrs, f32, float, i64, int, ints, load} from './support/onnx-graph.js';
import {differences, randomInputs, referenceOf} from './support/reference.js';
import {randomOf} from './support/tensors.js';

type Sides = {readonly one: onnx.INodeProto[]; readonly other: onnx.INodeProto[]; readonly initializer?: onnx.ITensorProto[]};
type Pair = Sides & {readonly inputs: Readonly<Record<string, number[]>>; readonly opset: number};

function moduleOf({inputs, opset, initializer = []}: Omit<Pair, 'one' | 'other'>, nodes: onnx.INodeProto[]) {
  const input = Object.entries(inputs).map(([name, shape]) => valueInfo(name, shape, name === 'ids' ? 7 : 1));
  return load({input, output: [valueInfo('y', [])], node: nodes, initializer}, {opset}).module;
}

const string = (name: string, value: string): onnx.IAttributeProto => ({name, type: 3, s: text(value)});
const rotary = (operands: string[], ...attributes: onnx.IAttributeProto[]) =>
  node('RotaryEmbedding', operands, ['y'], attrs(...attributes));

/** x [2][3][5][8], cosines and sines [2][5][size / 2]: (a, b) -> (a cos - b sin, a sin + b cos). */
const turn = (a: string, b: string): onnx.INodeProto[] => [
  node('Unsqueeze', ['c', 'one'], ['cc']),
  node('Unsqueeze', ['s', 'one'], ['ss']),
  node('Mul', [a, 'cc'], ['ac']),
  node('Mul', [b, 'ss'], ['bs']),
  node('Mul', [a, 'ss'], ['as']),
  node('Mul', [b, 'cc'], ['bc']),
  node('Sub', ['ac', 'bs'], ['p']),
  node('Add', ['as', 'bc'], ['q']),
];

const pairs: Readonly<Record<string, Pair>> = {
  'halves turn': {
    opset: 23,
    inputs: {x: [2, 3, 5, 8], c: [2, 5, 4], s: [2, 5, 4]},
    initializer: [i64('one', [1])],
    one: [rotary(['x', 'c', 's'])],
    other: [
      node('Split', ['x'], ['a', 'b'], attrs(int('axis', 3), int('num_outputs', 2))),
      ...turn('a', 'b'),
      node('Concat', ['p', 'q'], ['y'], attrs(int('axis', 3))),
    ],
  },
  'neighbours of the first channels turn': {
    opset: 23,
    inputs: {x: [2, 3, 5, 8], c: [2, 5, 2], s: [2, 5, 2]},
    initializer: [
      i64('one', [1]),
      i64('sizes', [4, 4]),
      i64('apart', [2, 3, 5, 2, 2]),
      i64('again', [2, 3, 5, 4]),
      i64('last', [-1]),
    ],
    one: [rotary(['x', 'c', 's'], int('rotary_embedding_dim', 4), int('interleaved', 1))],
    other: [
      node('Split', ['x', 'sizes'], ['front', 'rest'], attrs(int('axis', 3))),
      node('Reshape', ['front', 'apart'], ['pairs']),
      node('Split', ['pairs'], ['a1', 'b1'], attrs(int('axis', 4), int('num_outputs', 2))),
      node('Squeeze', ['a1', 'last'], ['a']),
      node('Squeeze', ['b1', 'last'], ['b']),
      ...turn('a', 'b'),
      node('Unsqueeze', ['p', 'last'], ['p1']),
      node('Unsqueeze', ['q', 'last'], ['q1']),
      node('Concat', ['p1', 'q1'], ['pq'], attrs(int('axis', 4))),
      node('Reshape', ['pq', 'again'], ['turned']),
      node('Concat', ['turned', 'rest'], ['y'], attrs(int('axis', 3))),
    ],
  },
  'three axes, and rows of the tables by number': {
    opset: 23,
    inputs: {x: [2, 5, 24], tc: [9, 4], ts: [9, 4], ids: [2, 5]},
    initializer: [i64('one', [2]), i64('apart', [2, 5, 3, 8]), i64('again', [2, 5, 24])],
    one: [rotary(['x', 'tc', 'ts', 'ids'], int('num_heads', 3))],
    other: [
      node('Gather', ['tc', 'ids'], ['c']),
      node('Gather', ['ts', 'ids'], ['s']),
      node('Reshape', ['x', 'apart'], ['heads']),
      node('Split', ['heads'], ['a', 'b'], attrs(int('axis', 3), int('num_outputs', 2))),
      ...turn('a', 'b'),
      node('Concat', ['p', 'q'], ['pq'], attrs(int('axis', 3))),
      node('Reshape', ['pq', 'again'], ['y']),
    ],
  },
  SwiGLU: {
    opset: 28,
    inputs: {a: [2, 6], b: [2, 6]},
    one: [node('SwiGLU', ['a', 'b'], ['y'], attrs(float('alpha', 1.5)))],
    other: [node('Swish', ['a'], ['s'], attrs(float('alpha', 1.5))), node('Mul', ['s', 'b'], ['y'])],
  },
  'a causal convolution with known weights': {
    opset: 27,
    inputs: {x: [2, 3, 7]},
    initializer: [
      f32(
        'w',
        [3, 1, 4],
        [...Array(12).keys()].map(i => i / 8 - 0.5),
      ),
      f32('b', [3], [1, 2, -3]),
    ],
    one: [node('CausalConvWithState', ['x', 'w', 'b'], ['y'], attrs(string('activation', 'silu')))],
    other: [
      node('Conv', ['x', 'w', 'b'], ['sums'], attrs(int('group', 3), ints('pads', [3, 0]))),
      node('Swish', ['sums'], ['y']),
    ],
  },
  'weights and a state that are given, and the state that comes of it': {
    opset: 27,
    inputs: {x: [2, 3, 2], w: [3, 1, 4], state: [2, 3, 3]},
    initializer: [i64('first', [2]), i64('end', [5]), i64('axis', [2]), i64('one', [3])],
    one: [
      node('CausalConvWithState', ['x', 'w', '', 'state'], ['n', 'next']),
      node('Concat', ['n', 'next'], ['y'], attrs(int('axis', 2))),
    ],
    other: [
      node('Concat', ['state', 'x'], ['all'], attrs(int('axis', 2))),
      node('Slice', ['all', 'first', 'end', 'axis'], ['next']),
      ...[0, 1, 2, 3].flatMap(k => [
        node('Constant', [], [`from${k}`], attrs(ints('value_ints', [k]))),
        node('Constant', [], [`to${k}`], attrs(ints('value_ints', [k + 2]))),
        node('Constant', [], [`until${k}`], attrs(ints('value_ints', [k + 1]))),
        node('Slice', ['all', `from${k}`, `to${k}`, 'axis'], [`x${k}`]),
        node('Slice', ['w', `from${k}`, `until${k}`, 'axis'], [`w${k}`]),
        node('Constant', [], [`shape${k}`], attrs(ints('value_ints', [3, 1]))),
        node('Reshape', [`w${k}`, `shape${k}`], [`v${k}`]),
        node('Mul', [`x${k}`, `v${k}`], [`t${k}`]),
      ]),
      node('Sum', ['t0', 't1', 't2', 't3'], ['n']),
      node('Concat', ['n', 'next'], ['y'], attrs(int('axis', 2))),
    ],
  },
};

for (const [name, pair] of Object.entries(pairs))
  test(name, t => {
    const [one, other] = [moduleOf(pair, pair.one), moduleOf(pair, pair.other)];
    const inputs = new Map(randomInputs(other, randomOf(3)));
    if (inputs.has('ids')) inputs.set('ids', tensorFrom('i64', [2, 5], [0, 1, 2, 3, 4, 8, 0, 7, 7, 5]));
    t.deepEqual(differences(referenceOf(one, inputs), referenceOf(other, inputs), 1e-6), []);
  });

test('what does not fit is refused', t => {
  const refused = (opset: number, inputs: Pair['inputs'], one: onnx.INodeProto): void => {
    refuses(t, 'input', 'onnx.invalid', () => moduleOf({inputs, opset}, [one]));
  };
  const x = {x: [2, 3, 5, 8], c: [2, 5, 4], s: [2, 5, 4]};
  refused(23, {...x, x: [2, 5, 24]}, rotary(['x', 'c', 's']));
  refused(23, {...x, x: [2, 5, 24]}, rotary(['x', 'c', 's'], int('num_heads', 5)));
  refused(23, x, rotary(['x', 'c', 's'], int('rotary_embedding_dim', 3)));
  refused(23, x, rotary(['x', 'c', 's'], int('rotary_embedding_dim', 4)));
  refused(23, {...x, c: [2, 4, 4]}, rotary(['x', 'c', 's']));
  refused(28, {a: [2, 6], b: [6]}, node('SwiGLU', ['a', 'b'], ['y']));
  const conv = {x: [2, 3, 7], w: [3, 1, 4], state: [2, 3, 2]};
  refused(27, conv, node('CausalConvWithState', ['x', 'w', '', 'state'], ['y']));
  refused(27, {...conv, w: [3, 2, 4]}, node('CausalConvWithState', ['x', 'w'], ['y']));
  refused(27, conv, node('CausalConvWithState', ['x', 'w'], ['y'], attrs(string('activation', 'relu'))));
});
