/** ONNX models become modules: shapes are computed, functions inlined, sizes bound, old spellings read; what is not possible is listed. */
import test from 'ava';
import onnxProto, {type onnx} from 'onnx-proto';
import {decodeModel} from '../compiler/onnx/decode.js';
import {type Imported, type ImportOptions, importModel} from '../compiler/onnx/import.js';
import {validateModel} from '../compiler/onnx/validate.js';
import {exact} from '../compiler/pipeline.js';
import {DnncError} from '../ir/diagnostics.js';
import {valueAt} from '../ir/graph.js';
import {numbersOf, tensorFrom} from '../ir/tensor.js';
import type {Module} from '../ir/types.js';
import {runPasses} from '../passes/framework/manager.js';
import {attribute, field, joined, modelBytes, node, refuses, valueInfo} from './support/onnx-bytes.js';
import {randomInputs, referenceOf} from './support/reference.js';
import {randomOf} from './support/tensors.js';

const {AttributeProto, FunctionProto} = onnxProto.onnx;

/** `more`: bytes of further fields of the model. */
type Rest = onnx.IModelProto & {readonly opset?: number; readonly more?: Uint8Array};

function load(
  graph: onnx.IGraphProto,
  {opset = 17, more = new Uint8Array(), ...rest}: Rest = {},
  options: Partial<ImportOptions> = {},
): Imported {
  const bytes = joined(modelBytes({name: 'g', ...graph}, {opsetImport: [{domain: '', version: opset}], ...rest}), more);
  const model = validateModel(decodeModel(bytes, 'm.onnx'), 'm.onnx');
  return importModel(model, {file: 'm.onnx', folder: null, name: 'm', ...options});
}

const ints = (name: string, values: number[]) => attribute(name, {type: 7, ints: values});
const int = (name: string, value: number) => attribute(name, {type: 2, i: value});
const float = (name: string, value: number) => attribute(name, {type: 1, f: value});
const f32 = (name: string, dims: number[], values: number[]): onnx.ITensorProto => ({name, dims, dataType: 1, floatData: values});
const i64 = (name: string, values: number[], dims = [values.length]): onnx.ITensorProto => ({
  name,
  dims,
  dataType: 7,
  int64Data: values,
});
const attrs = (...list: onnx.IAttributeProto[]) => ({attribute: list});

/** Ops of the module after all passes, and the type of each output. */
const opsOf = ({graph}: Module): readonly string[] => graph.nodes.map(({op}) => op);
const shapeOf = ({graph, heads}: Module): readonly (readonly number[])[] =>
  heads.flatMap(({outputs}) => outputs.map(id => valueAt(graph, id).type.shape));

/** The first output on seeded inputs. */
function answer(module: Module): readonly number[] {
  return numbersOf(referenceOf(module, randomInputs(module, randomOf(7))).get(module.heads[0]!.name)![0]!);
}

test('a shape that is computed from a shape is a number', t => {
  const graph = {
    input: [valueInfo('x', ['n', 3, 4, 5])],
    output: [valueInfo('y', ['n', 60])],
    initializer: [i64('zero', [0], []), i64('axes', [0]), i64('rest', [-1])],
    node: [
      node('Shape', ['x'], ['shape']),
      node('Gather', ['shape', 'zero'], ['batch'], attrs(int('axis', 0))),
      node('Unsqueeze', ['batch', 'axes'], ['first']),
      node('Concat', ['first', 'rest'], ['wanted'], attrs(int('axis', 0))),
      node('Reshape', ['x', 'wanted'], ['y']),
    ],
  };
  const {module} = load(graph, {}, {bind: new Map([['n', 2]])});
  t.deepEqual(opsOf(module), ['reshape']);
  t.deepEqual(shapeOf(module), [[2, 60]]);
});

test('symbolic sizes are bound by name, 1 where not named, and reported', t => {
  const graph = {
    input: [valueInfo('x', ['batch', 3, 'side', 'side'])],
    output: [valueInfo('y', ['batch', 3, 'side', 'side'])],
    node: [node('Relu', ['x'], ['y'])],
  };
  const {module, bound} = load(graph, {}, {bind: new Map([['side', 8]])});
  t.deepEqual(module.graph.inputs[0]?.type.shape, [1, 3, 8, 8]);
  t.deepEqual(
    [...bound],
    [
      ['batch', 1],
      ['side', 8],
    ],
  );
  t.deepEqual(load(graph).module.graph.inputs[0]?.type.shape, [1, 3, 1, 1]);
});

test('an initializer that is also an input is a constant', t => {
  const {module} = load({
    input: [valueInfo('x', [2]), valueInfo('w', [2])],
    output: [valueInfo('y', [2])],
    initializer: [f32('w', [2], [3, 4])],
    node: [node('Mul', ['x', 'w'], ['y'])],
  });
  t.deepEqual(
    module.graph.inputs.map(({name}) => name),
    ['x'],
  );
  t.deepEqual(
    module.graph.constants.map(({value}) => value.name),
    ['w'],
  );
});

