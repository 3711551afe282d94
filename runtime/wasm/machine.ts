/**
 * One instance of a module and its memory: code and stack first, then weights, the arena and what goes to and from calls.
 * One thread runs all of it, so one arena serves every entry, and so does one place for inputs and outputs.
 */
import {DnncRuntimeError} from '../errors.js';
import type {WasmExports, WasmMemory} from './api.js';

/** A C function: pointers and sizes are numbers. */
export type WasmFunction = (...args: readonly number[]) => number;

export type Machine = {
  /** Throws `library.symbol`. */
  function(name: string): WasmFunction;
  /** The address of exported data. Throws `library.symbol`. */
  address(name: string): number;
  /** All memory as it is now; it grows, and the old arrays are detached then. */
  bytes(): Uint8Array<ArrayBuffer>;
  /** Room that is never given back, 64-byte aligned. Throws `library.memory`. */
  take(bytes: number): number;
  /** Room that every call may overwrite, at least so large from now on. */
  reserve(bytes: number): void;
  /** Where that room is. */
  transfer(): number;
};

const alignment = 64;
const pageBytes = 65536;

/** `where`: the file, for errors. Throws `library.symbol` where this is no module of dnnc. */
export function createMachine(exports: WasmExports, where: string): Machine {
  const missing = (name: string): never => {
    throw new DnncRuntimeError('library.symbol', where, `the module does not export ${name}`, 'build the directory again');
  };
  const address = (name: string): number => {
    const global = exports[name] as {readonly value?: unknown} | undefined;
    return typeof global?.value === 'number' ? global.value >>> 0 : missing(name);
  };
  const memory = isMemory(exports.memory) ? exports.memory : missing('memory');
  let next = address('__heap_base');
  let view = new Uint8Array(memory.buffer);
  let room = {at: 0, bytes: 0};

  function take(bytes: number): number {
    const at = Math.ceil(next / alignment) * alignment;
    const lacks = at + bytes - memory.buffer.byteLength;
    if (lacks > 0) {
      try {
        memory.grow(Math.ceil(lacks / pageBytes));
      } catch (error) {
        throw new DnncRuntimeError(
          'library.memory',
          where,
          `there is no room for ${at + bytes} bytes, weights and arena included`,
          'free some memory, or build with narrower weights',
          error,
        );
      }
    }
    next = at + bytes;
    return at;
  }

  return {
    function: name => {
      const found = exports[name];
      return isFunction(found) ? found : missing(name);
    },
    address,
    bytes() {
      if (view.buffer !== memory.buffer) view = new Uint8Array(memory.buffer);
      return view;
    },
    take,
    reserve(bytes) {
      if (bytes > room.bytes) room = {at: take(bytes), bytes};
    },
    transfer: () => room.at,
  };
}

const isFunction = (value: unknown): value is WasmFunction => typeof value === 'function';

const isMemory = (value: unknown): value is WasmMemory =>
  typeof value === 'object' && value !== null && 'buffer' in value && 'grow' in value && value.buffer instanceof ArrayBuffer;
