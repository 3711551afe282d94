/** Things of a store on another machine. What fails for a while is tried again; what comes is checked. */
import {rmSync} from 'node:fs';
import {open} from 'node:fs/promises';
import {type ClientRequest, request as httpRequest, type IncomingMessage} from 'node:http';
import {request as httpsRequest} from 'node:https';
import {Readable} from 'node:stream';
import {pipeline} from 'node:stream/promises';
import {setTimeout as sleep} from 'node:timers/promises';
import {fail} from '../../../ir/diagnostics.js';
import {isFull, unwritable} from '../../data/files.js';
import {checkOf, type Kind, readResult, resultText} from '../places.js';

/** Errors of all: input store.unreachable, store.refused, store.full. */
export type RemoteStore = {
  readonly url: string;
  has(kind: Kind, name: string): Promise<boolean>;
  /** Into a file; false: it is not there, or damaged. Error: input file.unwritable, file.disk-full. */
  fetch(kind: Kind, name: string, file: string): Promise<boolean>;
  send(kind: Kind, name: string, body: () => Iterable<Uint8Array>): Promise<void>;
  /** undefined: it is not there, or damaged. */
  result(key: string): Promise<unknown>;
  keep(key: string, result: unknown): Promise<void>;
};

export type ClientOptions = {
  readonly token?: string | null;
  /** Milliseconds before each further try. */
  readonly waits?: readonly number[];
  /** Milliseconds without a byte after which a try has failed. */
  readonly silence?: number;
};

const usualWaits: readonly number[] = [200, 500, 1000, 2000, 5000];

/** Errors: usage store.url. */
export function openRemote(url: string, options: ClientOptions = {}): RemoteStore {
  const {token = process.env.DNNC_STORE_TOKEN || null, waits = usualWaits, silence = 30_000} = options;
  const base = baseOf(url);

  const begin = (method: string, kind: Kind, name: string): ClientRequest => {
    const at = new URL(`${base.pathname.replace(/\/$/, '')}/${kind}/${name}`, base);
    const headers = token === null ? {} : {authorization: `Bearer ${token}`};
    const request = (base.protocol === 'https:' ? httpsRequest : httpRequest)(at, {method, headers});
    return request.setTimeout(silence, () => request.destroy(new Error(`nothing came for ${silence / 1000} s`)));
  };

  /** One exchange, however often it takes; `use` reads the body of a good answer. null: it is not there. */
  async function exchange<T>(
    [method, kind, name]: readonly [string, Kind, string],
    body: (() => Iterable<Uint8Array>) | null,
    use: (response: IncomingMessage) => Promise<T>,
  ): Promise<T | null> {
    for (let tries = 0; ; tries++) {
      let says: string;
      try {
        const request = begin(method, kind, name);
        const response = await answerOf(request, body);
        const {statusCode: status = 0} = response;
        if (status >= 200 && status < 300) return await use(response);
        const text = (await textOf(response)).slice(0, 500);
        // The rest of a refused body need not be sent.
        if (body !== null) request.destroy();
        else if (status === 404) return null;
        if (status === 507) return fail('input', 'store.full', url, text || 'is full', 'free some space there');
        if (status < 500) return fail('input', 'store.refused', `${url}, ${kind}/${name}`, `${status}: ${text}`);
        says = `${status}: ${text}`;
      } catch (error) {
        if (!isOfTheNet(error)) throw error;
        says = error.message;
      }
      const wait = waits[tries];
      if (wait === undefined)
        return fail('input', 'store.unreachable', url, says, 'see whether dnnc store runs there, and can be reached from here');
      await sleep(wait);
    }
  }

  const remote: RemoteStore = {
    url,
    async has(kind, name) {
      return (await exchange(['HEAD', kind, name], null, done)) ?? false;
    },
    async fetch(kind, name, file) {
      // What was damaged on its way comes whole the second time.
      for (let tries = 0; tries < 2; tries++) {
        const good = await exchange(['GET', kind, name], null, response => save(response, kind, name, file));
        if (good !== false) return good === true;
      }
      return false;
    },
    async send(kind, name, body) {
      await exchange(['PUT', kind, name], body, done);
    },
    async result(key) {
      const text = await exchange(['GET', 'results', key], null, textOf);
      return text === null ? undefined : readResult(text);
    },
    keep: (key, result) => remote.send('results', key, () => [Buffer.from(resultText(result))]),
  };
  return remote;
}

async function done(response: IncomingMessage): Promise<true> {
  response.resume();
  return true;
}

/** Error: usage store.url. */
function baseOf(url: string): URL {
  try {
    const base = new URL(url);
    if (base.protocol === 'http:' || base.protocol === 'https:') return base;
  } catch {
    // Said below.
  }
  return fail('usage', 'store.url', url, 'is not the address of a store', 'http://HOST:PORT, as dnnc store prints it');
}

function answerOf(request: ClientRequest, body: (() => Iterable<Uint8Array>) | null): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    request.on('response', resolve).on('error', reject);
    if (body === null) request.end();
    // An answer may come before the body has ended, and then it counts.
    else pipeline(Readable.from(body()), request).catch(reject);
  });
}

async function textOf(response: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of response) parts.push(part as Buffer);
  return Buffer.concat(parts).toString();
}

/** Whether it is undamaged; what is not is not kept. */
async function save(response: IncomingMessage, kind: Kind, name: string, file: string): Promise<boolean> {
  const check = checkOf(kind, name);
  const output = await open(file, 'w').catch((error: unknown) => unwritable(file, error));
  let good = false;
  try {
    for await (const part of response) {
      check.add(part as Buffer);
      await output.writeFile(part as Buffer);
    }
    good = check.holds();
    return good;
  } catch (error) {
    if (isFull(error)) unwritable(file, error);
    throw error;
  } finally {
    await output.close();
    if (!good) rmSync(file, {force: true});
  }
}

/** Errors of sockets, timeouts and names; not those of files, nor ours. */
const isOfTheNet = (error: unknown): error is Error =>
  error instanceof Error &&
  (/^(nothing came|aborted|socket hang up)/.test(error.message) || ('code' in error && netCodes.test(String(error.code))));

const netCodes =
  /^(E(CONN\w+|PIPE|TIMEDOUT|HOST\w+|NET\w+|AI_\w+|NOTFOUND|PROTO)|ERR_STREAM_PREMATURE_CLOSE|ERR_SOCKET\w*|HPE_\w+)$/;
