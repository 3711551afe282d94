/**
 * ONNX operators that are imported as other ops, on small inputs: the reference evaluator and portable C compute the values in
 * test/onnx-values.json. Those are onnxruntime 1.30's, where it has the operator, and else of the reference of ONNX 1.23.
 */
import {readFileSync} from 'node:fs';
import test from 'ava';
import type {onnx} from 'onnx-proto';
import {targetsNamed} from '../compiler/host.js';
import {packageFile} from '../compiler/package-files.js';
import {bytesOfTensor, type Tensor, tensorFrom} from '../ir/tensor.js';
import type {DType, Module} from '../ir/types.js';
import {buildAll} from './support/cc.js';
import {attribute, node, valueInfo} from './support/onnx-bytes.js';
import {attrs, float, int, ints, load} from './support/onnx-graph.js';
import {differences, programDifferences, referenceOf} from './support/reference.js';

type Values = {readonly dtype: DType; readonly shape: number[]; readonly data: readonly number[]};
type Operand = Values & {readonly name: string; readonly constant?: boolean};
type Example = {
  readonly name: string;
  readonly op: string;
  readonly domain?: string;
  readonly opset: number;
  readonly attributes: Readonly<Record<string, number | number[] | string>>;
  readonly operands: readonly Operand[];
  readonly results: readonly Values[];
};

const examples: readonly Example[] = JSON.parse(readFileSync(packageFile('test', 'onnx-values.json'), 'utf8'));

const tensorOf = ({dtype, shape, data}: Values): Tensor => tensorFrom(dtype, shape, data);
const onnxTypes: Partial<Record<DType, number>> = {f32: 1, u8: 2, i8: 3, i32: 6, i64: 7};

/** Numbers with a point are floats: none of the operators has one with a whole value. */
function attributeOf([name, value]: [string, number | number[] | string]): onnx.IAttributeProto {
  if (typeof value === 'string') return attribute(name, {type: 3, s: Buffer.from(value)});
  if (typeof value !== 'number') return ints(name, value);
  return Number.isInteger(value) ? int(name, value) : float(name, value);
}

function moduleOf({op, domain = '', opset, attributes, operands, results}: Example): Module {
  const graph = {
    input: operands.flatMap(({name, shape, dtype, constant}) => (constant ? [] : [valueInfo(name, shape, onnxTypes[dtype]!)])),
    initializer: operands.flatMap(one =>
      one.constant
        ? [{name: one.name, dims: one.shape, dataType: onnxTypes[one.dtype]!, rawData: bytesOfTensor(tensorOf(one))}]
        : [],
    ),
    output: results.map((_, i) => valueInfo(`y${i}`, [])),
    node: [
      node(
        op,
        operands.map(({name}) => name),
        results.map((_, i) => `y${i}`),
        {...attrs(...Object.entries(attributes).map(attributeOf)), domain},
      ),
    ],
  };
  const opsetImport = [{domain: '', version: opset}, ...(domain ? [{domain, version: 1}] : [])];
  return load(graph, {opsetImport}).module;
}

/** Of the largest magnitude: the data have six digits. */
const tolerance = 2e-5;

test('imported operators compute what onnxruntime and the reference of ONNX do', async t => {
  t.timeout(300_000);
  const modules = examples.map(moduleOf);
  const targets = targetsNamed(['generic']);
  const programs = await buildAll(modules, {targets});
  const wrong = examples.flatMap(({name, op, operands, results}, i) => {
    const [module, program] = [modules[i]!, programs[i]!];
    const inputs = new Map(operands.filter(({constant}) => !constant).map(one => [one.name, tensorOf(one)]));
    const expected = new Map([[module.heads[0]!.name, results.map(tensorOf)]]);
    const byReference = differences(referenceOf(module, inputs), expected, tolerance);
    const byC = program instanceof Error ? [program.message] : programDifferences(program, targets, inputs, expected, tolerance);
    return [...byReference, ...byC].map(says => `${op}, ${name}: ${says}`);
  });
  t.deepEqual(wrong, []);
});