test('functions are inlined, one in another, with attributes of the call and defaults', t => {
  const scaled = {
    name: 'Scaled',
    domain: 'own',
    input: ['a'],
    output: ['b'],
    attribute: ['alpha'],
    opsetImport: [{domain: '', version: 17}],
    node: [node('LeakyRelu', ['a'], ['b'], attrs({name: 'alpha', type: 1, refAttrName: 'alpha'}))],
  };
  const twice = {
    name: 'Twice',
    domain: 'own',
    input: ['a'],
    output: ['c'],
    opsetImport: [
      {domain: '', version: 17},
      {domain: 'own', version: 1},
    ],
    node: [
      node('Scaled', ['a'], ['b'], {domain: 'own', name: 'inner', attribute: [{name: 'alpha', type: 1, refAttrName: 'alpha'}]}),
      node('Add', ['b', 'b'], ['c'], {name: 'sum'}),
    ],
  };
  const call = (rest: onnx.IAttributeProto[]) =>
    load(
      {
        input: [valueInfo('x', [3])],
        output: [valueInfo('y', [3])],
        node: [node('Twice', ['x'], ['y'], {domain: 'own', name: 'outer', attribute: rest})],
      },
      {
        functions: [scaled],
        // ModelProto.functions, and FunctionProto.attribute_proto, which onnx-proto does not know: a default.
        more: field(
          25,
          joined(FunctionProto.encode(twice).finish(), field(11, AttributeProto.encode(float('alpha', 0.5)).finish())),
        ),
        opsetImport: [
          {domain: '', version: 17},
          {domain: 'own', version: 1},
        ],
      },
    ).module;
  const run = (module: Module) =>
    numbersOf(referenceOf(module, new Map([['x', tensorFrom('f32', [3], [-8, 0, 1])]])).get('m')![0]!);
  t.deepEqual(run(call([])), [-8, 0, 2]);
  t.deepEqual(run(call([float('alpha', 0.25)])), [-4, 0, 2]);
  const {loc} = call([]).graph.nodes[0]!;
  t.deepEqual(
    loc,
    {kind: 'onnx', file: 'm.onnx', node: 'outer/inner/LeakyRelu_0'},
    'the way through the calls is in the location',
  );
});

test('functions that call each other forever are refused', t => {
  const loop = {
    name: 'Loop',
    domain: 'own',
    input: ['a'],
    output: ['b'],
    opsetImport: [{domain: 'own', version: 1}],
    node: [node('Loop', ['a'], ['b'], {domain: 'own'})],
  };
  const graph = {
    input: [valueInfo('x', [3])],
    output: [valueInfo('y', [3])],
    node: [node('Loop', ['x'], ['y'], {domain: 'own'})],
  };
  const opsetImport = [
    {domain: '', version: 17},
    {domain: 'own', version: 1},
  ];
  const error = t.throws(() => load(graph, {functions: [loop], opsetImport}), {instanceOf: DnncError});
  t.is(error?.kind, 'input');
});

test('everything that is not supported is listed at once, and what follows from it is not', t => {
  const graph = {
    input: [valueInfo('x', [2, 3])],
    output: [valueInfo('y', [2, 3])],
    node: [
      node('Unheard', ['x'], ['a'], {name: 'first'}),
      node('Relu', ['a'], ['b'], {name: 'reads first'}),
      node('Unknown', ['x'], ['c'], {name: 'second', domain: 'elsewhere'}),
      node('Add', ['b', 'c'], ['y'], {name: 'reads both'}),
    ],
  };
  const opsetImport = [
    {domain: '', version: 17},
    {domain: 'elsewhere', version: 1},
  ];
  const error = refuses(t, 'unsupported', 'onnx.op', () => load(graph, {opsetImport}));
  t.deepEqual(
    error?.problems.map(({where}) => where),
    ['m.onnx, node "first" (Unheard)', 'm.onnx, node "second" (elsewhere.Unknown)'],
  );
});

test('a shape that depends on the input is refused by name', t => {
  const graph = {
    input: [valueInfo('x', [6]), valueInfo('shape', [2], 7)],
    output: [valueInfo('y', [2, 3])],
    node: [node('Reshape', ['x', 'shape'], ['y'], {name: 'free'})],
  };
  const error = refuses(t, 'unsupported', 'onnx.form', () => load(graph));
  t.regex(error?.message ?? '', /"free".*the shape \(operand 1, "shape"\) depends on the network's input/);
});

test('rules of the op are those of the importer', t => {
  const graph = {
    input: [valueInfo('x', [1, 3, 4, 4])],
    output: [valueInfo('y', [1, 2, 4, 4])],
    initializer: [f32('w', [2, 4, 1, 1], [1, 2, 3, 4, 5, 6, 7, 8])],
    node: [node('Conv', ['x', 'w'], ['y'], {name: 'c'})],
  };
  refuses(t, 'input', 'conv2d.channels', () => load(graph));
});

test('only the outputs that are asked for are kept', t => {
  const graph = {
    input: [valueInfo('x', [2])],
    output: [valueInfo('y', [2]), valueInfo('z', [2])],
    node: [node('Relu', ['x'], ['y']), node('Exp', ['x'], ['z'])],
  };
  t.deepEqual(opsOf(load(graph, {}, {outputs: ['z']}).module), ['exp']);
  refuses(t, 'input', 'onnx.head', () => load(graph, {}, {outputs: ['w']}));
});

test('a product of three batch axes that broadcast in turn is expanded', t => {
  const graph = {
    input: [valueInfo('a', [2, 1, 3, 2, 4]), valueInfo('b', [1, 2, 1, 4, 3])],
    output: [valueInfo('y', [2, 2, 3, 2, 3])],
    node: [node('MatMul', ['a', 'b'], ['y'])],
  };
  const {module} = load(graph);
  t.deepEqual(opsOf(module), ['expand', 'expand', 'matmul']);
  t.deepEqual(shapeOf(module), [[2, 2, 3, 2, 3]]);
});

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
