/**
 * What can go wrong while a build is loaded or run. `code` is one string to grep, `where` the file, field or entry,
 * `cure` what the user can do. Calls with wrong array lengths are plain RangeErrors, with wrong array types plain TypeErrors.
 */
export type RuntimeErrorCode =
  | 'manifest.invalid'
  | 'manifest.file'
  | 'loader.missing'
  | 'loader.version'
  | 'library.none'
  | 'library.file'
  | 'library.hash'
  | 'library.symbol'
  | 'library.memory'
  | 'weights.file'
  | 'weights.truncated'
  | 'weights.format'
  | 'weights.version'
  | 'weights.byte-order'
  | 'weights.build'
  | 'weights.damaged'
  | 'weights.alignment'
  | 'session.task'
  | 'session.variant'
  | 'session.segment'
  | 'session.cut'
  | 'session.input'
  | 'session.prior'
  | 'session.batch'
  | 'session.scores'
  | 'session.call'
  | 'catalog.invalid'
  | 'profile.invalid'
  | 'trace.invalid'
  | 'record.invalid'
  | 'record.differs'
  | 'live.request'
  | 'live.setup'
  | 'remote.unreachable'
  | 'remote.answer'
  | 'remote.refused';

export class DnncRuntimeError extends Error {
  override readonly name = 'DnncRuntimeError';
  readonly code: RuntimeErrorCode;
  readonly where: string;
  readonly says: string;
  readonly cure: string | undefined;

  constructor(code: RuntimeErrorCode, where: string, says: string, cure?: string, cause?: unknown) {
    super(`${code}: ${where}: ${says}${cure ? `\n  cure: ${cure}` : ''}`, cause === undefined ? undefined : {cause});
    this.code = code;
    this.where = where;
    this.says = says;
    this.cure = cure;
  }
}
