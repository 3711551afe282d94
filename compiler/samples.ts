/** Inputs from files: .pb, .npy and .npz tensors as they are or prepared, images always prepared. */
import {basename} from 'node:path';
import {DnncError, fail} from '../ir/diagnostics.js';
import {elements, type Tensor, tensorFrom} from '../ir/tensor.js';
import type {Input} from '../runtime/manifest.js';
import {isImageName, readImage, tensorOfImage} from './data/image.js';
import {readNpy} from './data/npy.js';
import {openNpz} from './data/npz.js';
import {type Layout, prepare} from './data/prepare.js';
import {readTensorFile} from './onnx/tensor-file.js';

/** Where an image's channels stand in a model's own input: last where only the last axis can be channels. */
export function modelLayoutOf(shape: readonly number[]): Layout {
  const [, second, , last] = shape;
  return shape.length === 4 && (last === 1 || last === 3 || last === 4) && second !== 1 && second !== 3 && second !== 4
    ? 'NHWC'
    : 'NCHW';
}

/** A sample as the input takes it: as it is where type and size fit and no preparation is asked for. Throws `input` errors. */
export function inputTensor(sample: Tensor, input: Input, where: string): Tensor {
  const fits = sample.dtype === input.dtype && elements(sample.shape) === elements(input.shape);
  if (fits && (input.preparation === undefined || sample.dtype === 'f32')) return {...sample, shape: input.shape};
  if (input.dtype !== 'f32' || sample.dtype === 'f64') {
    if (elements(sample.shape) === elements(input.shape) && sample.dtype !== 'f64')
      return fail(
        'input',
        'input.dtype',
        where,
        `holds ${sample.dtype}, but input "${input.name}" is ${input.dtype}`,
        `convert it to ${input.dtype}`,
      );
    if (sample.dtype !== 'f64') return wrongShape(sample, input, where);
  }
  const single = sample.dtype === 'f64' ? tensorFrom('f32', sample.shape, Array.from(sample.data, Number)) : sample;
  return {dtype: 'f32', shape: input.shape, data: prepared(single, input, where)};
}

/** An error of preparation names the sample's place. */
function prepared(sample: Tensor, input: Input, where: string): Tensor['data'] {
  try {
    return prepare(sample, input.preparation ?? {}, input.shape, modelLayoutOf(input.shape));
  } catch (error) {
    if (!(error instanceof DnncError)) throw error;
    throw new DnncError(
      error.kind,
      error.problems.map(problem => ({...problem, where: `${where}, for input "${input.name}"`})),
      error,
    );
  }
}

const wrongShape = (sample: Tensor, input: Input, where: string): never =>
  fail(
    'input',
    'input.shape',
    where,
    `is ${sample.dtype}[${sample.shape}], but input "${input.name}" is ${input.dtype}[${input.shape}]`,
    'give a tensor of that type and shape',
  );

/** A tensor that must have the input's very shape: ONNX test data. */
export function exactTensor(sample: Tensor, input: Input, where: string): Tensor {
  return sample.dtype === input.dtype && String(sample.shape) === String(input.shape) ? sample : wrongShape(sample, input, where);
}

/** Files to inputs: NAME=FILE by name, others in order; an .npz may hold several inputs by name. */
export function readInputs(files: readonly string[], inputs: readonly Input[]): readonly Tensor[] {
  const given = new Map<string, Tensor>();
  const rest = [...inputs];
  const take = (name: string | null): Input => {
    const at = name === null ? 0 : rest.findIndex(input => input.name === name);
    const [input] = at < 0 ? [] : rest.splice(at, 1);
    return (
      input ??
      fail(
        'usage',
        'run.inputs',
        name ?? 'run',
        `there are ${inputs.length} inputs: ${inputs.map(i => i.name).join(', ')}`,
        'give one file per input',
      )
    );
  };
  for (const file of files) {
    const equals = file.indexOf('=');
    const named = equals > 0 && inputs.some(input => input.name === file.slice(0, equals));
    const path = named ? file.slice(equals + 1) : file;
    if (path.toLowerCase().endsWith('.npz') && !named) {
      const archive = openNpz(path);
      const keys = archive.keys.filter(key => rest.some(input => input.name === key));
      if (keys.length === 0 && archive.keys.length === 1 && rest.length > 0)
        readOne(archive.read(archive.keys[0]!), take(null), path);
      else if (keys.length === 0)
        fail(
          'input',
          'run.npz',
          path,
          `holds ${archive.keys.join(', ')}, none of the inputs ${inputs.map(i => i.name).join(', ')}`,
          'name its arrays like the inputs',
        );
      for (const key of keys) readOne(archive.read(key), take(key), `${path}, ${key}`);
    } else readOne(readTensor(path), take(named ? file.slice(0, equals) : null), path);
  }
  if (rest.length > 0)
    fail(
      'usage',
      'run.inputs',
      rest.map(input => input.name).join(', '),
      'no file was given for this input',
      'give one --input per input',
    );
  return inputs.map(input => given.get(input.name)!);

  function readOne(sample: Tensor, input: Input, where: string): void {
    given.set(input.name, inputTensor(sample, input, where));
  }
}

function readTensor(path: string): Tensor {
  const name = basename(path).toLowerCase();
  if (isImageName(name)) return tensorOfImage(readImage(path));
  if (name.endsWith('.npy')) return readNpy(path);
  if (name.endsWith('.pb')) return readTensorFile(path);
  return fail('usage', 'run.format', path, 'is neither .npy, .npz, .pb nor an image', 'convert it to .npy');
}
