/** ONNX bytes become a plain model; its names and order are checked. */
import {existsSync, readdirSync, readFileSync} from 'node:fs';
import {dirname, join} from 'node:path';
import {fileURLToPath} from 'node:url';
import test from 'ava';
import Long from 'long';
import type {onnx} from 'onnx-proto';
import {decodeModel} from '../compiler/onnx/decode.js';
import {tensorOfProto} from '../compiler/onnx/tensors.js';
import {validateModel} from '../compiler/onnx/validate.js';
import {attribute, field, joined, modelBytes, node, refuses, smallGraph, text, valueInfo, varint} from './support/onnx-bytes.js';

const decode = (bytes: Uint8Array) => decodeModel(bytes, 'm.onnx');

test('a model is decoded into plain data', t => {
  const {graph, ...model} = decode(modelBytes(smallGraph(), {metadataProps: [{key: 'labels', value: 'a,b'}]}));
  t.like(model, {irVersion: 8, producer: 'test 1', functions: [], hasTraining: false});
  t.deepEqual([...model.opsets], [['', 17]]);
  t.deepEqual([...model.metadata], [['labels', 'a,b']]);
  t.deepEqual(graph.inputs, [{name: 'x', kind: 'tensor', elemType: 1, shape: ['batch', 3]}]);
  t.deepEqual(
    graph.initializers.map(({name, dims}) => [name, dims]),
    [
      ['w', [3, 2]],
      ['axes', [2]],
    ],
  );
  const [product, relu] = graph.nodes;
  t.like(product, {name: 'product', opType: 'MatMul', domain: '', inputs: ['x', 'w'], outputs: ['h']});
  t.deepEqual(relu?.attributes.get('alpha'), {kind: 'float', value: 0.5});
  t.deepEqual(relu?.attributes.get('axis'), {kind: 'int', value: -1});
  t.deepEqual(relu?.attributes.get('mode'), {kind: 'string', value: 'same'});
  t.deepEqual(relu?.attributes.get('pads'), {kind: 'ints', value: [0, -1, 2]});
  t.deepEqual(relu?.attributes.get('scales'), {kind: 'floats', value: [1, 2.5]});
  t.like(relu?.attributes.get('value'), {kind: 'tensor', value: {dataType: 1, dims: [1]}});
});

test('weights are views of the file', t => {
  const bytes = modelBytes();
  const raw = decode(bytes).graph.initializers[0]?.raw;
  t.is(raw?.buffer, bytes.buffer);
  t.false(Buffer.isBuffer(decodeModel(Buffer.from(bytes), 'm').graph.initializers[0]?.raw), 'a slice of a Buffer is no copy');
});

test('shapes may be symbolic, unnamed, unknown or of no tensor', t => {
  const odd: onnx.IValueInfoProto[] = [
    valueInfo('a', [null, -1, 'n', 0]),
    {name: 'b', type: {tensorType: {elemType: 7}}},
    {name: 'c'},
    {name: 'd', type: {sequenceType: {elemType: {tensorType: {elemType: 1}}}}},
    {name: 'e', type: {optionalType: {elemType: {tensorType: {elemType: 1}}}}},
  ];
  const {inputs} = decode(modelBytes({...smallGraph(), input: odd})).graph;
  t.deepEqual(
    inputs.map(({kind, elemType, shape}) => [kind, elemType, shape]),
    [
      ['tensor', 1, [null, null, 'n', 0]],
      ['tensor', 7, null],
      ['untyped', null, null],
      ['sequence', null, null],
      ['optional', null, null],
    ],
  );
});

test('integers beyond 2^53 saturate and keep their sign', t => {
  const extremes = ['9223372036854775807', '-9223372036854775808'].map(value => Long.fromString(value));
  const graph = {
    ...smallGraph(),
    node: [node('Slice', ['x'], ['y'], {attribute: [attribute('ends', {type: 7, ints: extremes})]})],
  };
  t.deepEqual(decode(modelBytes(graph)).graph.nodes[0]?.attributes.get('ends'), {kind: 'ints', value: [2 ** 63, -(2 ** 63)]});
});

test('attributes of a file that does not say their types, and references', t => {
  const untyped = [
    attribute('axis', {i: 3}),
    attribute('perm', {ints: [1, 0]}),
    attribute('alpha', {type: 1, refAttrName: 'slope'}),
  ];
  const {attributes} = decode(modelBytes({...smallGraph(), node: [node('X', ['x'], ['y'], {attribute: untyped})]})).graph
    .nodes[0]!;
  t.deepEqual(
    [...attributes.values()],
    [
      {kind: 'int', value: 3},
      {kind: 'ints', value: [1, 0]},
      {kind: 'ref', name: 'slope'},
    ],
  );
});

