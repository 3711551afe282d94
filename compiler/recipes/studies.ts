/** What was found out about networks, for recipes that need the same: the last few, since a study holds a network and its samples. */

export type Studies<T> = {
  /** What `study` gave for this key before, or gives now. */
  of(key: string, study: () => Promise<T>): Promise<T>;
};

export function lastFew<T>(most: number): Studies<T> {
  const known = new Map<string, Promise<T>>();
  return {
    of(key, study) {
      const found = known.get(key) ?? study();
      // Last used, last in the map.
      known.delete(key);
      known.set(key, found);
      found.catch(() => known.delete(key));
      const [oldest] = known.keys();
      if (known.size > most && oldest !== undefined) known.delete(oldest);
      return found;
    },
  };
}
