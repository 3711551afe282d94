/** What names a job, and when a result that is there is one for it. */
import test from 'ava';
import {type Done, isEnough, keyOf, type MeasureJob} from '../compiler/catalog/jobs.js';
import type {DecisiveCosts, TriedCosts} from '../compiler/catalog/log.js';

const costs: TriedCosts = {macs: 1, weightBytes: 2, arenaBytes: 3, loadBytes: 4, cycles: 5, p50: 5, p90: 6};
const above: DecisiveCosts = {cycles: 5, loadBytes: 4, arenaBytes: 3, macs: 1};
const full = '1'.repeat(400);
const job: MeasureJob = {
  ...{kind: 'measure', network: 'n', target: 'generic', profiles: []},
  question: {name: 'task', labels: ['cat', 'dog'], labelOffset: 0, input: null},
  data: {path: '/here', sha256: 'd', labelsKey: null},
  ...{against: {right: full, points: 2}, above},
};

test('a job is named by all that its result depends on, and by nothing else', t => {
  const key = keyOf(job);
  t.regex(key, /^[0-9a-f]{64}$/);
  const same: readonly MeasureJob[] = [
    {...job, data: {...job.data, path: '/there'}},
    {...job, question: {...job.question, labels: ['Katze', 'Hund']}},
    {...job, against: {right: full, points: 1}},
  ];
  for (const each of same) t.is(keyOf(each), key);
  const others: readonly MeasureJob[] = [
    {...job, data: {...job.data, sha256: 'e'}},
    {...job, network: 'm'},
    {...job, target: 'x86-64-avx2'},
    {...job, question: {...job.question, labelOffset: 1}},
    {...job, above: {...above, loadBytes: 5}},
    {...job, above: {...above, cycles: 6}},
    {...job, against: {right: full.replace('1', '0'), points: 2}},
    {...job, against: null},
  ];
  for (const each of others) t.not(keyOf(each), key);
  t.is(new Set(others.map(keyOf)).size, others.length);
});

test('with another budget a result counts if it saw every sample, or enough to give up under that one too', t => {
  const done = (right: string): Done<MeasureJob> => ({seconds: 1, result: {right, costs}});
  const under = (points: number): MeasureJob => ({...job, against: {right: full, points}});
  // A tenth wrong among 100: hopeless at 2 points, not at 20.
  const early = done('0'.repeat(10) + '1'.repeat(90));
  t.true(isEnough(under(2), early));
  t.false(isEnough(under(20), early));
  t.true(isEnough(under(20), done(full)));
  t.true(isEnough(under(20), done('')));
  t.true(isEnough({...job, against: null}, done(full)));
});
