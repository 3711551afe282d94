/**
 * Labelled samples by number, whatever holds them: a folder with one sub-folder per class, whose images are decoded when
 * they are asked for, an .npz with x (N,...) and y (N,) or y_<task> (N,), or IDX files of images and labels.
 */
import {join} from 'node:path';
import {fail} from '../../ir/diagnostics.js';
import {bytesOfTensor, elements, numberAt, type Tensor, tensorOf, widthOf} from '../../ir/tensor.js';
import {classesOf, isFolder} from './folder.js';
import {isIdxName, openIdx} from './idx.js';
import {readImage, tensorOfImage} from './image.js';
import {type Npz, openNpz} from './npz.js';

export type Dataset = {
  readonly path: string;
  readonly count: number;
  /** In the order of the labels; null where the data does not name them. */
  readonly classes: readonly string[] | null;
  /** Without a batch dimension: [H,W,C] uint8 from a folder. Errors: input dataset.index, dataset.nan, file.*, image.*. */
  sample(index: number): Tensor;
  /** As stored, before any offset. Errors: input dataset.index, dataset.no-labels. */
  label(index: number): number;
  /** Where an error about a sample points: a file, or a place in one. */
  where(index: number): string;
};

/** Samples, and where they come from. */
export type Labelled = {readonly path: string; readonly data: Dataset};

export type DatasetOptions = {
  /** The array of labels. Absent: y, or the only y_<task>. */
  readonly labelsKey?: string;
};

/**
 * Errors: input file.*, dataset.format, dataset.empty, dataset.no-classes, dataset.no-samples, dataset.count,
 * dataset.labels-key, dataset.label, zip.*, npz.*, npy.*, idx.*.
 */
export function openDataset(path: string, options: DatasetOptions = {}): Dataset {
  if (isFolder(path)) return openFolder(path);
  if (path.toLowerCase().endsWith('.npz')) return openArrays(openNpz(path), options);
  if (isIdxName(path)) return openArrays(openIdx(path), options);
  return fail(
    'input',
    'dataset.format',
    path,
    'this is neither a folder nor an .npz or IDX file',
    'give a folder with one sub-folder per class',
  );
}

function openFolder(path: string): Dataset {
  const classes = classesOf(path);
  const files = classes.flatMap(({name, images}) => images.map(image => join(path, name, image)));
  const labels = classes.flatMap(({images}, label) => images.map(() => label));
  const at = <T>(list: readonly T[], index: number): T => list[index] ?? noSuch(path, index, files.length);
  return {
    path,
    count: files.length,
    classes: classes.map(({name}) => name),
    sample: index => tensorOfImage(readImage(at(files, index))),
    label: index => at(labels, index),
    where: index => at(files, index),
  };
}

const noSuch = (path: string, index: number, count: number): never =>
  fail('input', 'dataset.index', path, `there is no sample ${index}: they are numbered 0 to ${count - 1}`);

function openArrays(npz: Npz, {labelsKey}: DatasetOptions): Dataset {
  const {path, keys} = npz;
  const cure = `it holds ${keys.join(', ')}`;
  if (!keys.includes('x')) fail('input', 'dataset.no-samples', path, 'there is no array "x" of samples', cure);
  if (labelsKey !== undefined && !keys.includes(labelsKey))
    fail('input', 'dataset.labels-key', path, `there is no array "${labelsKey}" of labels`, cure);
  const x = npz.read('x');
  const [count = 0, ...shape] = x.shape;
  if (x.shape.length < 2)
    fail('input', 'dataset.no-samples', path, `"x" has the shape [${x.shape}]`, 'give it one row per sample');
  if (count === 0 || elements(shape) === 0)
    fail('input', 'dataset.empty', path, `"x" has the shape [${x.shape}]`, 'give it samples');
  const key = labelsKey ?? onlyLabels(keys);
  const labels = key === null ? null : labelsOf(npz, key, count);
  const bytes = bytesOfTensor(x);
  const size = elements(shape) * widthOf(x.dtype);
  const check = (index: number): void => {
    if (!Number.isInteger(index) || index < 0 || index >= count) noSuch(path, index, count);
  };
  return {
    path,
    count,
    classes: null,
    sample(index) {
      check(index);
      const sample = tensorOf(x.dtype, shape, bytes.subarray(index * size, (index + 1) * size));
      refuseNan(sample, `${path}, x[${index}]`);
      return sample;
    },
    label(index) {
      check(index);
      return (
        labels?.[index] ??
        fail('input', 'dataset.no-labels', path, 'it is not said which array holds the labels', `set "labelsKey"; ${cure}`)
      );
    },
    where: index => `${path}, x[${index}]`,
  };
}

/** null where there are none, or several to choose from. */
function onlyLabels(keys: readonly string[]): string | null {
  if (keys.includes('y')) return 'y';
  const named = keys.filter(key => key.startsWith('y_'));
  return named.length === 1 ? named[0]! : null;
}

function labelsOf(npz: Npz, key: string, count: number): readonly number[] {
  const y = npz.read(key);
  const where = `${npz.path}, "${key}"`;
  // (N, 1) is a common way to write (N,).
  if (elements(y.shape) !== count || y.shape[0] !== count)
    fail('input', 'dataset.count', where, `labels of shape [${y.shape}] for ${count} samples`, 'give one label per sample');
  const labels = Array.from({length: count}, (_, i) => numberAt(y, i));
  const wrong = labels.findIndex(label => !Number.isSafeInteger(label));
  if (wrong >= 0)
    fail('input', 'dataset.label', where, `label ${wrong} is ${labels[wrong]}, not a whole number`, 'give class indices');
  return labels;
}

function refuseNan(sample: Tensor, where: string): void {
  if (!/^b?f/.test(sample.dtype)) return;
  for (let i = 0; i < sample.data.length; i++)
    if (!Number.isFinite(numberAt(sample, i)))
      fail('input', 'dataset.nan', where, `element ${i} is ${numberAt(sample, i)}`, 'remove or repair the sample');
}
