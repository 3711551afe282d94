/** The files of a build by `fetch`: in a page, a worker, or from a server. */
import {DnncRuntimeError, type RuntimeErrorCode} from '../errors.js';
import type {Manifest} from '../manifest.js';
import {wasmLibraryOf} from './bind.js';

export type Bytes = Uint8Array<ArrayBuffer>;

/** The address of a build's manifest.json and the JSON in it. `place`: the directory, or the file in it. Throws `manifest.file`. */
export async function fetchManifest(place: string | URL): Promise<{readonly address: URL; readonly json: unknown}> {
  const given = addressOf(place);
  const address = given.pathname.endsWith('.json') ? given : new URL('manifest.json', asFolder(given));
  const text = new TextDecoder().decode(await fetchBytes(address, 'manifest.file'));
  try {
    return {address, json: JSON.parse(text)};
  } catch (error) {
    throw unreadable('manifest.file', address, error instanceof Error ? error.message : String(error), error);
  }
}

/** What is needed of a build's directory. Throws `library.file`, `weights.file`. */
export async function fetchFiles(directory: string | URL, manifest: Manifest) {
  const folder = asFolder(addressOf(directory));
  const fetched = (file: string, code: RuntimeErrorCode): Promise<Bytes> => fetchBytes(new URL(file, folder), code);
  const exits = manifest.variants.flatMap(({exit}) => exit ?? []);
  const [module, weights, ...heads] = await Promise.all([
    fetched(wasmLibraryOf(manifest).file, 'library.file'),
    manifest.weights.symbol === undefined ? fetched(manifest.weights.file, 'weights.file') : null,
    ...exits.map(({file}) => fetched(file, 'weights.file')),
  ]);
  return {
    module,
    ...(weights && {weights}),
    heads: Object.fromEntries(exits.map(({file}, i) => [file, heads[i]!])),
  };
}

/** Relative addresses are those of the page, or of the worker. */
function addressOf(place: string | URL): URL {
  const {location} = globalThis as {readonly location?: {readonly href: string}};
  try {
    return new URL(place, location?.href);
  } catch (error) {
    throw unreadable('manifest.file', place, 'is not an address', error);
  }
}

const asFolder = (address: URL): URL => (address.pathname.endsWith('/') ? address : new URL(`${address.pathname}/`, address));

async function fetchBytes(address: URL, code: RuntimeErrorCode): Promise<Bytes> {
  let response: Response;
  try {
    response = await fetch(address);
  } catch (error) {
    throw unreadable(code, address, error instanceof Error ? error.message : String(error), error);
  }
  if (!response.ok) throw unreadable(code, address, `the server answers ${response.status} ${response.statusText}`.trim());
  return new Uint8Array(await response.arrayBuffer());
}

const unreadable = (code: RuntimeErrorCode, where: string | URL, says: string, cause?: unknown): DnncRuntimeError =>
  new DnncRuntimeError(
    code,
    String(where),
    says,
    "give the address of what dnnc build wrote; files are opened by load(directory, {target: 'wasm32'}) of dnnc/runtime",
    cause,
  );
