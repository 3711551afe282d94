/**
 * ONNX's own tests, where they lie beside the project: an eighth of the list in test/conformance/passed.txt passes by the reference
 * evaluator and by portable C, and the others are refused in words.
 */
import test from 'ava';
import {targetsNamed} from '../compiler/host.js';
import {judge} from './conformance/judge.js';
import {type ConformanceTest, hasSuite, readPassed, readSuite} from './conformance/suite.js';

/**
 * Every eighth test, so that all tests of the project end within ten minutes; `npm run conformance` has the whole. Large networks
 * of constant weights hardly check numbers and take half a minute: they are only there.
 */
function isHere({name}: Pick<ConformanceTest, 'name'>): boolean {
  const sum = [...name].reduce((hash, letter) => Math.imul(hash ^ letter.charCodeAt(0), 0x01000193), 0x811c9dc5);
  return !name.startsWith('light/') && (sum >>> 8) % 8 === 0;
}

(hasSuite() ? test : test.skip)('what passed before passes, and nothing fails', async t => {
  t.timeout(600_000);
  const tests = readSuite().filter(isHere);
  const verdicts = await judge(tests, {targets: targetsNamed(['generic'])});
  const passed = new Set(verdicts.flatMap(({test: {name}, result}) => (result === 'passed' ? [name] : [])));
  t.deepEqual(
    readPassed().filter(each => isHere(each) && !passed.has(each.name)),
    [],
    'these passed before',
  );
  t.deepEqual(
    verdicts.flatMap(({test: {name}, result, says}) => (result === 'failed' ? [`${name}: ${says}`] : [])),
    [],
    'wrong answers',
  );
});
