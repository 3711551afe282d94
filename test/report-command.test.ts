/** `dnnc report` as users run it, on folders as `build` leaves them, whole and damaged. */
import {createHash} from 'node:crypto';
import {existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import test from 'ava';
import {report} from '../compiler/index.js';
import {type Facts, readFacts} from '../compiler/report/read.js';
import {print} from '../ir/print.js';
import {type CliOptions, dnnc, documentOf, type Outcome} from './support/cli.js';
import {factsOf, sha256} from './support/report-facts.js';
import {temporaryFolder} from './support/temporary.js';

const folder = temporaryFolder();
const small = factsOf({variants: 7, dropped: 4, layers: 6, nodes: 3});

/** A folder as `build` leaves it, as far as the report reads it. */
function writeBuild(name: string, {manifest, log, ir}: Facts): string {
  const directory = join(folder, name);
  mkdirSync(directory, {recursive: true});
  const text = 'module' in ir ? print(ir.module) : '';
  const files = {'big.ir': createHash('sha256').update(text).digest('hex'), 'big.h': sha256};
  writeFileSync(join(directory, 'manifest.json'), JSON.stringify({...manifest, files}));
  writeFileSync(join(directory, 'build.log.json'), JSON.stringify(log));
  writeFileSync(join(directory, 'big.ir'), text);
  return directory;
}

const run = (args: readonly string[], options?: CliOptions): Promise<Outcome> => dnnc(['report', ...args], options);

test('the command: a page beside the folder, or where it is asked for; one document', async t => {
  const directory = writeBuild('out', small);
  const before = readdirSync(directory);
  const outcome = await run([directory, '--json']);
  t.is(outcome.stderr, '');
  t.is(outcome.code, 0);
  const file = `${directory}.html`;
  const page = readFileSync(file, 'utf8');
  t.deepEqual(documentOf(outcome), {file, bytes: Buffer.byteLength(page), variants: 7, dropped: 4});
  t.deepEqual(readdirSync(directory), before);
  const other = join(folder, 'pages', 'mine.html');
  const {code, stdout} = await run([directory, '-o', other]);
  t.is(code, 0);
  t.regex(stdout, /mine\.html: 7 variants, 4 dropped ones, \d+ kB\n$/);
  t.is(readFileSync(other, 'utf8'), page);
  t.is(await report(directory), page, 'as a library');
  t.deepEqual(readdirSync(join(folder, 'pages')), ['mine.html']);
});

test('without its IR, or with one that was changed, a build is drawn as far as it goes', async t => {
  const directory = writeBuild('no-ir', small);
  const missing = (): string => {
    const {ir} = readFacts(directory);
    return 'missing' in ir ? ir.missing : '';
  };
  t.is(missing(), '');
  writeFileSync(join(directory, 'big.ir'), 'dnnc-ir 1\n');
  t.is(missing(), 'big.ir was changed after the build.');
  rmSync(join(directory, 'big.ir'));
  t.is(missing(), 'big.ir is not in the folder.');
  t.is((await run([directory])).code, 0);
  t.true(readFileSync(`${directory}.html`, 'utf8').includes('big.ir is not in the folder. Build again'));
});

test('what is refused: folders of others, damaged files, other versions', async t => {
  const broken = (name: string, file: string, text: string): string => {
    const directory = writeBuild(name, small);
    writeFileSync(join(directory, file), text);
    return directory;
  };
  const recipes = [{task: 'sign', recipe: 'int8', layers: [{layer: 'a', bytesBefore: 'many', bytesAfter: 1}]}];
  const cases: readonly (readonly [string, RegExp])[] = [
    [folder, /open\.foreign/],
    [join(folder, 'nowhere'), /open\.foreign/],
    [broken('cut', 'build.log.json', '{"dnnc": "0.'), /file\.json.*build\.log\.json: is not JSON/],
    [
      broken('log', 'build.log.json', JSON.stringify({...small.log, recipes})),
      /report\.log.*damaged[\s\S]*recipes\[0\]\.layers\[0\]\.bytesBefore/,
    ],
    [
      broken('new', 'build.log.json', JSON.stringify({...small.log, dnnc: '9.0.0', recipes})),
      /report\.version.*written by dnnc 9\.0\.0[\s\S]*build again/,
    ],
    [broken('schema', 'manifest.json', '{"schema": 2}'), /manifest\.invalid: schema/],
  ];
  for (const [directory, message] of cases) t.throws(() => readFacts(directory), {message});
  const [last] = cases.at(-1)!;
  const {code, stdout, stderr} = await run([last]);
  t.deepEqual([code, stdout], [4, '']);
  t.regex(stderr, /^dnnc: manifest\.invalid/);
  t.false(existsSync(`${last}.html`));
});

test('a page that cannot be written leaves nothing behind', async t => {
  const good = writeBuild('good', small);
  for (const place of [join(good, 'manifest.json', 'a.html'), good]) {
    const {code, stderr} = await run([good, '-o', place]);
    t.is(code, 4, stderr);
    t.regex(stderr, /file\.unwritable/);
  }
  t.deepEqual(
    [...readdirSync(folder), ...readdirSync(good)].filter(name => name.includes('partial')),
    [],
  );
});
