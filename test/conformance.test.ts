/**
 * ONNX's own tests, where they lie beside the project: each of the list in test/conformance/passed.txt passes by the reference
 * evaluator and by portable C, and the others are refused in words.
 */
import test from 'ava';
import {targetsNamed} from '../compiler/host.js';
import {judge} from './conformance/judge.js';
import {type ConformanceTest, hasSuite, readPassed, readSuite} from './conformance/suite.js';

/** Large networks of constant weights hardly check numbers and take half a minute: `npm run conformance` has them. */
const isLight = ({name}: ConformanceTest): boolean => name.startsWith('light/');

(hasSuite() ? test : test.skip)('what passed before passes, and nothing fails', async t => {
  t.timeout(600_000);
  const tests = readSuite().filter(each => !isLight(each));
  const verdicts = await judge(tests, {targets: targetsNamed(['generic'])});
  const passed = new Set(verdicts.flatMap(({test: {name}, result}) => (result === 'passed' ? [name] : [])));
  t.deepEqual(
    readPassed().filter(({name}) => !passed.has(name) && !name.startsWith('light/')),
    [],
    'these passed before',
  );
  t.deepEqual(
    verdicts.flatMap(({test: {name}, result, says}) => (result === 'failed' ? [`${name}: ${says}`] : [])),
    [],
    'wrong answers',
  );
});
