/**
 * What can go wrong, in five kinds that are never mixed. A problem names the rule (`code`), the place (`where`), the
 * values (`says`) and the cure. `code` is one string to grep: the same in errors, tests and documents.
 */
import type {Loc} from './types.js';

/** usage: wrong command line. unsupported: not built yet. input: the file or data is wrong. check: a check asked for did not hold. bug: ours. */
export type Kind = 'usage' | 'unsupported' | 'input' | 'check' | 'bug';

/** Exit codes of the command line. */
export const exitCodes: Readonly<Record<Kind, number>> = {bug: 1, usage: 2, unsupported: 3, input: 4, check: 5};

export type Problem = {
  /** The rule that does not hold, such as `conv2d.channels`. */
  readonly code: string;
  /** File, node, field: whatever leads to the place. */
  readonly where: string;
  /** What is wrong, with the values. */
  readonly says: string;
  /** What the user can do about it. */
  readonly cure?: string;
};

/** Every error that dnnc throws on purpose. Several problems of one kind travel together: all unsupported nodes are listed at once. */
export class DnncError extends Error {
  override readonly name = 'DnncError';
  readonly kind: Kind;
  readonly problems: readonly Problem[];

  constructor(kind: Kind, problems: readonly Problem[], cause?: unknown) {
    super(problems.map(describe).join('\n'), cause === undefined ? undefined : {cause});
    this.kind = kind;
    this.problems = problems;
  }
}

const describe = ({code, where, says, cure}: Problem): string => `${code}: ${where}: ${says}${cure ? `\n  cure: ${cure}` : ''}`;

/** Throws one problem. `fail('input', 'npy.header', file, 'the header ends early', 'write the file again with numpy.save')`. */
export function fail(kind: Kind, code: string, where: string, says: string, cure?: string): never {
  throw new DnncError(kind, [cure === undefined ? {code, where, says} : {code, where, says, cure}]);
}

/** Asserts a promise of our own; its failure is a bug of dnnc, never of the user. */
export function invariant(holds: unknown, code: string, where: string, says: string): asserts holds {
  if (!holds) fail('bug', code, where, says);
}

/** A location as people read it: innermost origin first, passes in brackets. */
export function showLoc(loc: Loc): string {
  switch (loc.kind) {
    case 'onnx':
      return `${loc.file}, node "${loc.node}"`;
    case 'text':
      return `${loc.file}:${loc.line}:${loc.column}`;
    case 'pass':
      return `${loc.from.map(showLoc).join(' + ')} (${loc.pass})`;
    default:
      return loc satisfies never;
  }
}
