/** What exporters write for well-known blocks, and the steps that are left of it: activations are epilogues, and nothing is copied twice. */
import test from 'ava';
import type {onnx} from 'onnx-proto';
import {lower} from '../compiler/lower/lower.js';
import {exact} from '../compiler/pipeline.js';
import {print as printModule} from '../ir/print.js';
import type {Module} from '../ir/types.js';
import {runPasses} from '../passes/framework/manager.js';
import {node, valueInfo} from './support/onnx-bytes.js';
import {attrs, f32, i64, int, ints, load} from './support/onnx-graph.js';
import {randomOf} from './support/tensors.js';

const random = randomOf(1);
const weights = (name: string, dims: number[]): onnx.ITensorProto =>
  f32(
    name,
    dims,
    Array.from({length: dims.reduce((n, d) => n * d, 1)}, () => random.unit() - 0.5),
  );
const number = (name: string, value: number): onnx.ITensorProto => f32(name, [], [value]);

function moduleOf(shape: number[], nodes: onnx.INodeProto[], initializer: onnx.ITensorProto[], opset = 17): Module {
  return load({input: [valueInfo('x', shape)], output: [valueInfo('y', [])], node: nodes, initializer}, {opset}).module;
}

/** A kernel by name, `loop` for element-wise work, `copy` for moves. Zero borders are not counted. */
function stepsOf(module: Module): readonly string[] {
  const {steps} = lower(runPasses(module, exact)).entries[0]!;
  return steps.flatMap(({work}) => {
    if (work.kind === 'kernel') return [work.contract];
    return work.kind === 'loop' ? [work.expression.kind === 'arg' ? 'copy' : 'loop'] : [];
  });
}
const withoutCopies = (module: Module): readonly string[] => stepsOf(module).filter(step => step !== 'copy');

const half = number('half', 0.5);
const one = number('one', 1);
const activations: Readonly<Record<string, {nodes: onnx.INodeProto[]; initializer: onnx.ITensorProto[]}>> = {
  'GELU by erf': {
    nodes: [
      node('Div', ['h', 'root'], ['a']),
      node('Erf', ['a'], ['b']),
      node('Add', ['b', 'one'], ['c']),
      node('Mul', ['h', 'c'], ['d']),
      node('Mul', ['d', 'half'], ['y']),
    ],
    initializer: [number('root', Math.SQRT2), one, half],
  },
  'GELU by tanh, with a cube': {
    nodes: [
      node('Pow', ['h', 'three'], ['a']),
      node('Mul', ['a', 'k'], ['b']),
      node('Add', ['h', 'b'], ['c']),
      node('Mul', ['c', 'r'], ['d']),
      node('Tanh', ['d'], ['e']),
      node('Add', ['e', 'one'], ['f']),
      node('Mul', ['h', 'half'], ['g']),
      node('Mul', ['g', 'f'], ['y']),
    ],
    initializer: [number('three', 3), number('k', 0.044715), number('r', Math.sqrt(2 / Math.PI)), one, half],
  },
  'hard swish by a clip': {
    nodes: [
      node('Add', ['h', 'three'], ['a']),
      node('Clip', ['a', 'low', 'six'], ['b']),
      node('Mul', ['h', 'b'], ['c']),
      node('Div', ['c', 'six'], ['y']),
    ],
    initializer: [number('three', 3), number('low', 0), number('six', 6)],
  },
  swish: {nodes: [node('Sigmoid', ['h'], ['a']), node('Mul', ['h', 'a'], ['y'])], initializer: []},
};

for (const [name, {nodes, initializer}] of Object.entries(activations))
  test(`${name} is one step with the layer before it`, t => {
    const layer = [node('MatMul', ['x', 'w'], ['xw']), node('Add', ['xw', 'bias'], ['h'])];
    const module = moduleOf([5, 16], [...layer, ...nodes], [weights('w', [16, 32]), weights('bias', [32]), ...initializer]);
    t.deepEqual(stepsOf(module), ['conv2d_f32'], printModule(runPasses(module, exact)));
  });

