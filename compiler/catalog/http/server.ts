/**
 * A store for several machines, over HTTP: GET, HEAD and PUT of /networks/SHA256, /samples/SHA256 and /results/KEY. What is sent is
 * written beside while it is checked, and renamed; what does not have the sha256 that it should is refused when it comes, and not there
 * when it is asked for.
 */
import {randomUUID, timingSafeEqual} from 'node:crypto';
import {createReadStream, readdirSync, renameSync, rmSync, statSync} from 'node:fs';
import {open} from 'node:fs/promises';
import {createServer, type IncomingMessage, type ServerResponse} from 'node:http';
import type {AddressInfo} from 'node:net';
import {join} from 'node:path';
import {pipeline} from 'node:stream/promises';
import {fail} from '../../../ir/diagnostics.js';
import {isFull} from '../../data/files.js';
import {checkOf, isSha256, type Kind, kinds, placeOf} from '../places.js';
import {openStore, stampOf} from '../store.js';

export type StoreServer = {readonly url: string; close(): Promise<void>};

export type ServeOptions = {
  readonly folder: string;
  /** By default only this machine. */
  readonly host?: string;
  /** By default any that is free. */
  readonly port?: number;
  /** Bytes of one thing, and of all; what would be more is refused. */
  readonly mostBytes?: number;
  readonly capacity?: number;
  /** What clients have to know; null: nothing. */
  readonly token?: string | null;
};

/** Of one thing: samples of a whole test set. Bytes. */
const usualMost = 64 * 2 ** 30;
/** Milliseconds without a byte after which a connection is closed. */
const silence = 60_000;

/** Errors: input file.unwritable, file.disk-full, store.listen. */
export async function serveStore(options: ServeOptions): Promise<StoreServer> {
  const {host = '127.0.0.1', port = 0, mostBytes = usualMost, capacity = Number.POSITIVE_INFINITY, token = null} = options;
  const {folder} = openStore(options.folder);
  /** Things that were found good, as they were then. */
  const good = new Map<string, string>();
  let used = capacity === Number.POSITIVE_INFINITY ? 0 : sizeOf(folder);

  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => {
      if (response.headersSent) response.destroy();
      else end(response, 500, error instanceof Error ? error.message : String(error));
    });
  });
  server.requestTimeout = 0;
  server.setTimeout(silence);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(port, host, resolve);
  }).catch((error: Error) => fail('input', 'store.listen', `${host}:${port}`, error.message, 'choose another --host or --port'));
  const {port: own} = server.address() as AddressInfo;
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${own}`,
    close: () =>
      new Promise(resolve => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const [, kind, name = ''] = /^\/(\w+)\/(\w+)$/.exec(request.url ?? '') ?? [];
    const known = kinds.find(each => each === kind);
    if (!known || !isSha256(name)) return end(response, 404, 'this store has /networks, /samples and /results by sha256');
    if (token !== null && !isToken(request.headers.authorization, token)) return end(response, 401, 'DNNC_STORE_TOKEN differs');
    if (request.method === 'PUT') return put(request, response, known, name);
    if (request.method !== 'GET' && request.method !== 'HEAD') return end(response, 405, 'GET, HEAD or PUT');
    const file = placeOf(folder, known, name);
    if (!(await isGood(known, name, file))) return end(response, 404, 'is not there');
    response.writeHead(200, {'content-length': statSync(file).size, 'content-type': 'application/octet-stream'});
    if (request.method === 'HEAD') return void response.end();
    // Who asked may go away meanwhile; the rest is the client's checksum.
    return pipeline(createReadStream(file), response).catch(() => {});
  }

  async function isGood(kind: Kind, name: string, file: string): Promise<boolean> {
    const stamp = stampOf(file);
    if (stamp === null) return false;
    if (good.get(file) === stamp) return true;
    const check = checkOf(kind, name);
    for await (const part of createReadStream(file)) check.add(part as Buffer);
    if (check.holds()) good.set(file, stamp);
    else remove(file);
    return good.get(file) === stamp;
  }

  async function put(request: IncomingMessage, response: ServerResponse, kind: Kind, name: string): Promise<void> {
    const file = placeOf(folder, kind, name);
    const beside = `${file}.${randomUUID()}.partial`;
    const check = checkOf(kind, name);
    const before = statSync(file, {throwIfNoEntry: false})?.size ?? 0;
    let bytes = 0;
    try {
      const output = await open(beside, 'wx');
      try {
        // A refused body is read to its end all the same, or its sender would never hear why.
        for await (const part of request.iterator({destroyOnReturn: false}) as AsyncIterable<Buffer>) {
          bytes += part.byteLength;
          if (bytes > mostBytes) throw new Refusal(413, `has more than ${mostBytes} bytes`);
          if (used - before + bytes > capacity) throw new Refusal(507, `the store is full: it may hold ${capacity} bytes`);
          check.add(part);
          await output.writeFile(part);
        }
      } finally {
        await output.close();
      }
      if (!check.holds()) throw new Refusal(400, 'does not have the sha256 that it should');
      remove(file);
      renameSync(beside, file);
      used += bytes;
      good.set(file, stampOf(file) ?? '');
      end(response, 201, '');
    } catch (error) {
      rmSync(beside, {force: true});
      request.resume();
      if (error instanceof Refusal) end(response, error.status, error.message);
      else if (isFull(error)) end(response, 507, 'the disk of the store is full');
      else throw error;
    }
  }

  function remove(file: string): void {
    used -= statSync(file, {throwIfNoEntry: false})?.size ?? 0;
    rmSync(file, {force: true});
  }
}

class Refusal extends Error {
  readonly status: number;
  constructor(status: number, says: string) {
    super(says);
    this.status = status;
  }
}

function end(response: ServerResponse, status: number, says: string): void {
  response.writeHead(status, {'content-type': 'text/plain'}).end(says);
}

function isToken(header: string | undefined, token: string): boolean {
  const [given, wanted] = [Buffer.from(header ?? ''), Buffer.from(`Bearer ${token}`)];
  return given.byteLength === wanted.byteLength && timingSafeEqual(given, wanted);
}

const sizeOf = (folder: string): number =>
  kinds
    .flatMap(kind => readdirSync(join(folder, kind), {withFileTypes: true}).map(({name}) => join(folder, kind, name)))
    .reduce((sum, file) => sum + statSync(file).size, 0);
