/**
 * Elements of a tensor that lie in a file beside the model. The model names that file, and a model may come from anywhere:
 * nothing outside the model's own folder is ever opened, and only the bytes asked for are read.
 */
import {closeSync, constants, fstatSync, lstatSync, openSync, readSync, realpathSync} from 'node:fs';
import {isAbsolute, join, sep, win32} from 'node:path';
import {fail} from '../../ir/diagnostics.js';
import type {OnnxExternal} from './model.js';

const beside = 'put the data file beside the model, under the name that the model gives';

/**
 * Reads exactly `size` bytes. Errors, all input: onnx.external-folder (there is no folder), onnx.external-location,
 * onnx.external-absolute, onnx.external-parent, onnx.external-missing, onnx.external-symlink, onnx.external-range,
 * onnx.external-read; onnx.tensor-bytes where the length that the model gives does not fit the shape.
 */
export function readExternal(external: OnnxExternal, folder: string | null, size: number, where: string): Uint8Array {
  const {location, offset, length} = external;
  if (folder === null)
    fail('input', 'onnx.external-folder', where, 'its data lies in another file, which cannot be followed here');
  if (length !== null && length !== size)
    fail(
      'input',
      'onnx.tensor-bytes',
      where,
      `its shape needs ${size} bytes; its external data has ${length}`,
      'export the model again',
    );
  const path = resolve(location, folder, where);
  const file = openFile(path, location, where);
  try {
    const available = fstatSync(file).size;
    if (offset + size > available)
      fail(
        'input',
        'onnx.external-range',
        where,
        `bytes ${offset} to ${offset + size} of "${location}", which has ${available}`,
        beside,
      );
    const bytes = new Uint8Array(size);
    for (let done = 0; done < size; ) {
      // One read call does not give more than 2 GiB.
      const got = readSync(file, bytes, done, Math.min(size - done, 2 ** 30), offset + done);
      if (got === 0) fail('input', 'onnx.external-read', where, `"${location}" ended while it was read`);
      done += got;
    }
    return bytes;
  } finally {
    closeSync(file);
  }
}

/** The real path of the data file, inside the real folder of the model. */
function resolve(location: string, folder: string, where: string): string {
  if (location === '' || location.includes('\0'))
    fail('input', 'onnx.external-location', where, 'it does not say in which file its data lies', 'export the model again');
  if (isAbsolute(location) || win32.isAbsolute(location) || /^[a-z]:/i.test(location))
    fail('input', 'onnx.external-absolute', where, `its data lies in "${location}", which is an absolute path`, beside);
  if (location.split(/[\\/]/).includes('..'))
    fail('input', 'onnx.external-parent', where, `its data lies in "${location}", outside the folder of the model`, beside);
  const path = join(folder, location);
  let real: string;
  let realFolder: string;
  try {
    real = realpathSync(path);
    realFolder = realpathSync(folder);
  } catch {
    return fail('input', 'onnx.external-missing', where, `its data file "${path}" is not there`, beside);
  }
  if (!real.startsWith(realFolder.endsWith(sep) ? realFolder : realFolder + sep))
    fail(
      'input',
      'onnx.external-symlink',
      where,
      `"${location}" is a link out of the folder of the model`,
      'copy the data file itself beside the model',
    );
  return real;
}

/** Opens a regular file only: a pipe would block, a link may have been put there since it was resolved. */
function openFile(path: string, location: string, where: string): number {
  try {
    if (lstatSync(path).isFile())
      return openSync(path, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0));
  } catch (cause) {
    fail(
      'input',
      'onnx.external-read',
      where,
      `"${location}" cannot be opened: ${cause instanceof Error ? cause.message : cause}`,
    );
  }
  return fail('input', 'onnx.external-missing', where, `"${location}" is not a regular file`, beside);
}
