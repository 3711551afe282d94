/** Which models the table has. */
import {existsSync, readdirSync, statSync} from 'node:fs';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';

const root = fileURLToPath(new URL('../../../', import.meta.url));

/** A file itself, or every .onnx below a folder. */
export const modelsIn = (path: string): readonly string[] =>
  statSync(path, {throwIfNoEntry: false})?.isDirectory()
    ? readdirSync(path, {recursive: true, encoding: 'utf8'})
        .filter(file => file.endsWith('.onnx'))
        .sort()
        .map(file => join(path, file))
    : [path];

export const defaultModels = (): readonly string[] =>
  [join(root, 'examples/signs/models'), join(root, '../shared/models')].filter(existsSync).flatMap(modelsIn);
