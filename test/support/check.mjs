/**
 * `npm run check`: all that must hold before a change is taken. Every step runs, even after one has failed, so that one run
 * shows all that is wrong. The last line counts the tests; the exit code is 1 if any step or test failed.
 */
import {spawn} from 'node:child_process';
import {createWriteStream, mkdirSync} from 'node:fs';
import {createInterface} from 'node:readline';

const steps = ['build', 'lint', 'rules', 'dead', 'copies'];
const tap = 'build/test.tap';

const failed = [];
for (const step of steps) if (!(await timed(step, () => script(step)))) failed.push(step);
const counts = {passed: 0, failed: 0, skipped: 0};
if (!(await timed('tests', tests))) failed.push('tests');

console.log(failed.length > 0 ? `\nfailed: ${failed.join(', ')}` : '\nall steps passed');
console.log(`${counts.passed} passed, ${counts.failed} failed${counts.skipped > 0 ? `, ${counts.skipped} skipped` : ''}`);
process.exitCode = failed.length > 0 ? 1 : 0;

async function timed(name, action) {
  console.log(`\n== ${name}`);
  const start = performance.now();
  const good = await action();
  console.log(`== ${name} ${good ? 'passed' : 'FAILED'} (${((performance.now() - start) / 1000).toFixed(1)} s)`);
  return good;
}

function script(name) {
  return exit(
    spawn('npm', ['run', '--silent', name], {stdio: ['ignore', 'inherit', 'inherit'], shell: process.platform === 'win32'}),
  );
}

function exit(child) {
  return new Promise(resolve => child.once('error', () => resolve(false)).once('close', code => resolve(code === 0)));
}

/** The TAP of all tests goes into a file; of it, failures, skipped tests and what is no TAP are shown. */
async function tests() {
  mkdirSync('build', {recursive: true});
  const file = createWriteStream(tap);
  const ava = spawn(process.execPath, ['node_modules/ava/entrypoints/cli.mjs', '--tap'], {stdio: ['ignore', 'pipe', 'inherit']});
  const ended = exit(ava);
  let shown = false;
  for await (const line of createInterface({input: ava.stdout})) {
    file.write(`${line}\n`);
    const kind = kindOf(line);
    if (kind) counts[kind]++;
    // The lines after `not ok` say why; the next result or comment ends them.
    if (kind || line.startsWith('# ')) shown = kind === 'failed' || kind === 'skipped';
    if (shown) console.log(line);
  }
  const good = await ended;
  file.end();
  // A crash before the first result, or outside of any test, is a failure that TAP does not show.
  if (!good && counts.failed === 0) counts.failed = 1;
  console.log(`All results: ${tap}`);
  return good && counts.failed === 0;
}

function kindOf(line) {
  const result = /^(not )?ok \d+/.exec(line);
  if (!result) return undefined;
  if (/ # (SKIP|TODO)\b/i.test(line)) return 'skipped';
  return result[1] ? 'failed' : 'passed';
}
