/** Operators whose spelling changed from one operator set to the next: every form computes the same. */
import test from 'ava';
import type {onnx} from 'onnx-proto';
import {exact} from '../compiler/pipeline.js';
import {numbersOf} from '../ir/tensor.js';
import type {Module} from '../ir/types.js';
import {runPasses} from '../passes/framework/manager.js';
import {attribute, node, valueInfo} from './support/onnx-bytes.js';
import {attrs, f32, float, i64, int, ints, load, shapeOf} from './support/onnx-graph.js';
import {randomInputs, referenceOf} from './support/reference.js';
import {randomOf} from './support/tensors.js';

/** The first output on seeded inputs. */
function answer(module: Module): readonly number[] {
  return numbersOf(referenceOf(module, randomInputs(module, randomOf(7))).get(module.heads[0]!.name)![0]!);
}

/** One meaning in two spellings: they compute the same. */
type Form = {readonly opset: number; readonly node: onnx.INodeProto[]; readonly initializer?: onnx.ITensorProto[]};
const forms: readonly (readonly [name: string, shape: number[], ...forms: readonly Form[]])[] = [
  [
    'Squeeze',
    [1, 3, 1],
    {opset: 11, node: [node('Squeeze', ['x'], ['y'], attrs(ints('axes', [0])))]},
    {opset: 13, node: [node('Squeeze', ['x', 'k'], ['y'])], initializer: [i64('k', [-3])]},
  ],
  [
    'Slice',
    [4, 5],
    {opset: 9, node: [node('Slice', ['x'], ['y'], attrs(ints('axes', [1]), ints('starts', [1]), ints('ends', [-1])))]},
    {
      opset: 13,
      node: [node('Slice', ['x', 's', 'e', 'a'], ['y'])],
      initializer: [i64('s', [-4]), i64('e', [4]), i64('a', [-1])],
    },
  ],
  [
    'Clip',
    [7],
    {opset: 6, node: [node('Clip', ['x'], ['y'], attrs(float('min', -1), float('max', 2)))]},
    {opset: 13, node: [node('Clip', ['x', 'l', 'h'], ['y'])], initializer: [f32('l', [], [-1]), f32('h', [], [2])]},
  ],
  [
    'ReduceSum',
    [2, 3, 4],
    {opset: 11, node: [node('ReduceSum', ['x'], ['y'], attrs(ints('axes', [1]), int('keepdims', 0)))]},
    {opset: 13, node: [node('ReduceSum', ['x', 'a'], ['y'], attrs(int('keepdims', 0)))], initializer: [i64('a', [-2])]},
  ],
  [
    'ReduceMean',
    [2, 3, 4],
    {opset: 13, node: [node('ReduceMean', ['x'], ['y'], attrs(ints('axes', [0, -1])))]},
    {opset: 18, node: [node('ReduceMean', ['x', 'a'], ['y'])], initializer: [i64('a', [0, 2])]},
  ],
  ...['Softmax', 'Hardmax'].map((op): [string, number[], Form, Form] => [
    `${op} over all axes from one on that counts from the end`,
    [2, 3, 2, 2],
    {opset: 11, node: [node(op, ['x'], ['y'], attrs(int('axis', -2)))]},
    {opset: 11, node: [node(op, ['x'], ['y'], attrs(int('axis', 2)))]},
  ]),
  [
    'Softmax over all axes but the first',
    [2, 3, 4],
    {opset: 11, node: [node('Softmax', ['x'], ['y'])]},
    {
      opset: 13,
      node: [node('Flatten', ['x'], ['flat']), node('Softmax', ['flat'], ['soft']), node('Reshape', ['soft', 'k'], ['y'])],
      initializer: [i64('k', [2, 3, 4])],
    },
  ],
  [
    'Pad',
    [2, 3],
    {opset: 10, node: [node('Pad', ['x'], ['y'], attrs(ints('pads', [0, 1, 1, 0]), float('value', 2)))]},
    {opset: 13, node: [node('Pad', ['x', 'p', 'v'], ['y'])], initializer: [i64('p', [0, 1, 1, 0]), f32('v', [], [2])]},
  ],
  [
    'Split',
    [6, 2],
    {opset: 11, node: [node('Split', ['x'], ['a', 'y'], attrs(ints('split', [2, 4])))]},
    {opset: 13, node: [node('Split', ['x', 's'], ['a', 'y'])], initializer: [i64('s', [2, 4])]},
  ],
  [
    'Dropout',
    [3],
    {opset: 7, node: [node('Dropout', ['x'], ['y'], attrs(float('ratio', 0.9)))]},
    {opset: 13, node: [node('Dropout', ['x', 'r'], ['y'])], initializer: [f32('r', [], [0.9])]},
  ],
  [
    'BatchNormalization',
    [2, 3, 2],
    ...[7, 9, 15].map(
      (opset): Form => ({
        opset,
        node: [node('BatchNormalization', ['x', 's', 'b', 'm', 'v'], ['y'])],
        initializer: [f32('s', [3], [1, 2, 3]), f32('b', [3], [0, 1, 2]), f32('m', [3], [1, 0, -1]), f32('v', [3], [1, 4, 2])],
      }),
    ),
  ],
  [
    'Unsqueeze',
    [2, 3],
    {opset: 11, node: [node('Unsqueeze', ['x'], ['y'], attrs(ints('axes', [0, 3])))]},
    {opset: 13, node: [node('Unsqueeze', ['x', 'a'], ['y'])], initializer: [i64('a', [-1, 0])]},
  ],
  [
    'Gemm as MatMul and Add',
    [2, 3],
    {
      opset: 13,
      node: [node('Gemm', ['x', 'w', 'c'], ['y'], attrs(int('transB', 1), float('alpha', 2), float('beta', 0.5)))],
      initializer: [f32('w', [2, 3], [1, 2, 3, 4, 5, 6]), f32('c', [2], [2, 4])],
    },
    {
      opset: 13,
      node: [node('MatMul', ['x', 'w'], ['p']), node('Add', ['p', 'c'], ['y'])],
      initializer: [f32('w', [3, 2], [2, 8, 4, 10, 6, 12]), f32('c', [2], [1, 2])],
    },
  ],
  [
    'Conv with SAME_UPPER padding',
    [1, 1, 5, 4],
    {
      opset: 11,
      node: [
        node(
          'Conv',
          ['x', 'w'],
          ['y'],
          attrs(attribute('auto_pad', {type: 3, s: Buffer.from('SAME_UPPER')}), ints('strides', [2, 2])),
        ),
      ],
      initializer: [f32('w', [1, 1, 2, 3], [1, 2, 3, 4, 5, 6])],
    },
    {
      opset: 11,
      node: [node('Conv', ['x', 'w'], ['y'], attrs(ints('pads', [0, 0, 1, 1]), ints('strides', [2, 2])))],
      initializer: [f32('w', [1, 1, 2, 3], [1, 2, 3, 4, 5, 6])],
    },
  ],
];

for (const [name, shape, ...list] of forms)
  test(`one meaning in ${list.length} spellings: ${name}`, t => {
    const modules = list.map(
      ({opset, node: nodes, initializer = []}) =>
        load({input: [valueInfo('x', shape)], output: [valueInfo('y', [])], node: nodes, initializer}, {opset}).module,
    );
    const answers = modules.map(answer);
    for (const other of answers.slice(1)) t.deepEqual(other, answers[0]);
    for (const module of modules) {
      const optimized = answer(runPasses(module, exact));
      optimized.forEach((value, i) => {
        t.true(Math.abs(value - answers[0]![i]!) <= 1e-5 * Math.max(1, Math.abs(value)), `${name}[${i}]`);
      });
    }
    t.deepEqual(new Set(modules.map(module => String(shapeOf(module).at(-1)))).size, 1);
  });
