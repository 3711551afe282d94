/** The manifest: type, validator and JSON schema say the same, and what is written holds what was given. */
import {readFileSync} from 'node:fs';
import {dirname, join} from 'node:path';
import {fileURLToPath} from 'node:url';
import test from 'ava';
import {type Symbol as MorphSymbol, Project, type Type} from 'ts-morph';
import * as z from 'zod';
import {writeManifest} from '../codegen/manifest.js';
import {DnncRuntimeError, type Manifest, readManifest} from '../runtime/index.js';
import {example} from './example-manifest.js';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
type Json = null | string | number | boolean | Json[] | {[key: string]: Json};
const copy = (): Json => JSON.parse(JSON.stringify(example)) as Json;
const isDictionary = (value: Json | undefined): value is {[key: string]: Json} =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const schemaDocument = JSON.parse(readFileSync(join(root, 'runtime/manifest.schema.json'), 'utf8')) as {[key: string]: Json};
const schema = z.fromJSONSchema(schemaDocument as Parameters<typeof z.fromJSONSchema>[0]);

/** The error of readManifest, or undefined where it accepts. */
function refusal(json: unknown): DnncRuntimeError | undefined {
  try {
    readManifest(json);
    return undefined;
  } catch (error) {
    if (error instanceof DnncRuntimeError) return error;
    throw error;
  }
}

test('the example passes the validator and the JSON schema', t => {
  const json = copy();
  t.is(readManifest(json) as unknown, json);
  t.true(schema.safeParse(json).success);
});

/** Calls back for every place of the document: its path as the validator prints it, and how to put something else there. */
function everyPlace(visit: (path: string, put: (value: Json | undefined) => Json, value: Json) => void): void {
  const walk = (value: Json, path: string, keys: readonly (string | number)[]) => {
    visit(
      path,
      replacement => {
        const whole = copy();
        let at = whole as {[key: string | number]: Json};
        for (const key of keys.slice(0, -1)) at = at[key] as {[key: string | number]: Json};
        const last = keys.at(-1)!;
        if (replacement === undefined) delete at[last];
        else at[last] = replacement;
        return whole;
      },
      value,
    );
    if (Array.isArray(value)) value.forEach((item, i) => void walk(item, `${path}[${i}]`, [...keys, i]));
    else if (isDictionary(value))
      for (const [key, item] of Object.entries(value)) walk(item, path ? `${path}.${key}` : key, [...keys, key]);
  };
  const whole = copy();
  if (isDictionary(whole)) for (const [key, value] of Object.entries(whole)) walk(value, key, [key]);
}

test('a value of another type is refused by both, and the error names its path', t => {
  let places = 0;
  everyPlace((path, put) => {
    const bad = put(null);
    places++;
    t.false(schema.safeParse(bad).success, `schema accepts null at ${path}`);
    const error = refusal(bad);
    t.is(error?.code, 'manifest.invalid', path);
    t.is(error?.where, path);
  });
  t.true(places > 150);
});

test('taking a field away is judged alike by both', t => {
  everyPlace((path, put) => {
    if (path.endsWith(']')) return;
    const bad = put(undefined);
    const accepted = schema.safeParse(bad).success;
    const error = refusal(bad);
    // The schema cannot see references: a task that is gone is still named elsewhere.
    if (!accepted) t.regex(error?.message ?? 'accepted', /is missing/, path);
    else if (error)
      t.regex(
        error.message,
        /is no (task|variant|segment|cut)|labels|one of entry, exit and cascade|a cascade has a context/,
        path,
      );
  });
});

test('a field that does not exist is refused by both', t => {
  const places = ['generator', 'arena', 'tasks.age', 'tasks.age.inputs[0].preparation', 'variants[0].quality'];
  everyPlace((path, put, value) => {
    if (!places.includes(path) || !isDictionary(value)) return;
    const bad = put({...value, lables: 1});
    t.false(schema.safeParse(bad).success, path);
    t.is(refusal(bad)?.where, `${path}.lables`);
  });
  t.is(refusal({...example, lables: 1})?.where, 'lables');
});

test('out of range, by both', t => {
  const bad: readonly (readonly [string, Json])[] = [
    ['schema', 2],
    ['name', 'my faces'],
    ['libraries', []],
    ['libraries[0].file', '../evil.so'],
    ['libraries[0].file', '..'],
    ['weights.alignment', 48],
    ['weights.bytes', -1],
    ['weights.bytes', 1.5],
    ['weights.sha256', 'ABC'],
    ['tasks.age.inputs[0].dtype', 'f31'],
    ['tasks.age.inputs[0].preparation.std[0]', 0],
    ['tasks.age.outputs', []],
    ['variants[0].quality.value', 101],
    ['variants[0].quality.interval', [1, 2, 3]],
    ['variants[0].latency.x86-64-avx2.measured', false],
    ['variants[0].energy.generic.source', 'guessed'],
  ];
  everyPlace((path, put) => {
    for (const [, value] of bad.filter(([at]) => at === path)) {
      t.false(schema.safeParse(put(value)).success, `schema: ${path} = ${JSON.stringify(value)}`);
      t.true(refusal(put(value))?.where.startsWith(path), `validator: ${path} = ${JSON.stringify(value)}`);
    }
  });
  for (const value of [null, [], 3, 'x', undefined]) t.is(refusal(value)?.where, 'manifest');
});