test('functions, with the defaults and overloads that onnx-proto does not know', t => {
  const defaults = joined(field(1, text('alpha')), Uint8Array.of(0x15, 0, 0, 0, 0x3f), varint(20, 1));
  const fn = joined(
    field(1, text('Leaky')),
    field(4, text('a')),
    field(5, text('b')),
    field(6, text('beta')),
    field(7, joined(field(1, text('a')), field(2, text('b')), field(4, text('LeakyRelu')))),
    field(9, varint(2, 17)),
    field(10, text('my.ops')),
    field(11, defaults),
    field(13, text('v2')),
  );
  const [decoded] = decode(joined(modelBytes(), field(25, fn))).functions;
  t.like(decoded, {name: 'Leaky', domain: 'my.ops', overload: 'v2', inputs: ['a'], outputs: ['b'], attributes: ['beta']});
  t.deepEqual([...(decoded?.defaults ?? [])], [['alpha', {kind: 'float', value: 0.5}]]);
  t.deepEqual([...(decoded?.opsets ?? [])], [['', 17]]);
});

test('what is not ONNX is called by its name', t => {
  const says = (bytes: Uint8Array | string) =>
    refuses(t, 'input', 'onnx.format', () => decode(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes))?.message ??
    '';
  t.regex(says('version https://git-lfs.github.com/spec/v1\noid sha256:00'), /git lfs pull/);
  t.regex(says('<!DOCTYPE html><html></html>'), /web page/);
  t.regex(says('just some text\n'), /this is text/);
  t.regex(says('PK\x03\x04\x14\x00'), /zip/);
  t.regex(says('\x1f\x8b\x08\x00'), /gzip/);
  t.regex(says('\x1c\x00\x00\x00TFL3\x00\x00'), /Lite/);
  t.regex(says('\x93NUMPY\x01\x00'), /NumPy/);
  t.regex(says(new Uint8Array(100)), /zero bytes/);
  t.regex(says(Uint8Array.from({length: 4096}, (_, i) => (i * 197 + 31) % 256)), /not an ONNX model/);
  refuses(t, 'input', 'onnx.empty', () => decode(new Uint8Array(0)));
});

test('damaged and hostile models are refused', t => {
  const bytes = modelBytes();
  const error = refuses(t, 'input', 'onnx.truncated', () => decode(bytes.subarray(0, bytes.length - 9)));
  t.regex(error?.message ?? '', /m\.onnx, byte \d+/);
  refuses(t, 'input', 'onnx.no-graph', () => decode(modelBytes(null)));
  refuses(t, 'input', 'onnx.malformed', () => decode(joined(modelBytes(), field(7, new Uint8Array(0)))));
  refuses(t, 'input', 'onnx.malformed', () => decode(joined(varint(1, 8), varint(7, 1))));
  // a hundred graphs in a hundred If nodes
  let nested = field(2, text('innermost'));
  for (let i = 0; i < 100; i++) nested = field(1, field(5, joined(field(1, text('b')), field(6, nested))));
  refuses(t, 'input', 'onnx.nesting', () => decode(joined(varint(1, 8), field(7, nested))));
  // two bytes a node
  refuses(t, 'input', 'onnx.count', () =>
    decode(
      joined(
        varint(1, 8),
        field(
          7,
          new Uint8Array(500_000).map((_, i) => (i % 2 ? 0 : 10)),
        ),
      ),
    ),
  );
  // a sequence of sequences of ...
  let type: Uint8Array = new Uint8Array(0);
  for (let i = 0; i < 4000; i++) type = field(4, field(1, type));
  const info = field(11, joined(field(1, text('x')), field(2, type)));
  const deep = joined(varint(1, 8), field(7, info), field(8, varint(2, 17)));
  // Whether the stack takes it depends on the machine; nothing else may happen than these two.
  try {
    t.is(decode(deep).graph.inputs[0]?.kind, 'sequence');
  } catch {
    refuses(t, 'input', 'onnx.malformed', () => decode(deep));
  }
});

test('versions out of range are unsupported, and named', t => {
  for (const irVersion of [2, 15]) refuses(t, 'unsupported', 'onnx.ir-version', () => decode(modelBytes(undefined, {irVersion})));
  for (const version of [0, 29]) {
    const error = refuses(t, 'unsupported', 'onnx.opset', () =>
      decode(modelBytes(undefined, {opsetImport: [{domain: '', version}]})),
    );
    t.regex(error?.message ?? '', new RegExp(`${version} is not between 1 and 28`));
  }
  const other = {opsetImport: [{domain: 'my.ops', version: 1}]};
  refuses(t, 'input', 'onnx.no-opset', () => decode(modelBytes({node: [node('Relu', ['x'], ['y'])]}, other)));
  t.is(decode(modelBytes({node: [{...node('Mine', ['x'], ['y']), domain: 'my.ops'}]}, other)).opsets.get(''), undefined);
  const both = [
    {domain: '', version: 13},
    {domain: 'ai.onnx', version: 14},
  ];
  refuses(t, 'input', 'onnx.malformed', () => decode(modelBytes(undefined, {opsetImport: both})));
});

