/**
 * The conformance tests at hand, and the list of those that pass:
 *
 *     npm run conformance -- [--tier A] [--filter TEXT] [--target T,T] [--reasons] [--write]
 */
import {Command} from 'commander';
import {commaList} from '../../compiler/commands/options.js';
import {targetsNamed} from '../../compiler/host.js';
import {progress, say, table} from '../../compiler/output.js';
import {judge, type Verdict} from './judge.js';
import {readPassed, readSuite, suiteFolder, type Tier, writePassed} from './suite.js';
import {zooCoverage} from './zoo.js';

const command = new Command('conformance')
  .description(`runs the tests of ${suiteFolder()} and compares with test/conformance/passed.txt`)
  .option('--tier <T[,T]>', 'tiers (default: all)', commaList, [])
  .option('--filter <TEXT>', 'only tests whose name has this text')
  .option('--target <T[,T]>', 'targets (default: generic)', commaList, [])
  .option('--reasons', 'say why each test is refused')
  .option('--write', 'write the list of tests that pass')
  .parse();
const flags = command.opts<{tier: Tier[]; filter?: string; target: string[]; reasons?: boolean; write?: boolean}>();

const tiers: readonly Tier[] = flags.tier.length === 0 ? ['A', 'B', 'C'] : flags.tier;
const tests = readSuite().filter(({name, tier}) => tiers.includes(tier) && name.includes(flags.filter ?? ''));
const show = progress();
const started = performance.now();
const verdicts = await judge(tests, {
  targets: targetsNamed(flags.target.length === 0 ? ['generic'] : flags.target),
  progress: done => show(`${done} of ${tests.length}`),
});
show.done();

const count = (tier: Tier, result: Verdict['result']): string =>
  String(verdicts.filter(verdict => verdict.test.tier === tier && verdict.result === result).length);
for (const {test, result, says} of verdicts)
  if (result === 'failed' || (result === 'refused' && flags.reasons)) say(`${result} ${test.name}: ${says.split('\n')[0]}`);
say(
  table([
    ['tier', 'passed', 'refused', 'failed'],
    ...tiers.map(tier => [tier, count(tier, 'passed'), count(tier, 'refused'), count(tier, 'failed')]),
  ]),
);
say(`in ${((performance.now() - started) / 1000).toFixed(0)} s`);

const zoo = zooCoverage();
if (zoo) {
  const missing = [...zoo.missing].map(([operator, networks]) => `; ${operator} is missing in ${networks.join(', ')}`).join('');
  say(`${zoo.supported} of ${zoo.networks} real networks have only supported operators${missing}`);
}

const passed = new Set(verdicts.flatMap(({test, result}) => (result === 'passed' ? [test] : [])));
const names = new Set([...passed].map(({name}) => name));
const known = readPassed();
const judged = new Set(tests.map(({name}) => name));
const lost = known.filter(({name}) => judged.has(name) && !names.has(name));
if (lost.length > 0) say(`passed before and do not now: ${lost.map(({name}) => name).join(' ')}`);
if (flags.write) writePassed([...known.filter(({name}) => !judged.has(name)), ...passed]);
process.exitCode = lost.length > 0 || verdicts.some(({result}) => result === 'failed') ? 5 : 0;
