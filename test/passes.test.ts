/**
 * Every passes/NAME/cases/CASE.ir: the module above the line `// ---- becomes` turns into the text below it, and both compute
 * the same on seeded inputs. DNNC_BLESS=1 rewrites the text below the line.
 */
import {basename} from 'node:path';
import test from 'ava';
import {exact} from '../compiler/pipeline.js';
import {parse} from '../ir/parse.js';
import {print} from '../ir/print.js';
import {filesBelow, golden, halvesOf, read, withAfter} from './support/files.js';
import {findPass, runAlone} from './support/passes.js';
import {blobsOf, differences, randomInputs, referenceOf} from './support/reference.js';
import {randomOf} from './support/tensors.js';

const files = filesBelow('passes', '.ir');

test('every pass of the pipeline has cases, some of which change nothing, and a page', t => {
  for (const {name} of exact) {
    const own = files.filter(file => file.startsWith(`passes/${name}/cases/`));
    t.true(own.length >= 4, `${name} has ${own.length} cases`);
    const page = read(`passes/${name}/README.md`);
    for (const heading of ['Needs', 'Promises', 'Method', 'Edge cases', 'Example'])
      t.true(page.includes(`\n## ${heading}\n`), name);
  }
});

for (const file of files)
  test(file, t => {
    const {pass: name, before} = halvesOf(file);
    t.true(file.startsWith(`passes/${name}/`));
    const pass = findPass(name);
    const given = parse(before, {file: basename(file)});
    const {module, counts} = runAlone(pass, given);
    const text = print(module);
    if (text === print(given)) t.is(module, given, 'nothing changed: it should be the same object');
    else
      t.true(
        [...counts.values()].some(count => count > 0),
        'something changed, but nothing was counted',
      );
    for (const what of counts.keys()) t.true(what in pass.stats, `${what} is not declared`);
    t.is(runAlone(pass, module).module, module, 'a second run changes nothing');
    t.is(golden(file, withAfter(before, text)), withAfter(before, text));
    for (const seed of [1, 2]) {
      const inputs = randomInputs(given, randomOf(seed));
      const expected = parse(text, {blobs: blobsOf(given, module)});
      t.deepEqual(differences(referenceOf(expected, inputs), referenceOf(given, inputs), pass.tolerance ?? 0), []);
    }
  });
