/**
 * Protobuf's wire format, one message at a time, over views of the file: nothing is copied, a field can never reach
 * beyond the message that holds it, and a wrong wire type is an error rather than a wrong number.
 */
import protobuf from 'protobufjs/minimal.js';

/** The bytes are not the protobuf message that was expected. `at` is an offset into the buffer below the message. */
export class WireError extends Error {
  override readonly name = 'WireError';
  readonly at: number;
  /** The data ends inside a field: a cut-off file looks like this. */
  readonly endsEarly: boolean;

  constructor(says: string, at: number, endsEarly = false) {
    super(says);
    this.at = at;
    this.endsEarly = endsEarly;
  }
}

/** 0 varint, 1 fixed 64, 2 length-delimited, 5 fixed 32. */
type WireType = 0 | 1 | 2 | 5;

/** A message being read: `while (message.next()) switch (message.field) { case 1: x = message.text(); ... default: message.skip(); }`. */
export class Message {
  field = 0;
  #wire = 0;
  readonly #bytes: Uint8Array;
  readonly #reader: protobuf.Reader;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#reader = new protobuf.Reader(bytes);
  }

  /** Goes to the next field; false at the end. */
  next(): boolean {
    const reader = this.#reader;
    if (reader.pos >= this.#bytes.length) return false;
    const tag = this.#guard(() => reader.tag());
    this.field = tag >>> 3;
    this.#wire = tag & 7;
    if (this.field === 0) this.#wrong('field number 0');
    return true;
  }

  /** A varint as a number: exact to 2^53, then the nearest; negative int64 stay negative. */
  int(): number {
    this.#expect(0);
    // protobufjs gives a plain number where the long package cannot be loaded.
    const value: number | {low: number; high: number} = this.#guard(() => this.#reader.int64());
    return typeof value === 'number' ? value : value.high * 2 ** 32 + (value.low >>> 0);
  }

  float(): number {
    this.#expect(5);
    return this.#guard(() => this.#reader.float());
  }

  bytes(): Uint8Array {
    this.#expect(2);
    return this.#guard(() => this.#reader.bytes());
  }

  text(): string {
    this.#expect(2);
    return this.#guard(() => this.#reader.string());
  }

  message(): Message {
    return new Message(this.bytes());
  }

  /** The bytes of one element (unpacked) or of a run of elements (packed) of a repeated scalar. */
  elements(wire: WireType): Uint8Array {
    if (this.#wire === 2) return this.bytes();
    this.#expect(wire);
    const start = this.#reader.pos;
    this.skip();
    return this.#bytes.subarray(start, this.#reader.pos);
  }

  skip(): void {
    this.#guard(() => this.#reader.skipType(this.#wire, 0, this.field));
  }

  #expect(wire: WireType): void {
    if (this.#wire !== wire) this.#wrong(`field ${this.field} has wire type ${this.#wire}, not ${wire}`);
  }

  #wrong(says: string): never {
    throw new WireError(says, this.#bytes.byteOffset + this.#reader.pos);
  }

  #guard<T>(read: () => T): T {
    try {
      return read();
    } catch (cause) {
      const says = cause instanceof Error ? cause.message : String(cause);
      throw new WireError(says, this.#bytes.byteOffset + this.#reader.pos, cause instanceof RangeError);
    }
  }
}

const none = new Uint8Array(0);

/** A repeated scalar field gathered: a view while it came in one run, a copy otherwise. */
export class Run {
  #bytes: Uint8Array = none;
  #length = 0;

  add(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    const length = this.#length + bytes.length;
    if (this.#length === 0) this.#bytes = bytes;
    else if (length > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(64, 2 * length));
      grown.set(this.#bytes.subarray(0, this.#length));
      this.#bytes = grown;
    }
    if (this.#length > 0) this.#bytes.set(bytes, this.#length);
    this.#length = length;
  }

  get bytes(): Uint8Array {
    return this.#bytes.length === this.#length ? this.#bytes : this.#bytes.subarray(0, this.#length);
  }
}

/** How many varints the bytes hold; null when the last one is cut off. */
export function countVarints(bytes: Uint8Array): number | null {
  let count = 0;
  for (const byte of bytes) if (byte < 128) count++;
  return bytes.length > 0 && bytes[bytes.length - 1]! >= 128 ? null : count;
}

/** Visits packed varints as the low and high 32 bits (unsigned) of each 64-bit value. */
export function eachVarint(bytes: Uint8Array, visit: (low: number, high: number, index: number) => void): void {
  let index = 0;
  for (let at = 0; at < bytes.length; ) {
    let low = 0;
    let high = 0;
    let shift = 0;
    for (let byte = 128; byte >= 128; shift += 7) {
      if (at >= bytes.length) throw new WireError('a varint is cut off', bytes.byteOffset + at, true);
      if (shift >= 70) throw new WireError('a varint is longer than 10 bytes', bytes.byteOffset + at);
      byte = bytes[at++]!;
      const bits = byte & 127;
      if (shift < 32) low |= bits << shift;
      if (shift + 7 > 32) high |= shift < 32 ? bits >>> (32 - shift) : bits << (shift - 32);
    }
    visit(low >>> 0, high >>> 0, index++);
  }
}

/** Packed varints as numbers (exact to 2^53, sign kept). */
export function signedVarints(bytes: Uint8Array): number[] {
  const values: number[] = [];
  eachVarint(bytes, (low, high) => values.push((high | 0) * 2 ** 32 + low));
  return values;
}