/** Queries, keys and values of 2 heads out of one layer, the scores made by `scores` of q and kt. */
function attention(scores: onnx.INodeProto[], initializer: onnx.ITensorProto[]): Module {
  const nodes = [
    node('MatMul', ['x', 'w'], ['xw']),
    node('Reshape', ['xw', 'apart'], ['parts']),
    node('Transpose', ['parts'], ['turned'], attrs(ints('perm', [2, 0, 3, 1, 4]))),
    node('Split', ['turned'], ['q1', 'k1', 'v1'], attrs(int('axis', 0))),
    ...['q', 'k', 'v'].map(part => node('Squeeze', [`${part}1`, 'first'], [part])),
    node('Transpose', ['k'], ['kt'], attrs(ints('perm', [0, 1, 3, 2]))),
    ...scores,
    node('Softmax', ['scores'], ['p'], attrs(int('axis', -1))),
    node('MatMul', ['p', 'v'], ['heads']),
    node('Transpose', ['heads'], ['back'], attrs(ints('perm', [0, 2, 1, 3]))),
    node('Reshape', ['back', 'whole'], ['joined']),
    node('MatMul', ['joined', 'o'], ['y']),
  ];
  const shapes = [i64('apart', [1, 6, 3, 2, 8]), i64('whole', [1, 6, 16]), i64('first', [0])];
  return moduleOf([1, 6, 16], nodes, [weights('w', [16, 48]), weights('o', [16, 16]), ...shapes, ...initializer]);
}

const scale = number('scale', 8 ** -0.5);
const forms: Readonly<Record<string, Module>> = {
  'scaled after the product': attention([node('MatMul', ['q', 'kt'], ['qk']), node('Mul', ['qk', 'scale'], ['scores'])], [scale]),
  'divided, and masked': attention(
    [node('MatMul', ['q', 'kt'], ['qk']), node('Div', ['qk', 'root'], ['scaled']), node('Add', ['scaled', 'mask'], ['scores'])],
    [number('root', 8 ** 0.5), weights('mask', [1, 1, 6, 6])],
  ),
  'relative positions by head': attention(
    [node('MatMul', ['q', 'kt'], ['qk']), node('Mul', ['qk', 'scale'], ['scaled']), node('Add', ['scaled', 'bias'], ['scores'])],
    [scale, weights('bias', [2, 6, 6])],
  ),
};

for (const [name, module] of Object.entries(forms))
  test(`attention, ${name}: two products and a softmax`, t => {
    t.deepEqual(withoutCopies(module), ['conv2d_f32', 'matmul_f32', 'softmax_f32', 'matmul_f32', 'conv2d_f32']);
    // Queries, keys, values and the heads of the result change their order in memory; the scores do not.
    t.is(stepsOf(module).filter(step => step === 'copy').length, 4);
  });

test('queries scaled before the product are scaled while they are moved', t => {
  const module = attention([node('Mul', ['q', 'scale'], ['qs']), node('MatMul', ['qs', 'kt'], ['scores'])], [scale]);
  t.deepEqual(withoutCopies(module), ['conv2d_f32', 'loop', 'matmul_f32', 'softmax_f32', 'matmul_f32', 'conv2d_f32']);
  t.is(stepsOf(module).filter(step => step === 'copy').length, 3);
});

test('shuffled channels move once, into the border of the next convolution', t => {
  const module = moduleOf(
    [1, 8, 4, 5],
    [
      node('Conv', ['x', 'v'], ['a'], attrs(int('group', 2))),
      node('Reshape', ['a', 'apart'], ['b']),
      node('Transpose', ['b'], ['c'], attrs(ints('perm', [0, 2, 1, 3, 4]))),
      node('Reshape', ['c', 'whole'], ['d']),
      node('Conv', ['d', 'w'], ['e'], attrs(int('group', 8), ints('pads', [1, 1, 1, 1]))),
      node('GlobalAveragePool', ['e'], ['y']),
    ],
    [weights('v', [8, 4, 1, 1]), weights('w', [8, 1, 3, 3]), i64('apart', [1, 2, 4, 4, 5]), i64('whole', [1, 8, 4, 5])],
  );
  t.deepEqual(stepsOf(module), ['copy', 'conv2d_f32', 'copy', 'depthwise_f32', 'avgpool_f32', 'copy']);
});

