/** Workers that are there: they say so, and what they are doing. */
import type {Redis} from 'ioredis';
import {z} from 'zod';
import {isOfMachine, type Job} from '../jobs.js';
import {type Party, prefix, queueOf} from './party.js';

const presence = z.object({
  id: z.string(),
  host: z.string(),
  pid: z.number(),
  dnnc: z.string(),
  cpu: z.string(),
  compiler: z.string(),
  features: z.string(),
  /** Keys of jobs. */
  doing: z.array(z.string()),
});

/** A worker that is there. */
export type Presence = Readonly<z.infer<typeof presence>>;

const all = `${prefix}:workers`;
const keyOf = (id: string): string => `${prefix}:worker:${id}`;

/** Holds for that many milliseconds. */
export async function announce(redis: Redis, its: Presence, milliseconds: number): Promise<void> {
  await redis.multi().sadd(all, its.id).set(keyOf(its.id), JSON.stringify(its), 'PX', milliseconds).exec();
}

export async function takeLeave(redis: Redis, id: string): Promise<void> {
  await redis.multi().srem(all, id).del(keyOf(id)).exec();
}

/** Workers that have announced themselves lately. */
export async function whoIsThere(redis: Redis): Promise<readonly Presence[]> {
  const ids = await redis.smembers(all);
  if (ids.length === 0) return [];
  const texts = await redis.mget(ids.map(keyOf));
  const gone = ids.filter((_, i) => texts[i] === null);
  if (gone.length > 0) await redis.srem(all, gone);
  return texts.flatMap(text => {
    const parsed = text === null || text === undefined ? null : presence.safeParse(jsonOf(text));
    return parsed?.success ? [parsed.data] : [];
  });
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** Why none of the workers that are there takes a job; null: one does. */
export function whyNobody(job: Job, wanted: Party, there: readonly Presence[]): string | null {
  if (there.some(its => queueOf(job, its) === queueOf(job, wanted))) return null;
  const machine = isOfMachine(job) ? ` on ${wanted.cpu} with ${wanted.compiler}` : '';
  const others = new Set(there.map(its => `${its.host} has ${differenceOf(its, wanted)}`));
  return `it needs a worker of dnnc ${wanted.dnnc}${machine}; ${others.size === 0 ? 'there is none at all' : [...others].join(', ')}`;
}

function differenceOf(its: Party, wanted: Party): string {
  if (its.dnnc !== wanted.dnnc) return `dnnc ${its.dnnc}`;
  if (its.cpu !== wanted.cpu) return its.cpu;
  return its.compiler === wanted.compiler ? 'other features of that CPU' : its.compiler;
}