const validate = (graph: onnx.IGraphProto, rest: onnx.IModelProto = {}) =>
  validateModel(decode(modelBytes(graph, rest)), 'm.onnx');

test('nodes are named and put in order; what is in order stays', t => {
  const graph = smallGraph();
  t.deepEqual(
    validate(graph).graph.nodes.map(({name}) => name),
    ['product', 'Relu_1'],
  );
  t.deepEqual(
    validate({...graph, node: [...(graph.node ?? [])].reverse()}).graph.nodes.map(({name}) => name),
    ['product', 'Relu_0'],
  );
});

test('broken names are listed together', t => {
  const broken = (nodes: onnx.INodeProto[], code: string, rest: onnx.IGraphProto = {}) =>
    refuses(t, 'input', code, () => validate({...smallGraph(), node: nodes, ...rest}));
  broken([node('Relu', ['x'], ['y']), node('Relu', ['x'], ['y'])], 'onnx.duplicate-name');
  broken([node('Relu', ['x'], ['w']), node('Relu', ['x'], ['y'])], 'onnx.duplicate-name');
  t.is(broken([node('Add', ['p', 'q'], ['y'])], 'onnx.undefined-name')?.problems.length, 2);
  broken([node('Relu', ['x'], ['z'])], 'onnx.undefined-name');
  broken([node('Relu', ['x'], [''])], 'onnx.no-outputs');
  broken([node('Relu', ['x'], ['y'])], 'onnx.no-outputs', {output: []});
  broken([node('', ['x'], ['y'])], 'onnx.no-op-type');
  broken([node('Relu', ['x'], ['y'])], 'onnx.empty-name', {input: [valueInfo('', [1])]});
  const ring = broken(
    [node('Add', ['x', 'b'], ['a']), node('Relu', ['a'], ['b'], {name: 'r'}), node('Relu', ['b'], ['y'])],
    'onnx.cycle',
  );
  t.regex(ring?.message ?? '', /"Add_0" reads "r" reads "Add_0"/);
});

test('a subgraph reads the graph around it, which orders the nodes', t => {
  const branch = {name: 'then', output: [valueInfo('o', [1])], node: [node('Relu', ['late'], ['o'])]};
  const nodes = [
    node('If', ['x'], ['y'], {name: 'if', attribute: [attribute('then_branch', {type: 5, g: branch})]}),
    node('Relu', ['x'], ['late'], {name: 'late'}),
  ];
  t.deepEqual(
    validate({...smallGraph(), node: nodes}).graph.nodes.map(({name}) => name),
    ['late', 'if'],
  );
  const error = refuses(t, 'input', 'onnx.undefined-name', () => validate({...smallGraph(), node: nodes.slice(0, 1)}));
  t.regex(error?.message ?? '', /node "if", node "Relu_0"/);
});

test('functions that never end, or grow without bound, are refused', t => {
  const fn = (name: string, calls: readonly string[]): onnx.IFunctionProto => ({
    name,
    domain: 'f',
    input: ['a'],
    output: ['b'],
    node: calls.map((opType, i) => node(opType, ['a'], [i === 0 ? 'b' : `c${i}`], {domain: 'f'})),
  });
  const call = {...smallGraph(), node: [node('F0', ['x'], ['y'], {domain: 'f'})]};
  refuses(t, 'input', 'onnx.recursion', () => validate(call, {functions: [fn('F0', ['F1']), fn('F1', ['F0'])]}));
  const tower = Array.from({length: 40}, (_, i) =>
    fn(
      `F${i}`,
      Array.from({length: 8}, () => `F${i + 1}`),
    ),
  );
  refuses(t, 'input', 'onnx.count', () => validate(call, {functions: tower}));
  refuses(t, 'input', 'onnx.duplicate-function', () => validate(call, {functions: [fn('F0', ['Relu']), fn('F0', ['Relu'])]}));
  refuses(t, 'input', 'onnx.undefined-name', () => validate(call, {functions: [{...fn('F0', []), output: ['nowhere']}]}));
});

/** The nearest folder above this file with a package.json. */
function projectRoot(): string {
  let at = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(at, 'package.json'))) at = dirname(at);
  return at;
}
const models = join(projectRoot(), '..', 'shared', 'models');
const withModels = existsSync(models) ? test : test.skip;

withModels('every real model beside the project decodes, and all its tensors', t => {
  const files = readdirSync(models, {recursive: true, encoding: 'utf8'}).filter(name => name.endsWith('.onnx'));
  t.true(files.length > 0);
  for (const file of files) {
    const model = decodeModel(readFileSync(join(models, file)), file);
    const valid = validateModel(model, file);
    t.deepEqual(
      valid.graph.nodes.map(({outputs}) => outputs),
      model.graph.nodes.map(({outputs}) => outputs),
      file,
    );
    for (const proto of model.graph.initializers) t.notThrows(() => tensorOfProto(proto, {file, folder: null}), file);
  }
});
