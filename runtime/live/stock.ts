/**
 * Which weights are in memory. They are read beside the requests: what needs them waits, all else goes on. What is to go goes when
 * all that was decided before is done with it, and what is to come waits until that is so: there is never more in memory than the
 * scheduler believes.
 */
import type {Session} from '../session.js';

/** Segments whose weights are to be brought into memory, and those to be given back before. */
export type Change = {readonly load: readonly string[]; readonly evict: readonly string[]};

export type Stock = {
  /** Resolves when all that is to be loaded is there. Rejects where it cannot be: the next job that needs it tries again. */
  change(change: Change): Promise<void>;
  /** Works once these segments are there, and keeps them until it is done. */
  use<T>(segments: readonly string[], work: () => Promise<T>): Promise<T>;
  /** In memory now. */
  bytes(): number;
};

export function newStock(session: Session): Stock {
  /** Parts without weights of their own in the file, such as whole variants, cannot be paged: they stay. */
  const pageable = new Set(session.manifest.segments.filter(({weights}) => weights).map(({id}) => id));
  const resident = new Map<string, number>();
  const coming = new Map<string, Promise<void>>();
  /** When all that uses a segment is done. */
  const users = new Map<string, Promise<void>>();
  /** When all is gone that had to go so far. */
  let room: Promise<void> = Promise.resolve();

  const evict = async (id: string, idle: readonly (Promise<unknown> | undefined)[]): Promise<void> => {
    await Promise.allSettled(idle);
    if (resident.delete(id)) session.unloadSegment(id);
  };

  const load = (id: string): Promise<void> => {
    const loading = room.then(async () => {
      const bytes = await session.loadSegmentAsync(id);
      resident.set(id, bytes);
    });
    const arrived = loading.finally(() => {
      if (coming.get(id) === arrived) coming.delete(id);
    });
    coming.set(id, arrived);
    return arrived;
  };

  const change = async (wanted: Change): Promise<void> => {
    const goes = wanted.evict.filter(id => pageable.has(id));
    const gone = goes.map(id => evict(id, [coming.get(id), users.get(id)]));
    for (const id of goes) coming.delete(id);
    if (gone.length > 0) room = settled([room, ...gone]);
    await Promise.all(wanted.load.filter(id => pageable.has(id)).map(load));
  };

  /** What is not there and not on its way, since its load failed, is loaded now. */
  const waitFor = (segments: readonly string[]): readonly Promise<void>[] =>
    segments.flatMap(id => {
      const loading = coming.get(id);
      if (loading) return [loading];
      return pageable.has(id) && !resident.has(id) ? [load(id)] : [];
    });

  return {
    change,
    use(segments, work) {
      const waits = waitFor(segments);
      const done = waits.length > 0 ? Promise.all(waits).then(work) : work();
      for (const id of segments) if (pageable.has(id)) users.set(id, settled([users.get(id), done]));
      return done;
    },
    bytes: () => [...resident.values()].reduce((sum, bytes) => sum + bytes, 0),
  };
}

/** When all is over, however it ended. It keeps no results: one that waits for the one before would keep those of a whole day. */
const settled = (all: readonly unknown[]): Promise<void> => Promise.allSettled(all).then(() => undefined);
