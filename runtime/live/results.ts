/** Values that are handed out as they come; who asks late gets them too. */
export type Results<T> = AsyncIterable<T> & {
  push(value: T): void;
  end(): void;
  fail(error: unknown): void;
};

export function results<T>(): Results<T> {
  const all: T[] = [];
  let state: 'open' | 'ended' | 'failed' = 'open';
  let error: unknown;
  let wake: (() => void)[] = [];
  const changed = (): void => {
    for (const resolve of wake) resolve();
    wake = [];
  };
  return {
    push(value) {
      all.push(value);
      changed();
    },
    end() {
      state = 'ended';
      changed();
    },
    fail(reason) {
      [state, error] = ['failed', reason];
      changed();
    },
    async *[Symbol.asyncIterator]() {
      for (let i = 0; ; i++) {
        while (i === all.length && state === 'open') await new Promise<void>(resolve => wake.push(resolve));
        if (i < all.length) yield all[i]!;
        else if (state === 'failed') throw error;
        else return;
      }
    },
  };
}