test('references and neighbours, by the validator alone', t => {
  const bad: readonly (readonly [string, Json, RegExp])[] = [
    ['tasks.age.variants[0]', 'object/full', /no variant of this task/],
    ['variants[0].path[0]', 'tail', /no segment; there are trunk, head/],
    ['variants[0].task', 'toString', /no task/],
    ['variants[0].entry', 'system', /must begin with faces_/],
    ['variants[1].id', 'age/full', /unique/],
    ['variants[0].arenaBytes', 9000, /fit the arena/],
    ['variants[0].quality.interval', [93, 90], /\[low, high\]/],
    ['segments[0].to', 'cut9', /no cut/],
    ['segments[0].weights.bytes', 4096, /end within/],
    ['tasks.object.labelOffset', 2, /end at output 3, the scores end at 2/],
  ];
  let seen = 0;
  everyPlace((path, put) => {
    for (const [, value, says] of bad.filter(([at]) => at === path)) {
      seen++;
      t.regex(refusal(put(value))?.message ?? 'accepted', says, path);
    }
  });
  t.is(seen, bad.length);
});

type SchemaNode = {
  readonly $ref?: string;
  readonly type?: string;
  readonly const?: Json;
  readonly enum?: readonly Json[];
  readonly anyOf?: readonly SchemaNode[];
  readonly items?: SchemaNode;
  readonly minItems?: number;
  readonly properties?: {readonly [name: string]: SchemaNode};
  readonly required?: readonly string[];
  readonly additionalProperties?: SchemaNode | false;
  readonly $defs?: {readonly [name: string]: SchemaNode};
};

test('the JSON schema has the fields of the type', t => {
  const project = new Project({tsConfigFilePath: join(root, 'tsconfig.json'), skipAddingFilesFromTsConfig: true});
  const file = project.addSourceFileAtPath(join(root, 'runtime/manifest.ts'));
  const document = schemaDocument as SchemaNode;

  const compare = (type: Type, given: SchemaNode | false | undefined, path: string): void => {
    const node = given && given.$ref !== undefined ? document.$defs?.[given.$ref.replace('#/$defs/', '')] : given;
    if (!node) t.fail(`${path} is not in the schema`);
    else if (type.isArray() || type.isReadonlyArray()) compare(type.getArrayElementTypeOrThrow(), node.items, `${path}[]`);
    else if (type.isTuple()) t.is(node.minItems, type.getTupleElements().length, path);
    else if (node.const !== undefined || (node.enum && type.isUnion())) {
      const literals = (type.isUnion() ? type.getUnionTypes() : [type]).map(each => each.getText().replaceAll("'", '"'));
      const allowed = (node.enum ?? [node.const]).map(value => JSON.stringify(value));
      t.deepEqual(literals.toSorted(), allowed.toSorted(), path);
    } else if (type.isUnion()) t.is(node.anyOf?.length, type.getUnionTypes().length, path);
    else if (type.isNumber()) t.regex(node.type ?? node.anyOf?.[0]?.type ?? typeof node.enum?.[0], /^(number|integer)$/, path);
    else if (type.isString()) t.is(node.type, 'string', path);
    else if (type.getStringIndexType()) compare(type.getStringIndexType()!, node.additionalProperties, `${path}.*`);
    else compareFields(type.getProperties(), node, path);
  };

  const compareFields = (fields: readonly MorphSymbol[], node: SchemaNode, path: string): void => {
    const required = fields.filter(field => !field.isOptional()).map(field => field.getName());
    t.deepEqual(Object.keys(node.properties ?? {}).toSorted(), fields.map(field => field.getName()).toSorted(), path);
    t.deepEqual(node.required?.toSorted(), required.toSorted(), path);
    t.is(node.additionalProperties, false, path);
    for (const field of fields) {
      const type = field.getTypeAtLocation(file);
      compare(
        field.isOptional() ? type.getNonNullableType() : type,
        node.properties?.[field.getName()],
        `${path}.${field.getName()}`,
      );
    }
  };

  compare(file.getTypeAliasOrThrow('Manifest').getType(), document, 'manifest');
});

test('writing twice gives the same bytes; both forms hold the same', async t => {
  const first = await writeManifest(example);
  t.deepEqual(await writeManifest(JSON.parse(JSON.stringify(example)) as Manifest), first);
  t.deepEqual(JSON.parse(first.json), copy());
  const code = first.ts.replace(/^import type .*$/m, '').replace(' as const satisfies Manifest', '');
  const module = (await import(`data:text/javascript,${encodeURIComponent(code)}`)) as {manifest: unknown; default: unknown};
  t.deepEqual(module.manifest, copy());
  t.is(module.default, module.manifest);
  t.true(first.ts.split('\n').every(line => line.length <= 130));
  t.regex(first.ts, /Written by dnnc 0\.1\.0 from age\.onnx, o'brien \*\\\/\.onnx\. Do not edit\./);
});
