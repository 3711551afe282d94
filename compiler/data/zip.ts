/**
 * The directory of a zip file and its members, one at a time: the directory says where each member lies, and only that
 * part of the file is read. What a member unpacks to is bounded by its directory entry before, and checked against it after.
 */
import {closeSync, fstatSync, openSync, readSync} from 'node:fs';
import {crc32} from 'node:zlib';
import {inflateSync} from 'fflate';
import {fail} from '../../ir/diagnostics.js';
import {unreadable} from './files.js';

export type ZipEntry = {
  readonly name: string;
  /** Unpacked. Bytes. */
  readonly size: number;
  readonly packedSize: number;
  readonly method: number;
  readonly crc: number;
  /** Of the member's own header, in the file. */
  readonly offset: number;
};

const mostEntries = 10_000;
/** Deflate cannot pack better than 1 : 1032. */
const bestRatio = 1040;
const largestMember = 2 ** 31 - 1;
const again = 'write or download the file again';

/**
 * The members of a zip file, zip64 included. Errors, all input: file.missing, file.unreadable, zip.format, zip.directory.
 */
export function readZipDirectory(path: string): readonly ZipEntry[] {
  const size = withFile(path, file => fstatSync(file).size);
  const tailSize = Math.min(size, 22 + 0xffff);
  const tail = readRange(path, size - tailSize, tailSize);
  const end = lastIndexOf(tail, 0x06054b50, 22);
  if (end < 0) fail('input', 'zip.format', path, 'this is not a zip archive, or its end is missing', again);
  let count = u16(tail, end + 10);
  let length = u32(tail, end + 12);
  let offset = u32(tail, end + 16);
  if (count === 0xffff || length === 0xffffffff || offset === 0xffffffff) {
    const locator = end - 20;
    if (locator < 0 || u32(tail, locator) !== 0x07064b50)
      fail('input', 'zip.directory', path, 'the zip64 record is missing', again);
    const record = readRange(path, u64(tail, locator + 8), 56);
    if (u32(record, 0) !== 0x06064b50) fail('input', 'zip.directory', path, 'the zip64 record is damaged', again);
    [count, length, offset] = [u64(record, 32), u64(record, 40), u64(record, 48)];
  }
  if (count > mostEntries || length > 65_536 * mostEntries || offset + length > size)
    fail(
      'input',
      'zip.directory',
      path,
      `${count} members, directory of ${length} bytes at ${offset} in a file of ${size}`,
      again,
    );
  return entriesOf(readRange(path, offset, length), count, path);
}

function entriesOf(bytes: Uint8Array, count: number, path: string): ZipEntry[] {
  const entries: ZipEntry[] = [];
  for (let at = 0; entries.length < count; ) {
    const damaged = (): never => fail('input', 'zip.directory', path, `the entry of member ${entries.length} is damaged`, again);
    if (at + 46 > bytes.length || u32(bytes, at) !== 0x02014b50) damaged();
    const nameEnd = at + 46 + u16(bytes, at + 28);
    const extraEnd = nameEnd + u16(bytes, at + 30);
    const next = extraEnd + u16(bytes, at + 32);
    if (next > bytes.length) damaged();
    const name = new TextDecoder().decode(bytes.subarray(at + 46, nameEnd));
    // Encrypted: bit 0. What unpacking would give is noise.
    if (u16(bytes, at + 8) & 1)
      fail('unsupported', 'zip.encrypted', `${path}, "${name}"`, 'the member is encrypted', 'save it without a password');
    const wide = wideSizes(bytes.subarray(nameEnd, extraEnd));
    const sized = (value: number): number => (value === 0xffffffff ? (wide.shift() ?? damaged()) : value);
    const size = sized(u32(bytes, at + 24));
    const packedSize = sized(u32(bytes, at + 20));
    const offset = sized(u32(bytes, at + 42));
    entries.push({name, size, packedSize, offset, method: u16(bytes, at + 10), crc: u32(bytes, at + 16)});
    at = next;
  }
  return entries;
}

/** The 64-bit values of extra field 1, in the order of the fields that they stand in for. */
function wideSizes(extra: Uint8Array): number[] {
  for (let at = 0; at + 4 <= extra.length; ) {
    const end = at + 4 + u16(extra, at + 2);
    if (u16(extra, at) === 1 && end <= extra.length) {
      const count = Math.floor((end - at - 4) / 8);
      return Array.from({length: count}, (_, i) => u64(extra, at + 4 + 8 * i));
    }
    at = end;
  }
  return [];
}

/** Unpacks one member. Errors: input zip.member, zip.size; unsupported zip.method. */
export function readZipMember(path: string, entry: ZipEntry): Uint8Array {
  const where = `${path}, "${entry.name}"`;
  const {method, packedSize, size, offset} = entry;
  if (method !== 0 && method !== 8)
    fail(
      'unsupported',
      'zip.method',
      where,
      `compression method ${method} is neither stored nor deflated`,
      'use numpy.savez_compressed',
    );
  if (
    size > largestMember ||
    size > (method === 0 ? packedSize : packedSize * bestRatio + 64) ||
    (method === 0 && size !== packedSize)
  )
    fail('input', 'zip.size', where, `${packedSize} packed bytes are said to hold ${size}`, again);
  const header = readRange(path, offset, 30);
  if (u32(header, 0) !== 0x04034b50) fail('input', 'zip.member', where, 'its header is not where the directory says', again);
  const packed = readRange(path, offset + 30 + u16(header, 26) + u16(header, 28), packedSize);
  let bytes = packed;
  try {
    // With a buffer given, nothing is written beyond it.
    if (method === 8) bytes = inflateSync(packed, {out: new Uint8Array(size)});
  } catch (cause) {
    fail('input', 'zip.member', where, `it cannot be unpacked: ${cause instanceof Error ? cause.message : cause}`, again);
  }
  if (bytes.length !== size || crc32(bytes) !== entry.crc) fail('input', 'zip.member', where, 'its checksum is wrong', again);
  return bytes;
}

function withFile<T>(path: string, use: (file: number) => T): T {
  let file: number | null = null;
  try {
    file = openSync(path, 'r');
    return use(file);
  } catch (cause) {
    return unreadable(path, cause);
  } finally {
    if (file !== null) closeSync(file);
  }
}

function readRange(path: string, offset: number, length: number): Uint8Array {
  return withFile(path, file => {
    if (offset < 0 || offset + length > fstatSync(file).size)
      fail('input', 'zip.directory', path, `bytes ${offset} to ${offset + length} are not in the file`, again);
    const bytes = new Uint8Array(length);
    for (let done = 0; done < length; ) {
      const got = readSync(file, bytes, done, Math.min(length - done, 2 ** 30), offset + done);
      if (got === 0) fail('input', 'file.unreadable', path, 'the file ended while it was read');
      done += got;
    }
    return bytes;
  });
}

const u16 = (bytes: Uint8Array, at: number): number => bytes[at]! | (bytes[at + 1]! << 8);
const u32 = (bytes: Uint8Array, at: number): number => (u16(bytes, at) | (u16(bytes, at + 2) << 16)) >>> 0;
const u64 = (bytes: Uint8Array, at: number): number => u32(bytes, at) + u32(bytes, at + 4) * 2 ** 32;

function lastIndexOf(bytes: Uint8Array, signature: number, size: number): number {
  for (let at = bytes.length - size; at >= 0; at--) if (u32(bytes, at) === signature) return at;
  return -1;
}
