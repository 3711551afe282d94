/** NumPy's .npz: a zip of .npy members. A member is read when it is asked for, and only then. */
import {type Zippable, zipSync} from 'fflate';
import {fail} from '../../ir/diagnostics.js';
import type {Tensor} from '../../ir/tensor.js';
import {writeWhole} from './files.js';
import {decodeNpy, encodeNpy} from './npy.js';
import {readZipDirectory, readZipMember} from './zip.js';

export type Npz = {
  readonly path: string;
  /** Names of the arrays, in the order of the file. */
  readonly keys: readonly string[];
  /** Errors: input npz.key (lists the keys there are); those of `readZipMember` and `decodeNpy`. */
  read(key: string): Tensor;
};

/** Reads the directory only. Errors: those of `readZipDirectory`; input npz.empty. */
export function openNpz(path: string): Npz {
  const entries = new Map(
    readZipDirectory(path)
      .filter(({name}) => name.endsWith('.npy'))
      .map(entry => [entry.name.slice(0, -4), entry]),
  );
  const keys = [...entries.keys()];
  if (keys.length === 0) fail('input', 'npz.empty', path, 'the archive holds no arrays', 'write it with numpy.savez_compressed');
  return {
    path,
    keys,
    read(key) {
      const entry = entries.get(key);
      if (!entry) return fail('input', 'npz.key', path, `there is no array "${key}"`, `it holds ${keys.join(', ')}`);
      return decodeNpy(readZipMember(path, entry), `${path}, "${entry.name}"`);
    },
  };
}

/** The same arrays give the same bytes: no times are written. Error: input file.unwritable. */
export function writeNpz(path: string, arrays: Readonly<Record<string, Tensor>>): void {
  const members: Zippable = {};
  for (const [key, tensor] of Object.entries(arrays)) members[`${key}.npy`] = encodeNpy(tensor);
  // Midday, so that no time zone makes it 1979, which zip cannot write.
  writeWhole(path, zipSync(members, {level: 6, mtime: '1980-01-01T12:00:00'}));
}
