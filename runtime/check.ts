/**
 * Small checks that compose: `object({name: anyText, n: optional(count)})` accepts exactly the values of its type, and says
 * where a value differs. The compiler holds the checks to the type, so a new field of the type cannot be forgotten here.
 */
import {DnncRuntimeError, type RuntimeErrorCode} from './errors.js';

/** Throws unless the value has the type; `path` says where the value stands. */
export type Check<T> = {(value: unknown, path: string): void; readonly of?: T};
type Optional<T> = {readonly optional: Check<T>};

/** One check per field. The compiler holds it to the type: an optional field takes `optional(...)`, a required one must not. */
type Fields<T> = {
  readonly [K in keyof T]-?: Record<never, never> extends Pick<T, K> ? Optional<Exclude<T[K], undefined>> : Check<T[K]>;
};

export function wrong(path: string, says: string, cure = 'build the directory again, or fix this field'): never {
  throw new DnncRuntimeError('manifest.invalid', path || 'manifest', says, cure);
}

export const show = (value: unknown): string => {
  const text = typeof value === 'bigint' ? `${value}n` : (JSON.stringify(value) ?? String(value));
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
};

const join = (path: string, key: string): string => (path === '' ? key : `${path}.${key}`);

export const optional = <T>(check: Check<T>): Optional<T> => ({optional: check});

export const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

export function object<T extends object>(fields: Fields<T>): Check<T> {
  const checks = Object.entries<Check<unknown> | Optional<unknown>>(fields);
  return (value, path) => {
    if (!isRecord(value)) wrong(path, `must be an object, is ${show(value)}`);
    for (const key of Object.keys(value)) {
      if (!Object.hasOwn(fields, key)) wrong(join(path, key), `is not a field; there are ${Object.keys(fields).join(', ')}`);
    }
    for (const [key, check] of checks) {
      if (!Object.hasOwn(value, key) || value[key] === undefined) {
        if (typeof check === 'function') wrong(join(path, key), 'is missing');
      } else if (typeof check === 'function') check(value[key], join(path, key));
      else check.optional(value[key], join(path, key));
    }
  };
}

export const array =
  <T>(check: Check<T>, least = 0): Check<readonly T[]> =>
  (value, path) => {
    if (!Array.isArray(value)) wrong(path, `must be an array, is ${show(value)}`);
    if (value.length < least) wrong(path, `needs at least ${least} of them, has ${value.length}`);
    for (const [i, item] of value.entries()) check(item, `${path}[${i}]`);
  };

export const dictionary =
  <T>(check: Check<T>, key: RegExp): Check<{readonly [name: string]: T}> =>
  (value, path) => {
    if (!isRecord(value)) wrong(path, `must be an object, is ${show(value)}`);
    for (const [name, item] of Object.entries(value)) {
      if (!key.test(name)) wrong(path, `has the name ${show(name)}, which does not match ${key}`);
      check(item, join(path, name));
    }
  };

export const text =
  (pattern: RegExp, meaning: string): Check<string> =>
  (value, path) => {
    if (typeof value !== 'string' || !pattern.test(value)) wrong(path, `must be ${meaning}, is ${show(value)}`);
  };

export const oneOf =
  <T extends string | number | boolean>(...values: readonly T[]): Check<T> =>
  (value, path) => {
    if (!values.some(allowed => allowed === value)) wrong(path, `must be ${values.map(show).join(' or ')}, is ${show(value)}`);
  };

export const number =
  (least: number, most = Number.MAX_VALUE): Check<number> =>
  (value, path) => {
    if (typeof value !== 'number' || !(value >= least && value <= most)) {
      wrong(
        path,
        `must be a number ${most === Number.MAX_VALUE ? `from ${least}` : `from ${least} to ${most}`}, is ${show(value)}`,
      );
    }
  };

export const integer =
  (least: number): Check<number> =>
  (value, path) => {
    if (!Number.isSafeInteger(value) || Number(value) < least)
      wrong(path, `must be a whole number from ${least}, is ${show(value)}`);
  };

export const anyText: Check<string> = (value, path) => {
  if (typeof value !== 'string') wrong(path, `must be a string, is ${show(value)}`);
};

/** Runs the check of a document that is no manifest: its errors have the document's own code, name and cure. */
export function checked<T>(
  check: Check<T>,
  value: unknown,
  code: RuntimeErrorCode,
  document: string,
  cure: string,
): asserts value is T {
  try {
    check(value, '');
  } catch (error) {
    if (!(error instanceof DnncRuntimeError) || error.code !== 'manifest.invalid') throw error;
    throw new DnncRuntimeError(code, error.where === 'manifest' ? document : error.where, error.says, cure);
  }
}
