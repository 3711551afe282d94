/** A build behind HTTP: the Open Inference Protocol in JSON, with bounds on what a client may send and how long it may take. */
import {createServer, type IncomingMessage, type Server, type ServerResponse} from 'node:http';
import {gunzipSync} from 'node:zlib';
import type {Service, ServiceResponse} from '../../runtime/live/index.js';

export type Bounds = {
  /** Bytes of a body, as it is sent and unpacked. */
  readonly mostBytes: number;
  /** Requests at a time; more are told to come again. */
  readonly mostAtOnce: number;
};

/** Milliseconds for a whole request to come in. */
const patience = 10_000;

export function httpServer(service: Service, {mostBytes, mostAtOnce}: Bounds): Server {
  let running = 0;

  async function respond(request: IncomingMessage): Promise<ServiceResponse> {
    const {method = 'GET', url = '/'} = request;
    const [path = '/'] = url.split('?');
    if (method !== 'POST') return service({method, path});
    const {'content-encoding': encoding, 'content-type': type = 'application/json'} = request.headers;
    if (!/^application\/json\b/.test(type)) return refusal(415, `the body is ${type}, not application/json`);
    if (encoding !== undefined && encoding !== 'gzip' && encoding !== 'identity')
      return refusal(415, `the body is packed by ${encoding}; gzip is known`);
    const body = await bodyOf(request, mostBytes);
    if (body === null) return refusal(413, `the body has more than ${mostBytes} bytes`);
    const text = encoding === 'gzip' ? unpacked(body, mostBytes) : body.toString('utf8');
    if (text === null) return refusal(400, `the body is no gzip of at most ${mostBytes} bytes`);
    let document: unknown;
    try {
      document = JSON.parse(text);
    } catch {
      return refusal(400, 'the body is not JSON');
    }
    return service({method, path, document});
  }

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (running >= mostAtOnce) return send(response, refusal(503, `${running} requests are being answered: come again`));
    running++;
    try {
      send(response, await respond(request));
    } catch {
      // The client is gone, or it is our fault: there is nothing to tell it but that.
      send(response, refusal(500, 'an error in the server'));
    } finally {
      running--;
    }
  }

  return createServer(
    {requestTimeout: patience, headersTimeout: patience},
    (request, response) => void handle(request, response),
  );
}

const refusal = (status: number, error: string): ServiceResponse => ({status, document: {error}});

function send(response: ServerResponse, {status, document}: ServiceResponse): void {
  const body = JSON.stringify(document);
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
    // What is left of a body that was refused is not read.
    ...(status === 413 && {connection: 'close'}),
  });
  response.end(body);
}

/** Null where it is longer. Rejects where it does not come whole. */
async function bodyOf(request: IncomingMessage, mostBytes: number): Promise<Buffer | null> {
  if (Number(request.headers['content-length'] ?? 0) > mostBytes) return null;
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > mostBytes) return null;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function unpacked(body: Buffer, mostBytes: number): string | null {
  try {
    return gunzipSync(body, {maxOutputLength: mostBytes}).toString('utf8');
  } catch {
    return null;
  }
}
