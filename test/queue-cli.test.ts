/** `dnnc work`, `dnnc store` and the flags of a build that has its catalog made elsewhere. */
import {spawn} from 'node:child_process';
import {writeFileSync} from 'node:fs';
import {join} from 'node:path';
import test from 'ava';
import {npz, splits} from '../examples/signs/data.js';
import {cli, dnnc, writeTiny} from './support/cli.js';
import {hasRedis, startRedis} from './support/redis.js';
import {temporaryFolder} from './support/temporary.js';
import {hasCompiler} from './tiny-build.js';

/** A command that runs until it is told to end: what it says first, and its exit code then. */
async function running(args: readonly string[], cache: string) {
  const child = spawn(process.execPath, [cli, ...args], {
    env: {...process.env, XDG_CACHE_HOME: cache},
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = new Promise<number | null>(resolve => child.once('exit', resolve));
  let said = '';
  child.stdout.on('data', (text: Buffer) => {
    said += text.toString();
  });
  await Promise.race([new Promise(resolve => child.stdout.once('data', resolve)), ended]);
  return {
    said: () => said,
    end: () => {
      child.kill('SIGTERM');
      return ended;
    },
  };
}

test('flags that have no meaning', async t => {
  const folder = temporaryFolder();
  writeTiny(folder);
  for (const [flags, message] of [
    [['--queue', 'redis://here'], /catalog\.queue: --queue: has no meaning without --catalog/],
    [['--workers', '2'], /catalog\.queue: --workers: has no meaning without --catalog/],
    [['--catalog', '--store', 'http://here'], /catalog\.queue: --store: has no meaning without --queue/],
    [['--catalog', '--queue', 'redis://here', '--workers', '2'], /catalog\.queue: --queue: (.|\n)*dnnc work has it/],
  ] as const) {
    const {code, stderr} = await dnnc(['build', join(folder, 'tiny.onnx'), ...flags]);
    t.is(code, 2);
    t.regex(stderr, message);
  }
});

test('nobody there: one error, no stack', async t => {
  const {code, stderr} = await dnnc(['work', '--queue', 'redis://user:secret@127.0.0.1:9']);
  t.is(code, 4);
  t.is(stderr.split('\n')[0], 'dnnc: queue.unreachable: 127.0.0.1:9: connect ECONNREFUSED 127.0.0.1:9');
  t.false(stderr.includes('secret'));
});

(hasRedis && hasCompiler ? test : test.skip)('a store, a worker and a build', async t => {
  const folder = temporaryFolder();
  const at = (name: string): string => join(folder, name);
  writeTiny(folder);
  writeFileSync(at('evaluate.npz'), npz({seed: splits.tune, count: 60}));
  const redis = await startRedis();
  t.teardown(redis.stop);
  const store = await running(['store', '--port', '0', '--folder', at('store')], at('cache'));
  const [url = ''] = /^http:\S+/.exec(store.said()) ?? [];
  const worker = await running(['work', '--queue', redis.url], at('worker'));
  t.regex(worker.said(), /^dnnc \S+ \w+ on .* waits for jobs at 127\.0\.0\.1:\d+\/1; keeps what it needs in /);
  const outcome = await dnnc(
    [
      'build',
      ...['--config', at('dnnc.config.json'), '-o', at('out'), '--catalog', '--max-loss', '100', '--no-measure', '--json'],
      ...['--target', 'generic', '--queue', redis.url, '--store', url],
    ],
    {env: {XDG_CACHE_HOME: at('cache')}},
  );
  // Without samples there is nothing that could be made of so small a network: the answer of the search, not of the queue.
  t.is(outcome.code, 5, outcome.stderr);
  t.regex(outcome.stderr, /^dnnc: catalog\.nothing/);
  t.regex(worker.said(), /\nweather: measuring: done \(\d+\.\d\d s\)\n/);
  t.is(await worker.end(), 0);
  t.is(await store.end(), 0);
  t.is(outcome.stdout, '');
});
