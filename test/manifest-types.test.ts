/** What a user's compiler makes of a written manifest: the session knows its tasks, inputs and labels. */
import {dirname, join} from 'node:path';
import {fileURLToPath} from 'node:url';
import test from 'ava';
import {ts as morph, Project} from 'ts-morph';
import {writeManifest} from '../codegen/manifest.js';
import type {Manifest} from '../runtime/index.js';
import {example} from './example-manifest.js';

const {ModuleKind, ModuleResolutionKind} = morph;
const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');

/** What the compiler of a user says about a program beside manifest.ts: error codes with their lines. */
function diagnostics(manifestText: string, program: string): string[] {
  const project = new Project({
    tsConfigFilePath: join(root, 'tsconfig.json'),
    skipAddingFilesFromTsConfig: true,
    compilerOptions: {
      noEmit: true,
      incremental: false,
      tsBuildInfoFile: '',
      types: ['node'],
      module: ModuleKind.ESNext,
      moduleResolution: ModuleResolutionKind.Bundler,
    },
  });
  const folder = join(root, 'test', 'generated-user');
  project.createSourceFile(join(folder, 'manifest.ts'), manifestText, {
    overwrite: true,
  });
  const user = project.createSourceFile(join(folder, 'user.ts'), program, {overwrite: true});
  return project.getPreEmitDiagnostics().map(found => {
    const line = found.getLineNumber() ?? 0;
    const text =
      found.getSourceFile() === user
        ? (program.split('\n')[line - 1] ?? '').trim()
        : `${found.getSourceFile()?.getBaseName()}:${line}`;
    return `${found.getCode()} ${text}`;
  });
}

test('the literals of the manifest type the session', async t => {
  const {ts} = await writeManifest(example);
  const program = `
import {load} from 'dnnc/runtime';
import {manifest} from './manifest.js';
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
const session = load(manifest, {directory: '.'});
const age = session.run('age', new Float32Array(48));
const label: Same<typeof age.label, 'child' | 'adult'> = true;
const scores: Same<typeof age.scores, Float32Array> = true;
const y: Float32Array = age.outputs.y;
const object = session.run('object', {x: new Uint8Array(8)}, {variant: 'object/int8'});
const background: Same<typeof object.label, 'cup' | 'hat' | undefined> = true;
session.run('age', {width: 1, height: 1, channels: 3, data: new Uint8Array(3)});
const plain = load('dist').run('anything', new Float32Array(3));
const unknown: Same<typeof plain.label, string | undefined> = true;
export default [label, scores, y, background, unknown];
if (age.label === 'teen') throw 1;
session.run('mood', new Float32Array(48));
session.run('age', new Uint8Array(48));
session.run('age', {z: new Float32Array(48)});
session.run('object', {width: 1, height: 1, channels: 3, data: new Uint8Array(3)});
session.run('age', new Float32Array(48), {variant: 'object/full'});
session.entry('object', 'object/int4');
age.outputs.z;
`;
  t.deepEqual(diagnostics(ts, program), [
    "2367 if (age.label === 'teen') throw 1;",
    "2345 session.run('mood', new Float32Array(48));",
    "2345 session.run('age', new Uint8Array(48));",
    "2353 session.run('age', {z: new Float32Array(48)});",
    "2353 session.run('object', {width: 1, height: 1, channels: 3, data: new Uint8Array(3)});",
    "2322 session.run('age', new Float32Array(48), {variant: 'object/full'});",
    "2345 session.entry('object', 'object/int4');",
    '2339 age.outputs.z;',
  ]);
});

test('a wrong manifest does not compile', async t => {
  const {ts} = await writeManifest({...example, arena: {bytes: 1, lowerBound: 1} as unknown as Manifest['arena']});
  t.is(diagnostics(ts, 'export {};').length, 1);
});
