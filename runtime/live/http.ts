/** Sends requests by HTTP with `fetch`, to `dnnc serve` or any server of the protocol. */
import {DnncRuntimeError} from '../errors.js';
import type {RemoteRequest, Send} from './remote.js';

export type HttpOptions = {
  /** Of the server: `http://host:8000`. */
  readonly url: string;
  /** Milliseconds until a request counts as failed. Absent: 2000. */
  readonly timeout?: number;
  /** Whether bodies are sent as they are. Absent: they are compressed (gzip). */
  readonly plain?: boolean;
  readonly headers?: Readonly<Record<string, string>>;
};

export type HttpLink = {
  readonly send: Send;
  /** Whether the server is there now. Never throws. */
  probe(): Promise<boolean>;
};

const usualTimeout = 2000;
/** A longer answer is none of ours: it is refused before it fills the memory. */
const mostAnswered = 1 << 24;

export function httpLink({url, timeout = usualTimeout, plain = false, headers = {}}: HttpOptions): HttpLink {
  const base = url.replace(/\/+$/, '');

  async function send({model, version, document, claim}: RemoteRequest) {
    const text = JSON.stringify(document);
    const body = plain ? new TextEncoder().encode(text) : await compressed(text);
    if (!claim(body.byteLength))
      throw new DnncRuntimeError('remote.refused', model, `takes ${body.byteLength} bytes, which are not left to be sent`);
    const address = `${base}/v2/models/${encodeURIComponent(model)}/versions/${encodeURIComponent(version)}/infer`;
    const fields = {...headers, 'content-type': 'application/json', ...(!plain && {'content-encoding': 'gzip'})};
    const signal = AbortSignal.timeout(timeout);
    const response = await answered(base, () => fetch(address, {method: 'POST', headers: fields, body, signal}));
    const answer = await answered(base, () => textOf(response));
    if (!response.ok) throw new DnncRuntimeError('remote.refused', model, `${response.status}: ${reasonIn(answer)}`);
    return {document: parsed(model, answer), sentBytes: body.byteLength};
  }

  return {
    send,
    async probe() {
      try {
        const response = await fetch(`${base}/v2/health/live`, {headers, signal: AbortSignal.timeout(timeout)});
        await response.body?.cancel();
        return response.ok;
      } catch {
        return false;
      }
    },
  };
}

/** Whatever keeps an answer from coming is the connection's fault. */
async function answered<T>(base: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof DnncRuntimeError) throw error;
    const {message, cause} = error as Error;
    const why = cause instanceof Error && cause.message !== '' ? cause.message : message;
    throw new DnncRuntimeError('remote.unreachable', base, `does not answer (${why})`, undefined, error);
  }
}

async function textOf(response: Response): Promise<string> {
  const decoder = new TextDecoder();
  let text = '';
  for await (const chunk of response.body ?? []) {
    text += decoder.decode(chunk, {stream: true});
    if (text.length > mostAnswered)
      throw new DnncRuntimeError('remote.answer', response.url, `sends more than ${mostAnswered} characters`);
  }
  return text + decoder.decode();
}

function parsed(model: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new DnncRuntimeError('remote.answer', model, 'is answered with something else than JSON');
  }
}

/** The protocol's `{"error": "..."}`, or the beginning of what there is. */
function reasonIn(text: string): string {
  try {
    const {error} = JSON.parse(text) as {readonly error?: unknown};
    if (typeof error === 'string') return error;
  } catch {
    // No JSON: shown as it is.
  }
  return text.slice(0, 200);
}

async function compressed(text: string): Promise<Uint8Array<ArrayBuffer>> {
  const stream = new Blob([text]).stream().pipeThrough(new CompressionStream('gzip'));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}
