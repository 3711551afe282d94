/** What `NAME_check` of a library says about a blob: the FACES_ERROR_* of the generated header, as errors. */
import {DnncRuntimeError, type RuntimeErrorCode} from './errors.js';

const weightsErrors: Readonly<Record<number, readonly [RuntimeErrorCode, string]>> = {
  1: ['weights.truncated', 'is shorter than its header says'],
  2: ['weights.format', 'is not a weight file of dnnc'],
  3: ['weights.version', 'has a format that this library does not read'],
  4: ['weights.byte-order', 'is for machines of the other byte order'],
  5: ['weights.build', 'belongs to another build than the library'],
  6: ['weights.damaged', 'is damaged: its checksum is wrong'],
  7: ['weights.alignment', 'is not aligned to 64 bytes in memory'],
};

/** Throws `weights.*` where the status is not 0. */
export function acceptWeights(status: number, file: string): void {
  if (status === 0) return;
  const [code, says] = weightsErrors[status] ?? (['weights.format', `is refused with code ${status}`] as const);
  throw new DnncRuntimeError(code, file, says, 'copy the file again from its build, or build again');
}
