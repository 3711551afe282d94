/**
 * JPEG and PNG files as pixels, 8 bits a channel, rows from the top, channels interleaved.
 * One decoder per format, always the same: decoders differ by up to 7/255 on average where JPEG stores colour at half
 * resolution, so an accuracy is only comparable with one measured through the same decoder. It is jpeg-js and pngjs, which
 * are plain JavaScript and give the same pixels on every machine. Alpha is dropped, 16 bits become 8, no colour profile
 * and no EXIF rotation is applied.
 */
import {inflateSync} from 'node:zlib';
import jpeg from 'jpeg-js';
import {PNG} from 'pngjs';
import {DnncError, fail} from '../../ir/diagnostics.js';
import type {Tensor} from '../../ir/tensor.js';
import {readWhole} from './files.js';
import {jpegClaims} from './jpeg-structure.js';

export type Image = {
  readonly height: number;
  readonly width: number;
  /** 3 is red, green, blue; 1 is grey. */
  readonly channels: 1 | 3;
  /** height x width x channels. */
  readonly data: Uint8Array<ArrayBuffer>;
};

/** Names that end like this are images; what they are is decided by their bytes. */
export const isImageName = (name: string): boolean => /\.(jpe?g|png)$/i.test(name);

const largestFile = 64 * 2 ** 20;
const mostPixels = 25_000_000;
/** Progressive files have about ten. */
const mostScans = 100;
/** Pixels decoded over and over, over all scans. */
const mostWork = 400_000_000;

/** Errors: input file.*, and those of `decodeImage`. */
export const readImage = (path: string): Image => decodeImage(readWhole(path, largestFile), path);

/** Errors: input image.format, image.size, image.malformed; unsupported image.kind. */
export function decodeImage(bytes: Uint8Array, where: string): Image {
  if (bytes[0] === 0xff && bytes[1] === 0xd8) return decodeJpeg(bytes, where);
  if (isPng(bytes)) return decodePng(bytes, where);
  return fail('input', 'image.format', where, 'this is neither a JPEG nor a PNG image', 'convert it to PNG');
}

/** [height, width, channels], uint8. */
export const tensorOfImage = ({height, width, channels, data}: Image): Tensor => ({
  dtype: 'u8',
  shape: [height, width, channels],
  data,
});

function checkSize(width: number, height: number, where: string): void {
  if (width < 1 || height < 1)
    fail('input', 'image.size', where, `a picture of ${width} x ${height} pixels`, 'write the image again');
  if (width * height > mostPixels)
    fail('input', 'image.size', where, `${width} x ${height} are more than ${mostPixels} pixels`, 'scale the image down');
}

const malformed = (where: string, says: string): never =>
  fail('input', 'image.malformed', where, says, 'write or download the image again');

/** Runs a decoder of others, whose every exception means that the file is damaged. */
function decoded<T>(where: string, decode: () => T): T {
  try {
    return decode();
  } catch (cause) {
    if (cause instanceof DnncError) throw cause;
    return malformed(where, `the image cannot be decoded: ${cause instanceof Error ? cause.message : cause}`);
  }
}

function decodeJpeg(bytes: Uint8Array, where: string): Image {
  const claims = jpegClaims(bytes);
  if (typeof claims === 'string') return malformed(where, claims);
  const {width, height, components, precision, process, scans} = claims;
  if (process > 2 || precision !== 8 || components === 2 || components === 4) {
    const says = `process ${process}, ${precision} bits, ${components} components`;
    fail('unsupported', 'image.kind', where, `this kind of JPEG is not supported: ${says}`, 'convert it to an RGB PNG');
  }
  checkSize(width, height, where);
  if (scans > mostScans || scans * width * height > mostWork)
    fail('input', 'image.size', where, `${scans} scans over ${width} x ${height} pixels`, 'save the image as a baseline JPEG');
  const options = {useTArray: true, formatAsRGBA: false, tolerantDecoding: false, maxResolutionInMP: mostPixels / 1e6} as const;
  const {data} = decoded(where, () => jpeg.decode(bytes, {...options, maxMemoryUsageInMB: 1024}));
  const channels = components === 1 ? 1 : 3;
  return {height, width, channels, data: everyNth(data, 3, channels)};
}

const pngSignature = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];
const isPng = (bytes: Uint8Array): boolean => pngSignature.every((byte, i) => bytes[i] === byte);

function decodePng(bytes: Uint8Array, where: string): Image {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (buffer.length < 33 || buffer.toString('latin1', 12, 16) !== 'IHDR') return malformed(where, 'it has no PNG header');
  const [width, height, colourType, interlaced] = [buffer.readUInt32BE(16), buffer.readUInt32BE(20), buffer[25]!, buffer[28]!];
  checkSize(width, height, where);
  // pngjs bounds what it inflates by the size of the picture, except where the picture is interlaced.
  if (interlaced)
    decoded(where, () => inflateSync(compressedPng(buffer), {maxOutputLength: 8 * width * height + 8 * height + 64}));
  const {data} = decoded(where, () => PNG.sync.read(buffer));
  const channels = colourType === 0 || colourType === 4 ? 1 : 3;
  return {height, width, channels, data: everyNth(data, 4, channels)};
}

/** All IDAT chunks in a row. */
function compressedPng(buffer: Buffer): Buffer {
  const parts: Buffer[] = [];
  for (let at = 8; at + 12 <= buffer.length; at += 12 + buffer.readUInt32BE(at))
    if (buffer.toString('latin1', at + 4, at + 8) === 'IDAT')
      parts.push(buffer.subarray(at + 8, at + 8 + buffer.readUInt32BE(at)));
  return Buffer.concat(parts);
}

/** The first `keep` of every `n` bytes. */
function everyNth(bytes: Uint8Array, n: number, keep: number): Uint8Array<ArrayBuffer> {
  const kept = new Uint8Array((bytes.length / n) * keep);
  for (let from = 0, to = 0; from < bytes.length; from += n) for (let i = 0; i < keep; i++) kept[to++] = bytes[from + i]!;
  return kept;
}
