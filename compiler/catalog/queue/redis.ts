/** Redis, and BullMQ on it: optional peers of dnnc, loaded only where a queue is asked for. */
import {setTimeout as sleep} from 'node:timers/promises';
import type * as Bullmq from 'bullmq';
import type {Redis} from 'ioredis';
import {fail} from '../../../ir/diagnostics.js';

export type Connection = {
  /** Host, port and database; no password. */
  readonly where: string;
  readonly redis: Redis;
  readonly bullmq: typeof Bullmq;
  /** For how many milliseconds it has been gone; 0: it is there. And for how many it has been there without a break. */
  gone(): number;
  there(): number;
  /** Closes it once all that uses it has closed, or cannot. */
  end(closing: readonly Promise<unknown>[]): Promise<void>;
};

/** Milliseconds that Redis may take to answer for the first time. */
const firstAnswer = 5000;
/** And that saying goodbye may take. */
const farewell = 2000;

/**
 * Later on Redis may be gone for a while: what is asked of it then waits, and `warn` is told. Errors: usage queue.missing, queue.url;
 * input queue.unreachable.
 */
export async function connect(url: string, warn: (says: string) => void): Promise<Connection> {
  const where = placeOf(url);
  const {Redis, bullmq} =
    (await peers()) ??
    fail(
      'usage',
      'queue.missing',
      '--queue',
      'bullmq or ioredis is not installed',
      'npm install bullmq ioredis (optional peers of dnnc)',
    );
  const redis = new Redis(url, {
    maxRetriesPerRequest: null,
    connectTimeout: 5000,
    // A process that is done does not wait for goodbyes.
    disconnectTimeout: 200,
    retryStrategy: tries => Math.min(50 * 2 ** tries, 2000),
  });
  let says = 'no answer';
  redis.on('error', (error: Error) => {
    says = error.message || says;
  });
  await new Promise<void>((resolve, reject) => {
    const clock = setTimeout(() => reject(new Error(says)), firstAnswer);
    redis.once('ready', () => {
      clearTimeout(clock);
      resolve();
    });
  }).catch(() => {
    redis.disconnect();
    fail('input', 'queue.unreachable', where, says, 'see whether redis-server runs there, and can be reached from here');
  });
  // BullMQ makes more connections of this one, and does not close them where Redis is gone.
  const more: Redis[] = [];
  const duplicate = redis.duplicate.bind(redis);
  redis.duplicate = override => {
    const made = duplicate(override).on('error', () => {});
    more.push(made);
    return made;
  };
  let since: number | null = null;
  let back = Number.NEGATIVE_INFINITY;
  let closed = false;
  redis.on('close', () => {
    if (closed || since !== null) return;
    since = performance.now();
    warn(`Redis at ${where} is gone; waiting for it`);
  });
  redis.on('ready', () => {
    if (since !== null) warn(`Redis at ${where} is back`);
    since = null;
    back = performance.now();
  });
  return {
    ...{where, redis, bullmq},
    gone: () => (since === null ? 0 : performance.now() - since),
    there: () => (since === null ? performance.now() - back : 0),
    async end(closing) {
      await Promise.race([Promise.allSettled(closing), sleep(since === null ? farewell : 0, null, {ref: false})]);
      closed = true;
      for (const each of [redis, ...more]) each.disconnect();
    },
  };
}

async function peers() {
  try {
    const [bullmq, {Redis}] = await Promise.all([import('bullmq'), import('ioredis')]);
    return {bullmq, Redis};
  } catch {
    return null;
  }
}

/** Error: usage queue.url. */
function placeOf(url: string): string {
  const refuse = (): never =>
    fail('usage', 'queue.url', url.replace(/\/\/.*@/, '//'), 'is not the address of a Redis', 'redis://HOST:PORT, or with /DB');
  if (!URL.canParse(url)) return refuse();
  const {protocol, host, pathname} = new URL(url);
  return /^rediss?:$/.test(protocol) && host !== '' ? `${host}${pathname === '/' ? '' : pathname}` : refuse();
}
