/** The table of operators: what it says of tests is true, and the page has the same text. `npm run bless` rewrites both. */
import {writeFileSync} from 'node:fs';
import test from 'ava';
import {operatorTable} from '../compiler/commands/ops.js';
import {operators} from '../compiler/operators.js';
import {packageFile} from '../compiler/package-files.js';
import {tested} from '../compiler/tested.js';
import {ops} from '../ir/ops/index.js';
import {readPassed} from './conformance/suite.js';
import {blessing, read} from './support/files.js';
import {recipes} from './support/onnx-recipes/index.js';
import {casesOfElementwise, casesOfFolders, isElementwise} from './support/op-cases.js';

const nameOf = ({op, domain}: {readonly op: string; readonly domain?: string}): string =>
  domain === undefined || domain === '' ? op : `${domain}.${op}`;

/** How each operator and op is tested, counted from the tests themselves. */
async function counted(): Promise<typeof tested> {
  const folders = await casesOfFolders();
  const drawn = new Set(recipes.map(nameOf));
  const passed = readPassed();
  const names = operators().map(({operator}) => operator);
  return {
    operators: Object.fromEntries(
      names.map(name => [name, [passed.filter(each => each.ops.includes(name)).length, drawn.has(name)] as const]),
    ),
    ops: Object.fromEntries(
      ops
        .map(op => [op.name, isElementwise(op) ? casesOfElementwise(op).length : (folders.get(op.name)?.length ?? 0)] as const)
        .sort(([a], [b]) => (a < b ? -1 : 1)),
    ),
  };
}

const entries = (record: Readonly<Record<string, unknown>>, show: (value: unknown) => string): string =>
  Object.entries(record)
    .map(([name, value]) => `    ${/^\w+$/.test(name) ? name : `'${name}'`}: ${show(value)},\n`)
    .join('');

const file = 'compiler/tested.ts';

test.serial('what the table says of tests is what there is', async t => {
  const now = await counted();
  if (blessing) {
    const head = read(file).slice(0, read(file).indexOf('export const tested'));
    const show = (value: unknown): string => (Array.isArray(value) ? `[${value.join(', ')}]` : String(value));
    const text = `export const tested: Tested = {\n  operators: {\n${entries(now.operators, show)}  },\n  ops: {\n${entries(now.ops, show)}  },\n};\n`;
    writeFileSync(packageFile(file), head + text);
  } else t.deepEqual(tested, now);
  t.true(Object.values(now.operators).filter(([passed, random]) => passed > 0 || random).length > 150);
});

const page = 'compiler/onnx/README.md';

test.serial('the page has the table that dnnc ops prints', t => {
  const [start, end] = ['<!-- dnnc ops -->\n\n```\n', '\n```\n\n<!-- end -->'];
  const text = read(page);
  const [from, to] = [text.indexOf(start), text.indexOf(end)];
  t.true(from >= 0 && to > from, 'the marks are there');
  const table = operatorTable();
  if (blessing) writeFileSync(packageFile(page), text.slice(0, from + start.length) + table + text.slice(to));
  else t.is(text.slice(from + start.length, to), table);
});

test('every operator says from which set on, which types, and how it runs', t => {
  const rows = operators();
  t.is(new Set(rows.map(({operator}) => operator)).size, rows.length);
  for (const {operator, sets, types, runs} of rows) {
    t.regex(sets, /^\d+(-28)?$/, operator);
    t.true(types !== '' && runs !== '', operator);
  }
  t.like(
    rows.find(({operator}) => operator === 'Gelu'),
    {sets: '20-28', types: 'any', runs: 'generated loop, fused'},
  );
  t.like(
    rows.find(({operator}) => operator === 'Conv'),
    {sets: '1-28', runs: 'kernel conv2d'},
  );
});
