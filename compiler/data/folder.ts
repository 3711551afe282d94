/** A folder with a sub-folder of images per class. Hidden files, and files that are no images, are not looked at. */
import {type Dirent, readdirSync, statSync} from 'node:fs';
import {join} from 'node:path';
import {fail} from '../../ir/diagnostics.js';
import {unreadable} from './files.js';
import {isImageName} from './image.js';

export type ImageClass = {readonly name: string; readonly images: readonly string[]};

/** Error: input file.missing and its kin. */
export function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch (cause) {
    return unreadable(path, cause);
  }
}

/** Both sorted. Errors, all input: file.*, dataset.empty, dataset.no-classes. */
export function classesOf(path: string): readonly ImageClass[] {
  const cure = 'put the images of each class into a sub-folder named for it';
  const inFolder = list(path);
  if (inFolder.length === 0) fail('input', 'dataset.empty', path, 'the folder is empty', cure);
  const names = inFolder
    .filter(entry => entry.isDirectory() || (entry.isSymbolicLink() && isFolder(join(path, entry.name))))
    .map(({name}) => name)
    .sort();
  if (names.length === 0) fail('input', 'dataset.no-classes', path, 'the folder has no sub-folders', cure);
  const classes = names.map(name => ({
    name,
    images: list(join(path, name))
      .map(entry => entry.name)
      .filter(isImageName)
      .sort(),
  }));
  if (classes.every(({images}) => images.length === 0))
    fail('input', 'dataset.empty', path, `no .jpg, .jpeg or .png files in ${names.join(', ')}`, cure);
  return classes;
}

function list(folder: string): readonly Dirent[] {
  try {
    return readdirSync(folder, {withFileTypes: true}).filter(entry => !entry.name.startsWith('.'));
  } catch (cause) {
    return unreadable(folder, cause);
  }
}
