/** The record of a day on disk, line by line as it happens: what was written is there even if the program is killed. */
import {closeSync, openSync, writeSync} from 'node:fs';

export type Log = {write(line: string): void; close(): void};

/** Throws where the file cannot be made. A disk that is full later costs the rest of the record, not the stream: it is said once. */
export function openLog(file: string): Log {
  const log = openSync(file, 'w');
  let isWhole = true;
  return {
    write(line) {
      if (!isWhole) return;
      try {
        writeSync(log, `${line}\n`);
      } catch (error) {
        isWhole = false;
        process.stderr.write(`${file}: ${(error as Error).message}; the record ends here, the stream goes on\n`);
      }
    },
    close: () => closeSync(log),
  };
}
