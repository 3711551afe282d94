/** The stream example on a network that compiles quickly, with a server of its own; and the commands around it. */
import {execFile} from 'node:child_process';
import {readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {promisify} from 'node:util';
import test from 'ava';
import {npz, splits} from '../examples/signs/data.js';
import {profileOf} from '../examples/stream/network.js';
import {load} from '../runtime/index.js';
import {dnnc, writeTiny} from './support/cli.js';
import {temporaryFolder} from './support/temporary.js';
import {hasCompiler} from './tiny-build.js';

const run = promisify(execFile);
const folder = temporaryFolder();
const stream = fileURLToPath(new URL('../examples/stream/stream.js', import.meta.url));
const compiled = hasCompiler ? test.serial : test.serial.skip;

type Document = {
  readonly requests: number;
  readonly served: {readonly device: number; readonly cloud: number; readonly split: number; readonly none: number};
  readonly accuracy: {readonly weather: number};
  readonly used: {readonly energy: number; readonly money: number};
  readonly limits: {readonly energy: number; readonly money: number};
  readonly replayed: number;
};

compiled('a stream is answered within its budgets, and its record comes out again', async t => {
  t.timeout(120_000);
  const at = (name: string): string => join(folder, name);
  writeTiny(folder);
  writeFileSync(at('evaluate.npz'), npz({seed: splits.evaluate, count: 60}));
  const flags = ['--config', at('dnnc.config.json'), '--evaluate', at('evaluate.npz'), '--target', 'generic', '--no-measure'];
  const built = await dnnc(['build', at('tiny.onnx'), ...flags, '-o', at('built')], {env: {XDG_CACHE_HOME: at('cache')}});
  t.is(built.code, 0, built.stderr);
  const common = ['--build', at('built'), '--seconds', '2', '--fps', '15', '--outages', '0.4-0.8'];
  const {stdout} = await run(process.execPath, [stream, ...common, '--log', at('day.jsonl'), '--json']);
  const {requests, served, accuracy, used, limits, replayed} = JSON.parse(stdout) as Document;
  t.is(requests, 6);
  t.is(replayed, requests);
  t.is(served.device + served.cloud + served.split + served.none, requests);
  t.true(used.energy <= limits.energy && used.money <= limits.money);
  t.true(accuracy.weather >= 0);

  // The record of the live day, for the command that simulates days.
  const speed = 36_000 / 2;
  const profile = profileOf(load(at('built')).manifest, {sign: 15 / speed, sky: 15 / speed / 5});
  writeFileSync(at('profile.json'), JSON.stringify(profile));
  const replay = ['simulate', at('built'), '--profile', at('profile.json'), '--replay'];
  const again = await dnnc([...replay, at('day.jsonl'), '--json']);
  t.is(again.code, 0, again.stderr);
  t.is((JSON.parse(again.stdout) as Document).requests, requests);
  const lines = readFileSync(at('day.jsonl'), 'utf8').split('\n');
  const other = lines.map(line => (line.includes('"n":3') ? line.replace(/"energy":[\d.e-]+/, '"energy":7') : line));
  writeFileSync(at('other.jsonl'), other.join('\n'));
  const differs = await dnnc([...replay, at('other.jsonl')]);
  t.is(differs.code, 5);
  t.regex(differs.stderr, /record\.differs: .*other\.jsonl:\d+/);

  const unheard = await t.throwsAsync(run(process.execPath, [stream, ...common, '--server', 'http://127.0.0.1:1']));
  t.regex(unheard?.message ?? '', /remote\.unreachable: http:\/\/127\.0\.0\.1:1: does not answer/);
  const unwritable = await t.throwsAsync(run(process.execPath, [stream, ...common, '--log', join(folder, 'no', 'log')]));
  t.regex(unwritable?.message ?? '', /ENOENT.*no\/log/);

  const words = await run(process.execPath, [stream, ...common, '--no-server', '--energy', '1']);
  t.regex(
    words.stdout,
    /sky {3}.*no connection.*\n[\s\S]*6 requests: 6 answered on the device, 0 by the server.*\n.*\n.*\n.*\nreplayed from \d+ lines/,
  );
});

test('the stream says in a line what is wrong, and leaves no server behind', async t => {
  const wrong = async (...args: readonly string[]) =>
    run(process.execPath, [stream, ...args], {timeout: 60_000}).catch(
      (error: {readonly code: number; readonly stderr: string}) => error,
    );
  const cases: readonly (readonly [readonly string[], number, RegExp])[] = [
    [['--build', join(folder, 'none')], 4, /^manifest\.file: /],
    [['--fps', 'many'], 1, /--fps.*number from 0/],
    [['--outages', '9-3'], 1, /LEAST-MOST/],
    [['--policy', 'greedy'], 1, /Allowed choices are dnnc/],
  ];
  for (const [args, code, says] of cases) {
    const ended = await wrong(...args);
    t.is('code' in ended ? ended.code : 0, code, args.join(' '));
    t.regex(ended.stderr, says);
  }
});

test('serve refuses what is no build, and a place where it cannot listen', async t => {
  const none = await dnnc(['serve', join(folder, 'none')]);
  t.is(none.code, 4);
  t.regex(none.stderr, /manifest\.file/);
  const port = await dnnc(['serve', folder, '--port', '99999']);
  t.is(port.code, 2);
});
