/** A Redis of a test's own, on a loopback port, without files. */
import {type ChildProcess, execFileSync, spawn} from 'node:child_process';
import type {AddressInfo} from 'node:net';
import {createServer} from 'node:net';

export const hasRedis = ((): boolean => {
  try {
    execFileSync('redis-server', ['--version'], {stdio: 'ignore'});
    return true;
  } catch {
    return false;
  }
})();

export type RedisServer = {readonly url: string; start(): Promise<void>; stop(): Promise<void>};

const started = new Set<RedisServer>();
process.once('exit', () => {
  for (const {stop} of started) void stop();
});

/** Started. After `stop` and `start` it is at the same place and has forgotten all. */
export async function startRedis(): Promise<RedisServer> {
  const port = await freePort();
  let child: ChildProcess | null = null;
  const server: RedisServer = {
    url: `redis://127.0.0.1:${port}/1`,
    start: () =>
      new Promise((resolve, reject) => {
        child = spawn('redis-server', ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no']);
        child.once('error', reject).once('exit', code => reject(new Error(`redis-server ended with ${code}`)));
        child.stdout?.on('data', (text: Buffer) => {
          if (text.includes('Ready to accept connections')) resolve();
        });
      }),
    stop: () =>
      new Promise(resolve => {
        if (!child || child.exitCode !== null || child.signalCode !== null) return resolve();
        child.once('exit', () => resolve());
        child.kill('SIGKILL');
      }),
  };
  started.add(server);
  await server.start();
  return server;
}

const freePort = (): Promise<number> =>
  new Promise(resolve => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const {port} = probe.address() as AddressInfo;
      probe.close(() => resolve(port));
    });
  });
