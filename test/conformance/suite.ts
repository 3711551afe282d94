/**
 * ONNX's backend tests and small networks in their layout: a folder per test with model.onnx and test_data_set_0, and one
 * tiers.json that says what each is. They are not part of this project: `../shared/conformance`, or DNNC_CONFORMANCE.
 */
import {existsSync, readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {budgetOf} from '../../compiler/onnx/budget.js';
import {decodeModel} from '../../compiler/onnx/decode.js';
import {decodeTensor} from '../../compiler/onnx/decode-tensor.js';
import {importModel} from '../../compiler/onnx/import.js';
import type {OnnxModel} from '../../compiler/onnx/model.js';
import {readTensorFile} from '../../compiler/onnx/tensor-file.js';
import {validateModel} from '../../compiler/onnx/validate.js';
import {packageFile} from '../../compiler/package-files.js';
import type {Tensor} from '../../ir/tensor.js';
import type {Module} from '../../ir/types.js';

/** A must work, B should, C is out of purpose. */
export type Tier = 'A' | 'B' | 'C';

export type ConformanceTest = {
  readonly name: string;
  readonly tier: Tier;
  /** The operators in it. */
  readonly ops: readonly string[];
  readonly folder: string;
  /** Inputs that only decide shapes: exporters of static networks write them as initializers. */
  readonly frozen: readonly number[];
  /** Floats may be off by atol + rtol * |expected|. */
  readonly rtol: number;
  readonly atol: number;
};

export const suiteFolder = (): string => process.env.DNNC_CONFORMANCE ?? packageFile('..', 'shared', 'conformance');

export const hasSuite = (): boolean => existsSync(join(suiteFolder(), 'tiers.json'));

type Entry = {
  readonly tier: Tier;
  readonly ops: Readonly<Record<string, number>>;
  readonly reason: readonly string[];
  readonly dir: string;
  readonly freezeShape: readonly number[];
  readonly rtol?: number;
  readonly atol?: number;
};

/** All tests, by name; those whose expected values are disputed among ONNX's implementations are left out. */
export function readSuite(): readonly ConformanceTest[] {
  const folder = suiteFolder();
  const entries: Readonly<Record<string, Entry>> = JSON.parse(readFileSync(join(folder, 'tiers.json'), 'utf8'));
  return Object.entries(entries)
    .filter(([, {reason}]) => !reason.some(text => text.includes('disputed')))
    .map(([name, {tier, ops, dir, freezeShape, rtol = 1e-3, atol = 1e-7}]) => ({
      ...{name, tier, ops: Object.keys(ops).map(plainName).sort(), folder: join(folder, dir), frozen: freezeShape, rtol, atol},
    }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

export type Prepared = {
  readonly module: Module;
  readonly inputs: ReadonlyMap<string, Tensor>;
};

/** Throws DnncError where the model is refused. */
export function prepare({folder, frozen}: ConformanceTest): Prepared {
  const file = join(folder, 'model.onnx');
  const model = decodeModel(readFileSync(file), 'model.onnx');
  const initialized = new Set(model.graph.initializers.map(({name}) => name));
  const inputs = model.graph.inputs.filter(({name}) => !initialized.has(name));
  const path = (i: number): string => join(folder, 'test_data_set_0', `input_${i}.pb`);
  const constants = frozen
    .filter(i => i < inputs.length)
    .map(i => ({...decodeTensor(readFileSync(path(i)), budgetOf(path(i))), name: inputs[i]!.name}));
  const frozenModel: OnnxModel = {
    ...model,
    graph: {...model.graph, initializers: [...model.graph.initializers, ...constants]},
  };
  const options = {file: 'model.onnx', folder, name: 'm'};
  const {module} = importModel(validateModel(frozenModel, 'model.onnx'), options);
  const given = inputs.flatMap(({name}, i) => (frozen.includes(i) ? [] : [[name, readTensorFile(path(i))] as const]));
  return {module, inputs: new Map(given)};
}

/** What the model must return, in order. */
export function expectedOf({folder}: ConformanceTest): readonly Tensor[] {
  const path = (i: number): string => join(folder, 'test_data_set_0', `output_${i}.pb`);
  const tensors: Tensor[] = [];
  while (existsSync(path(tensors.length))) tensors.push(readTensorFile(path(tensors.length)));
  return tensors;
}

/** "com.microsoft:QGemm" is com.microsoft.QGemm to us. */
export const plainName = (operator: string): string => operator.replace(/^ai\.onnx:/, '').replace(':', '.');

/** The tests that pass, one a line, with the operators in each: none of them may be lost. */
export const passedFile = (): string => packageFile('test', 'conformance', 'passed.txt');

export type Passed = {readonly name: string; readonly ops: readonly string[]};

export function readPassed(): readonly Passed[] {
  const lines = existsSync(passedFile()) ? readFileSync(passedFile(), 'utf8').split('\n').filter(Boolean) : [];
  return lines.map(line => {
    const [name = '', ...ops] = line.split(' ');
    return {name, ops};
  });
}

export const writePassed = (list: readonly Passed[]): void =>
  writeFileSync(
    passedFile(),
    list
      .map(({name, ops}) => `${[name, ...ops].join(' ')}\n`)
      .sort()
      .join(''),
  );
