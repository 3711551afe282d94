/** ONNX models become modules: shapes are computed, functions inlined, sizes bound; what is not possible is listed. */
import test from 'ava';
import onnxProto, {type onnx} from 'onnx-proto';
import {DnncError} from '../ir/diagnostics.js';
import {numbersOf, tensorFrom} from '../ir/tensor.js';
import type {Module} from '../ir/types.js';
import {field, joined, node, refuses, valueInfo} from './support/onnx-bytes.js';
import {attrs, f32, float, i64, int, load, shapeOf} from './support/onnx-graph.js';
import {referenceOf} from './support/reference.js';

const {AttributeProto, FunctionProto} = onnxProto.onnx;

/** Ops of the module after all passes, and the type of each output. */
const opsOf = ({graph}: Module): readonly string[] => graph.nodes.map(({op}) => op);
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

test('an operator in a form that is older, or at a set where it is not yet, is named with the set that has it', t => {
  const graph = (operator: string) => ({
    input: [valueInfo('x', [2])],
    output: [valueInfo('y', [2])],
    node: [node(operator, ['x'], ['y'])],
  });
  for (const [operator, opset, first] of [
    ['Relu', 5, 6],
    ['HardSwish', 13, 14],
  ] as const) {
    const error = refuses(t, 'unsupported', 'onnx.form', () => load(graph(operator), {opset}));
    t.regex(error?.message ?? '', new RegExp(`${operator} is supported from operator set ${first} on; the model has ${opset}`));
  }
  t.deepEqual(opsOf(load(graph('Relu'), {opset: 6}).module), ['relu']);
});
