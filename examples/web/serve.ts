/**
 * Serves the page, and the modules that it imports, to this machine alone:
 *
 *   node build/examples/web/serve.js [--port 8123] [--model examples/web/dnnc-out/signs]
 */
import {createHash} from 'node:crypto';
import {readFileSync, realpathSync} from 'node:fs';
import {readFile} from 'node:fs/promises';
import {createServer} from 'node:http';
import {extname, join, resolve, sep} from 'node:path';
import {fileURLToPath} from 'node:url';
import {parseArgs} from 'node:util';

const root = fileURLToPath(new URL('../../../', import.meta.url));

const types: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json',
  '.wasm': 'application/wasm',
};

/** What a page needs to run networks: WebAssembly, no code made of strings. The map of imports stands in the page. */
function securityPolicy(): string {
  const page = readFileSync(join(root, 'examples/web/index.html'), 'utf8');
  const map = /<script type="importmap">(.*?)<\/script>/s.exec(page)?.[1] ?? '';
  const hash = createHash('sha256').update(map).digest('base64');
  return `default-src 'self'; img-src data:; script-src 'self' 'wasm-unsafe-eval' 'sha256-${hash}'`;
}

export type Served = {readonly address: string; close(): void};

/** `model`: what dnnc build wrote. Port 0 is any that is free. */
export async function serve(model: string, port: number): Promise<Served> {
  const folders: readonly (readonly [string, string])[] = [
    ['/model/', resolve(model)],
    ['/build/', join(root, 'build')],
    ['/', join(root, 'examples/web')],
  ];
  const headers = {
    'cache-control': 'no-store',
    'content-security-policy': securityPolicy(),
    // Alone in its process, a page has a clock of microseconds.
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-embedder-policy': 'require-corp',
  };
  const server = createServer(async ({method, url = '/'}, response) => {
    try {
      const path = decodeURIComponent(new URL(url, 'http://localhost').pathname);
      const [prefix, folder] = folders.find(([each]) => path.startsWith(each))!;
      const file = resolve(folder, path === '/' ? 'index.html' : path.slice(prefix.length));
      if (method !== 'GET' || !file.startsWith(folder + sep)) throw new Error(`${method} ${path} is not served`);
      const content = await readFile(file);
      response.writeHead(200, {...headers, 'content-type': types[extname(file)] ?? 'application/octet-stream'}).end(content);
    } catch {
      response.writeHead(404, headers).end('not found');
    }
  });
  await new Promise<void>((done, failed) => {
    server.once('error', failed);
    server.listen(port, '127.0.0.1', done);
  });
  const address = server.address();
  const at = typeof address === 'object' ? address?.port : port;
  return {
    address: `http://127.0.0.1:${at}/`,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

if (process.argv[1] && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  const {values} = parseArgs({
    options: {
      port: {type: 'string', default: '8123'},
      model: {type: 'string', default: join(root, 'examples/web/dnnc-out/signs')},
    },
  });
  const {address} = await serve(values.model, Number(values.port));
  process.stdout.write(`${address}  (Ctrl-C ends it)\n`);
}
