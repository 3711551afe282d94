/**
 * A network in a file of our own: the text of a module and the bytes of its weights, behind a checksum. What a catalog's jobs make of
 * networks and read; loaded wherever an ONNX file is. Layout, little-endian: magic, sha256 of all that follows, length and bytes of
 * the text, then length and bytes of each weight: the text names weights by their hash.
 */
import {createHash} from 'node:crypto';
import {fail} from '../ir/diagnostics.js';
import {blobOf} from '../ir/edit.js';
import {nodesFor} from '../ir/graph.js';
import {parse} from '../ir/parse.js';
import {print} from '../ir/print.js';
import type {Head, Module} from '../ir/types.js';

const magic = 'DNNCNET1';
const [digestBytes, lengthBytes] = [32, 4];
const start = magic.length + digestBytes;

/** How the names of such files end. */
export const isNetworkFile = (file: string): boolean => file.endsWith('.network');

/** The module with that head alone, and what it needs. */
export function onlyHead(module: Module, head: Head): Module {
  const nodes = nodesFor(module.graph, head.outputs);
  const read = new Set([...nodes.flatMap(({inputs}) => inputs), ...head.outputs]);
  const constants = module.graph.constants.filter(({value}) => read.has(value.id));
  const inputs = module.graph.inputs.filter(({id}) => read.has(id));
  return {...module, graph: {inputs, constants, nodes}, heads: [head]};
}

/** The same module gives the same bytes. */
export function writeNetwork(module: Module): Uint8Array {
  const blobs = new Map(module.graph.constants.map(({blob}) => [blob.hash, blob.bytes]));
  const text = Buffer.from(print(module));
  const lengthOf = (bytes: Uint8Array): Buffer => {
    const length = Buffer.alloc(lengthBytes);
    length.writeUInt32LE(bytes.byteLength);
    return length;
  };
  const weights = [...blobs.values()].flatMap(bytes => [lengthOf(bytes), bytes]);
  const body = Buffer.concat([lengthOf(text), text, ...weights]);
  return Buffer.concat([Buffer.from(magic, 'latin1'), createHash('sha256').update(body).digest(), body]);
}

/** Errors: input network.format, network.damaged, and those of `parse`. */
export function readNetwork(given: Uint8Array, file: string): Module {
  const bytes = Buffer.from(given.buffer, given.byteOffset, given.byteLength);
  const refuse = (code: string, says: string): never => fail('input', code, file, says, 'make it again');
  if (bytes.toString('latin1', 0, magic.length) !== magic) refuse('network.format', 'is not a network file of dnnc');
  const body = bytes.subarray(start);
  const digest = createHash('sha256').update(body).digest();
  if (!digest.equals(bytes.subarray(magic.length, start))) refuse('network.damaged', 'does not have the checksum that it should');
  let at = 0;
  const take = (count: number): Buffer => {
    at += count;
    return at <= body.byteLength ? body.subarray(at - count, at) : refuse('network.format', 'ends early');
  };
  const text = take(take(lengthBytes).readUInt32LE()).toString();
  const blobs = new Map<string, Uint8Array>();
  while (at < body.byteLength) {
    // Copied: typed arrays over weights want their own alignment.
    const blob = blobOf(new Uint8Array(take(take(lengthBytes).readUInt32LE())));
    blobs.set(blob.hash, blob.bytes);
  }
  const module = parse(text, {file, blobs: hash => blobs.get(hash)});
  return module.heads.length === 1 ? module : refuse('network.format', `has ${module.heads.length} heads instead of one`);
}
