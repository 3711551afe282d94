/** How much machine code a library holds. */
import {readFileSync} from 'node:fs';

/** Bytes of the section .text of a 64-bit little-endian ELF file; of another file all its bytes. */
export function codeBytes(file: string): number {
  const bytes = readFileSync(file);
  if (bytes.readUInt32BE(0) !== 0x7f454c46 || bytes[4] !== 2 || bytes[5] !== 1) return bytes.length;
  const table = Number(bytes.readBigUInt64LE(0x28));
  const [width, count, names] = [0x3a, 0x3c, 0x3e].map(at => bytes.readUInt16LE(at)) as [number, number, number];
  const section = (index: number) => {
    const at = table + index * width;
    const [offset, size] = [0x18, 0x20].map(field => Number(bytes.readBigUInt64LE(at + field))) as [number, number];
    return {name: bytes.readUInt32LE(at), offset, size};
  };
  const strings = section(names).offset;
  const nameOf = (at: number): string => bytes.toString('latin1', strings + at, bytes.indexOf(0, strings + at));
  const text = Array.from({length: count}, (_, i) => section(i)).find(({name}) => nameOf(name) === '.text');
  return text?.size ?? bytes.length;
}