test('a shuffle and a split: each half is a part of one copy', t => {
  const module = moduleOf(
    [1, 8, 4, 5],
    [
      node('Conv', ['x', 'v'], ['a']),
      node('Reshape', ['a', 'apart'], ['b']),
      node('Transpose', ['b'], ['c'], attrs(ints('perm', [0, 2, 1, 3, 4]))),
      node('Reshape', ['c', 'whole'], ['d']),
      node('Split', ['d'], ['left', 'right'], attrs(int('axis', 1))),
      node('Conv', ['left', 'w'], ['e']),
      node('Conv', ['right', 'w'], ['f']),
      node('Add', ['e', 'f'], ['g']),
      node('GlobalAveragePool', ['g'], ['y']),
    ],
    [weights('v', [8, 8, 1, 1]), weights('w', [4, 4, 1, 1]), i64('apart', [1, 2, 4, 4, 5]), i64('whole', [1, 8, 4, 5])],
  );
  t.deepEqual(stepsOf(module), ['copy', 'conv2d_f32', 'copy', 'conv2d_f32', 'conv2d_f32', 'avgpool_f32', 'copy']);
});

test('squeeze and excite: one step scales the image', t => {
  const module = moduleOf(
    [1, 4, 4, 5],
    [
      node('Conv', ['x', 'v'], ['a']),
      node('Sigmoid', ['a'], ['b']),
      node('Mul', ['a', 'b'], ['c']),
      node('GlobalAveragePool', ['c'], ['d']),
      node('Conv', ['d', 'r'], ['e']),
      node('Relu', ['e'], ['f']),
      node('Conv', ['f', 's'], ['g']),
      node('HardSigmoid', ['g'], ['h']),
      node('Mul', ['c', 'h'], ['i']),
      node('Conv', ['i', 'w'], ['j']),
      node('GlobalAveragePool', ['j'], ['y']),
    ],
    [weights('v', [8, 4, 1, 1]), weights('r', [2, 8, 1, 1]), weights('s', [8, 2, 1, 1]), weights('w', [4, 8, 1, 1])],
  );
  const convolutions = ['conv2d_f32', 'avgpool_f32', 'conv2d_f32', 'conv2d_f32'];
  t.deepEqual(withoutCopies(module), [...convolutions, 'loop', 'conv2d_f32', 'avgpool_f32']);
});

test('layer normalization below operator set 17, and group normalization by reshapes, are one step', t => {
  const square = [node('Pow', ['c', 'two'], ['p']), node('ReduceMean', ['p'], ['v'], attrs(ints('axes', [-1])))];
  const layer = moduleOf(
    [5, 16],
    [
      node('ReduceMean', ['x'], ['m'], attrs(ints('axes', [-1]))),
      node('Sub', ['x', 'm'], ['c']),
      ...square,
      node('Add', ['v', 'e'], ['ve']),
      node('Sqrt', ['ve'], ['d']),
      node('Div', ['c', 'd'], ['n']),
      node('Mul', ['n', 'g'], ['s']),
      node('Add', ['s', 'b'], ['y']),
    ],
    [number('two', 2), number('e', 1e-5), weights('g', [16]), weights('b', [16])],
    13,
  );
  t.deepEqual(stepsOf(layer), ['layernorm_f32']);
  const groups = moduleOf(
    [1, 4, 4, 5],
    [
      node('Conv', ['x', 'w'], ['a']),
      node('Reshape', ['a', 'apart'], ['r']),
      node('InstanceNormalization', ['r', 'ones', 'zeros'], ['i']),
      node('Reshape', ['i', 'whole'], ['n']),
      node('Mul', ['n', 'g'], ['s']),
      node('Add', ['s', 'b'], ['t']),
      node('GlobalAveragePool', ['t'], ['y']),
    ],
    [
      ...[weights('w', [8, 4, 1, 1]), weights('g', [8, 1, 1]), weights('b', [8, 1, 1]), i64('apart', [0, 2, -1])],
      ...[i64('whole', [1, 8, 4, 5]), f32('ones', [2], [1, 1]), f32('zeros', [2], [0, 0])],
    ],
  );
  t.deepEqual(stepsOf(groups), ['copy', 'conv2d_f32', 'groupnorm_f32', 'avgpool_f32', 'copy']);
});
