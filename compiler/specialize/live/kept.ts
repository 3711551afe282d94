/** What was fitted for contexts, least recently used last to stay. */
import type {AdoptedId, Session} from '../../../runtime/index.js';
import type {Context} from '../../context.js';
import type {Fitted} from './fitted.js';
import {isLike} from './watch.js';

type Entry = {
  readonly context: Context;
  /** null: nothing pays there. */
  readonly cascade: AdoptedId | null;
  /** The exit that it begins with, if any. */
  readonly head: AdoptedId | null;
};

export type Kept = {
  /** The cascade for a context like this one; null: the general network is as good. undefined: nothing is known. */
  find(context: Context): AdoptedId | null | undefined;
  /** null: nothing pays there. Throws what `Session.adopt` throws; nothing is kept then. */
  add(context: Context, fitted: Fitted | null): void;
  /** Something was wrong with it. */
  drop(cascade: AdoptedId): void;
};

/** At most `limit` contexts. */
export function createKept(session: Pick<Session, 'adopt' | 'drop'>, limit: number): Kept {
  /** The last one was used last. */
  let entries: readonly Entry[] = [];

  /** Heads serve several contexts. */
  function release({cascade, head}: Entry): void {
    if (cascade !== null) session.drop(cascade);
    if (head !== null && !entries.some(other => other.head === head)) session.drop(head);
  }

  function adopted(fitted: Fitted | null): Pick<Entry, 'cascade' | 'head'> {
    if (!fitted) return {cascade: null, head: null};
    const ids = session.adopt(fitted.variants, fitted.heads);
    return {cascade: ids.at(-1)!, head: ids.length > 1 ? ids[0]! : null};
  }

  return {
    find(context) {
      const entry = entries.findLast(each => isLike(each.context, context));
      if (!entry) return undefined;
      entries = [...entries.filter(each => each !== entry), entry];
      return entry.cascade;
    },
    add(context, fitted) {
      const all = [...entries, {context, ...adopted(fitted)}];
      entries = all.slice(-limit);
      for (const entry of all.slice(0, -limit)) release(entry);
    },
    drop(cascade) {
      const entry = entries.find(each => each.cascade === cascade);
      if (!entry) return;
      entries = entries.map(each => (each === entry ? {...each, cascade: null, head: null} : each));
      release(entry);
    },
  };
}
