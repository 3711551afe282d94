import {readFileSync} from 'node:fs';
import {dirname, join} from 'node:path';
import test from 'ava';
import {z} from 'zod';
import {configSchema, readConfig} from '../compiler/config.js';
import {packageFile} from '../compiler/package-files.js';
import {resolveTasks} from '../compiler/tasks.js';
import {refuses} from './support/onnx-bytes.js';
import {temporaryFile} from './support/temporary.js';

test('the published schema is the one that is checked', t => {
  const published: unknown = JSON.parse(readFileSync(packageFile('compiler', 'config.schema.json'), 'utf8'));
  t.deepEqual(published, JSON.parse(JSON.stringify(z.toJSONSchema(configSchema))));
});

test('the example configuration fits', t => {
  const config = readConfig(packageFile('examples', 'signs', 'dnnc.config.json'));
  t.deepEqual(Object.keys(config.tasks).sort(), ['colour', 'number', 'shape', 'weather']);
});

test('paths are relative to the file, or absolute', t => {
  const model = packageFile('examples', 'signs', 'models', 'weather.onnx');
  const file = temporaryFile('dnnc.config.json', JSON.stringify({tasks: {a: {model, evaluate: 'b.npz'}}}));
  const [task] = resolveTasks({config: file}).tasks;
  t.is(task!.model, model);
  t.is(task!.evaluate, join(dirname(file), 'b.npz'));
});

for (const [name, text, code] of [
  ['not JSON', '{', 'config.file'],
  ['no tasks', '{"tasks": {}}', 'config.invalid'],
  ['a misspelt field', '{"tasks": {"a": {"model": "a.onnx", "lables": []}}}', 'config.invalid'],
  ['a standard deviation of 0', '{"tasks": {"a": {"model": "a.onnx", "input": {"std": [0]}}}}', 'config.invalid'],
] as const)
  test(`refuses ${name}`, t => {
    const file = temporaryFile('dnnc.config.json', text);
    refuses(t, 'input', code, () => readConfig(file));
  });
