/** Lines of files that may be larger than memory, and files that are there as a whole or not at all. */
import {closeSync, mkdirSync, openSync, readSync, renameSync, rmSync, writeFileSync} from 'node:fs';
import {dirname} from 'node:path';
import {fail} from '../../ir/diagnostics.js';
import {unwritable} from '../data/files.js';

const chunkBytes = 1 << 16;
/** A longer line is no line of ours: it is refused before it fills the memory. */
const longest = 1 << 20;

export function* linesOf(file: string): Generator<string> {
  const descriptor = opened(file);
  try {
    const chunk = new Uint8Array(chunkBytes);
    const decoder = new TextDecoder();
    let rest = '';
    for (;;) {
      const count = readSync(descriptor, chunk);
      const lines = (rest + decoder.decode(chunk.subarray(0, count), {stream: count > 0})).split('\n');
      rest = lines.pop() ?? '';
      yield* lines;
      if (rest.length > longest)
        fail('input', 'simulate.line', file, `has a line of more than ${longest} characters`, 'give one JSON object per line');
      if (count === 0) break;
    }
    if (rest !== '') yield rest;
  } finally {
    closeSync(descriptor);
  }
}

function opened(file: string): number {
  try {
    return openSync(file, 'r');
  } catch {
    return fail('input', 'simulate.file', file, 'cannot be read', 'check the path');
  }
}

/** Lines go into a file beside, which takes the place of `file` once all of them are written. Errors: those of `unwritable`. */
export type LineWriter = {write(line: string): void; keep(): void; discard(): void};

export function lineWriter(file: string): LineWriter {
  const partial = `${file}.partial-${process.pid}`;
  const attempt = <T>(act: () => T): T => {
    try {
      return act();
    } catch (cause) {
      return unwritable(file, cause);
    }
  };
  const descriptor = attempt(() => {
    mkdirSync(dirname(file), {recursive: true});
    return openSync(partial, 'w');
  });
  let buffered = '';
  const flush = (): void => {
    attempt(() => writeFileSync(descriptor, buffered));
    buffered = '';
  };
  return {
    write(line) {
      buffered += `${line}\n`;
      if (buffered.length > chunkBytes) flush();
    },
    keep() {
      flush();
      attempt(() => renameSync(partial, file));
      closeSync(descriptor);
    },
    discard() {
      closeSync(descriptor);
      rmSync(partial, {force: true});
    },
  };
}
