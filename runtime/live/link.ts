/**
 * Whether the server can be reached: a request that fails says no, then it is asked for its health, less often each time, until it
 * is there. A server that is healthy and fails all the same is left alone for longer and longer.
 */
export type LinkWatch = {
  /** A request has failed. */
  failed(): void;
  /** A request was answered. */
  succeeded(): void;
  /** Asks no more. */
  close(): void;
};

export type LinkOptions = {
  /** Whether the server is there now. */
  readonly probe: () => Promise<boolean>;
  readonly changed: (up: boolean) => void;
  /** Seconds until the first question, and between questions at most. */
  readonly first?: number;
  readonly most?: number;
};

export function watchLink({probe, changed, first = 1, most = 60}: LinkOptions): LinkWatch {
  let isUp = true;
  let isClosed = false;
  let wait = first;
  let timer: ReturnType<typeof setTimeout> | undefined;

  const ask = async (): Promise<void> => {
    const up = await probe();
    if (isClosed) return;
    if (!up) return later();
    isUp = true;
    changed(true);
  };
  const later = (): void => {
    timer = setTimeout(() => void ask(), 1000 * wait);
    wait = Math.min(most, 2 * wait);
  };
  return {
    failed() {
      if (!isUp || isClosed) return;
      isUp = false;
      changed(false);
      later();
    },
    succeeded() {
      if (isUp) wait = first;
    },
    close() {
      isClosed = true;
      clearTimeout(timer);
    },
  };
}
