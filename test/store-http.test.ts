/** A store over HTTP: what is damaged is not there, what is refused says why, what fails for a while is tried again. */
import {createHash, randomBytes} from 'node:crypto';
import {readdirSync, readFileSync, writeFileSync} from 'node:fs';
import {createServer, type RequestListener} from 'node:http';
import type {AddressInfo} from 'node:net';
import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {type ClientOptions, openRemote} from '../compiler/catalog/http/client.js';
import {type ServeOptions, serveStore} from '../compiler/catalog/http/server.js';
import {temporaryFolder} from './support/temporary.js';

const shaOf = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
const quick: ClientOptions = {waits: [10, 10], silence: 300, token: null};

async function started(t: ExecutionContext, options: Partial<ServeOptions> = {}) {
  const folder = temporaryFolder();
  const server = await serveStore({folder, ...options});
  t.teardown(server.close);
  const file = join(folder, 'fetched');
  return {
    folder,
    file,
    url: server.url,
    remote: openRemote(server.url, quick),
    files: () => readdirSync(join(folder, 'networks')),
  };
}

/** Something else that answers in place of a store. */
async function impostor(t: ExecutionContext, answer: RequestListener): Promise<string> {
  const server = createServer(answer);
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => {
    server.close();
    server.closeAllConnections();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

test('what was sent is there, whole', async t => {
  const {remote, file} = await started(t);
  const bytes = randomBytes(3 << 20);
  const name = shaOf(bytes);
  t.false(await remote.has('networks', name));
  t.false(await remote.fetch('networks', name, file));
  await remote.send('networks', name, () => [bytes.subarray(0, 1000), bytes.subarray(1000)]);
  t.true(await remote.has('networks', name));
  t.true(await remote.fetch('networks', name, file));
  t.true(readFileSync(file).equals(bytes));
  t.is(await remote.result('a'.repeat(64)), undefined);
  await remote.keep('a'.repeat(64), {seconds: 1});
  t.deepEqual(await remote.result('a'.repeat(64)), {seconds: 1});
});

test('what is poisoned is not there, and can be sent again', async t => {
  const {remote, file, folder, files} = await started(t);
  const bytes = Buffer.from('a network');
  const name = shaOf(bytes);
  await remote.send('networks', name, () => [bytes]);
  writeFileSync(join(folder, 'networks', files()[0]!), 'poison');
  t.false(await remote.has('networks', name));
  t.false(await remote.fetch('networks', name, file));
  await remote.send('networks', name, () => [bytes]);
  t.true(await remote.fetch('networks', name, file));
  await remote.keep(name, 1);
  writeFileSync(join(folder, 'results', `${name}.json`), `${'0'.repeat(64)}\n1`);
  t.is(await remote.result(name), undefined);
  await t.throwsAsync(
    remote.send('networks', name, () => [Buffer.from('other')]),
    {message: /^store\.refused: .*400: does not have the sha256/},
  );
  t.is(files().length, 1);
});

test('a store that is full, or that something is too large for', async t => {
  const {remote, files} = await started(t, {capacity: 1000, mostBytes: 900});
  const send = (size: number) => {
    const bytes = Buffer.alloc(size, size % 256);
    return remote.send('networks', shaOf(bytes), () => [bytes.subarray(0, 500), bytes.subarray(500)]);
  };
  await t.throwsAsync(send(950), {message: /^store\.refused: .*413/});
  await send(600);
  await t.throwsAsync(send(700), {message: /^store\.full: .*it may hold 1000 bytes/});
  await send(300);
  // Again the same: it takes the place of itself.
  await send(300);
  t.is(files().length, 2);
});

test('a body that is refused early does not hide why', async t => {
  const {remote} = await started(t, {capacity: 1000});
  const part = Buffer.alloc(1 << 20);
  const body = function* () {
    for (let i = 0; i < 64; i++) yield part;
  };
  await t.throwsAsync(remote.send('samples', 'b'.repeat(64), body), {message: /^store\.full/});
});

test('who does not know the token is refused', async t => {
  const {url} = await started(t, {token: 'secret'});
  await t.throwsAsync(openRemote(url, quick).has('networks', 'a'.repeat(64)), {message: /^store\.refused: .*401/});
  t.false(await openRemote(url, {...quick, token: 'secret'}).has('networks', 'a'.repeat(64)));
});

test('names that are none, and ways out of the folder', async t => {
  const {url} = await started(t);
  for (const path of ['', 'networks', 'networks/a', `other/${'a'.repeat(64)}`, 'networks/..%2F..%2Fetc%2Fpasswd'])
    t.is((await fetch(`${url}/${path}`)).status, 404, path);
  t.is((await fetch(`${url}/networks/${'a'.repeat(64)}`, {method: 'DELETE'})).status, 405);
});

test('what fails for a while is tried again', async t => {
  let asked = 0;
  const url = await impostor(t, (request, response) => {
    asked++;
    if (asked === 1) request.destroy();
    else if (asked === 2) response.writeHead(503).end();
    else response.end();
  });
  t.true(await openRemote(url, quick).has('networks', 'a'.repeat(64)));
  t.is(asked, 3);
});

test('a store that is silent, gone, or no store', async t => {
  const silent = await impostor(t, () => {});
  const one = openRemote(silent, {...quick, waits: []});
  await t.throwsAsync(one.has('networks', 'a'.repeat(64)), {message: /^store\.unreachable: .*nothing came for 0\.3 s/});
  const gone = openRemote('http://127.0.0.1:9', quick);
  await t.throwsAsync(gone.has('networks', 'a'.repeat(64)), {message: /^store\.unreachable: .*ECONNREFUSED/});
  const other = openRemote(await impostor(t, (_, response) => response.writeHead(404).end('nginx')), quick);
  await t.throwsAsync(other.keep('a'.repeat(64), 1), {message: /^store\.refused: .*404: nginx/});
  t.throws(() => openRemote('redis://here'), {message: /^store\.url/});
});

test('what is damaged on its way, or ends early, is not taken', async t => {
  const {file} = await started(t);
  const wrong = openRemote(await impostor(t, (_, response) => response.end('other bytes')), quick);
  t.false(await wrong.fetch('networks', 'a'.repeat(64), file));
  t.throws(() => readFileSync(file), {code: 'ENOENT'});
  const short = await impostor(t, (_, response) => {
    response.writeHead(200, {'content-length': 100}).write('half');
    setTimeout(() => response.destroy(), 20);
  });
  await t.throwsAsync(openRemote(short, quick).fetch('networks', 'a'.repeat(64), file), {message: /^store\.unreachable/});
});

test('a port that is taken', async t => {
  const {url} = await started(t);
  const port = Number(new URL(url).port);
  await t.throwsAsync(serveStore({folder: temporaryFolder(), port}), {message: /^store\.listen: .*EADDRINUSE/});
});
