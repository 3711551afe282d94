/** Answers where the same build runs, over a real connection: the same ones, and what happens when they do not come. */
import {createServer, type RequestListener, type Server} from 'node:http';
import type {AddressInfo} from 'node:net';
import {setTimeout as sleep} from 'node:timers/promises';
import {gzipSync} from 'node:zlib';
import test, {type ExecutionContext} from 'ava';
import {httpServer} from '../compiler/serve/server.js';
import {DnncRuntimeError, type RuntimeErrorCode} from '../runtime/index.js';
import {
  createRouter,
  deviceExecutor,
  httpLink,
  inferenceService,
  type Job,
  remoteExecutor,
  type TaskAnswer,
} from '../runtime/live/index.js';
import {problemOf, readCatalog} from '../runtime/schedule/index.js';
import {replay} from '../runtime/simulate/index.js';
import {catalog, pretended, pretendedBuild} from './support/pretended-build.js';

const x = Float32Array.of(1, 2, 3, 4);
const bounds = {mostBytes: 10_000, mostAtOnce: 8};

async function listen(t: ExecutionContext, server: Server, port = 0): Promise<string> {
  await new Promise<void>(resolve => server.listen(port, '127.0.0.1', resolve));
  t.teardown(() => stop(server));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const stop = (server: Server): Promise<void> =>
  new Promise(resolve => {
    server.close(() => resolve());
    server.closeAllConnections();
  });

const served = (): Server => httpServer(inferenceService(pretendedBuild().session), bounds);

type Asked = {readonly cut?: string; readonly claim?: (bytes: number) => boolean; readonly prior?: readonly number[]};

function jobOf(tasks: readonly string[], {cut, claim = () => true, prior}: Asked = {}): Job {
  const {options} = problemOf(catalog()).kinds[0]!;
  const option = {...options.find(({place}) => place === 'cloud')!, ...(cut !== undefined && {cut})};
  return {
    ...{
      request: 'any',
      tasks,
      variants: tasks.map(task => `${task}/full`),
      option,
      input: x,
      segments: [],
      load: [],
      evict: [],
      claim,
    },
    prior: () => prior ?? null,
  };
}

async function answersOf(url: string, job: Job): Promise<{answers: TaskAnswer[]; data: number | undefined}> {
  const {session} = pretendedBuild();
  const device = deviceExecutor({session});
  const remote = remoteExecutor({manifest: pretended, send: httpLink({url, timeout: 3000}).send, runTo: device.runTo});
  const answers: TaskAnswer[] = [];
  const {data} = await remote.run(job, answer => answers.push(answer));
  return {answers, data};
}

test('a server gives what the device gives, one task or several; a split sends the quantized cut', async t => {
  const url = await listen(t, served());
  const {answers, data} = await answersOf(url, jobOf(['age', 'mood']));
  t.deepEqual(
    answers.map(({task, label, scores}) => [task, label, ...scores]),
    [
      ['age', 'adult', -10, 10],
      ['mood', 'glad', 10, -10],
    ],
  );
  t.true(data! > 20 && data! < 300, `${data}`);
  const one = await answersOf(url, jobOf(['age'], {prior: [1, 0]}));
  t.deepEqual([one.answers[0]!.label, one.answers[0]!.probabilities![0]], ['child', 1]);
  const split = await answersOf(url, jobOf(['age'], {cut: 'cut'}));
  t.deepEqual(split.answers[0]!.scores, Float32Array.of(-10, 10));
  await t.throwsAsync(answersOf(url, jobOf(['age'], {claim: () => false})), {message: /remote\.refused.*not left to be sent/});
});

test('what is wrong with a request is said by the protocol', async t => {
  const url = await listen(t, served());
  const ask = async (path: string, init: RequestInit = {}) => {
    const response = await fetch(url + path, init);
    return [response.status, await response.text()] as const;
  };
  const json = {'content-type': 'application/json'};
  const post = (document: unknown, headers: Record<string, string> = json) =>
    ({method: 'POST', headers, body: typeof document === 'string' ? document : JSON.stringify(document)}) as const;
  const tensor = {name: 'x', shape: [1, 4], datatype: 'FP32', data: [1, 2, 3, 4]};
  t.deepEqual(await ask('/v2/health/live'), [200, '{"live":true}']);
  t.is((await ask('/v2/models/age'))[0], 200);
  t.regex((await ask('/v2/models/age+mood/versions/small'))[1], /"mood\.y"/);
  const infer = '/v2/models/age/infer';
  t.deepEqual(JSON.parse((await ask(infer, post({id: '7', inputs: [{...tensor, data: [[1, 2, 3, 4]]}]})))[1]), {
    ...{model_name: 'age', model_version: 'full', id: '7'},
    outputs: [{name: 'y', shape: [1, 2], datatype: 'FP32', data: [-10, 10]}],
  });
  const wrong: readonly (readonly [string, RequestInit, number, RegExp])[] = [
    ['/', {}, 404, /there is no/],
    ['/v2/models/frog/infer', post({}), 404, /models are age, mood.*full, small/],
    ['/v2/models/age/versions/int4/infer', post({}), 404, /version \\"int4\\"/],
    ['/v2/models/%E0%A4%A/infer', post({}), 400, /no part of an address/],
    [infer, {}, 405, /POST/],
    ['/v2/health/live', post({}), 405, /GET/],
    [infer, post('{'), 400, /not JSON/],
    [infer, post({}, {'content-type': 'text/html'}), 415, /text\/html/],
    [infer, post({}, {...json, 'content-encoding': 'br'}), 415, /gzip is known/],
    [infer, post('x', {...json, 'content-encoding': 'gzip'}), 400, /no gzip/],
    [infer, post({}), 400, /has no \\"inputs\\"/],
    [infer, post({inputs: [7]}), 400, /inputs\[0\] is not an object/],
    [infer, post({inputs: [{...tensor, name: 'z'}]}), 400, /no input \\"x\\"/],
    [infer, post({inputs: [{...tensor, data: [1]}]}), 400, /has 1 elements in \[1,4\], not 4/],
    [infer, post({inputs: [{...tensor, shape: [-1]}]}), 400, /shape/],
    [infer, post({inputs: [{...tensor, datatype: 'BYTES'}]}), 400, /BYTES, not FP32/],
    [infer, post({inputs: [{...tensor, data: ['a']}]}), 400, /not a list of numbers/],
    [infer, post(' '.repeat(20_000)), 413, /more than 10000 bytes/],
  ];
  for (const [path, init, status, says] of wrong) {
    const [got, text] = await ask(path, init);
    t.is(got, status, `${path}: ${text}`);
    t.regex(text, says);
  }
  // Bytes that unpack to more than the bound.
  const bomb = {method: 'POST', headers: {...json, 'content-encoding': 'gzip'}, body: gzipSync(Buffer.alloc(1e6, 32))};
  t.is((await ask(infer, bomb))[0], 400);
});

test('whatever comes back instead of an answer is one error with a code', async t => {
  const answering = (listener: RequestListener) => listen(t, createServer(listener));
  const saying = (body: string) => answering((_, response) => response.end(body));
  const outputs = (...list: unknown[]) => JSON.stringify({outputs: list});
  const y = {name: 'y', shape: [1, 2], datatype: 'FP32', data: [1, 2]};
  const gone = await listen(t, createServer());
  const cases: readonly (readonly [string, RuntimeErrorCode])[] = [
    [await saying('<html>'), 'remote.answer'],
    [await saying('{}'), 'remote.answer'],
    [await saying(outputs({...y, name: 'z'})), 'remote.answer'],
    [await saying(outputs({...y, data: [1]})), 'remote.answer'],
    [await saying(outputs({...y, data: [1, null]})), 'remote.answer'],
    [await saying(outputs({...y, datatype: 'INT8'})), 'remote.answer'],
    [await answering((_, response) => response.writeHead(500).end('{"error":"tired"}')), 'remote.refused'],
    [await answering(({socket}) => void socket.destroy()), 'remote.unreachable'],
    [await answering(() => undefined), 'remote.unreachable'],
    [await answering((_, response) => void response.writeHead(200).write('{"outputs"')), 'remote.unreachable'],
    [gone.replace(/\d+$/, '1'), 'remote.unreachable'],
  ];
  for (const [i, [url, code]] of cases.entries()) {
    const error = await t.throwsAsync(answersOf(url, jobOf(['age'])), {instanceOf: DnncRuntimeError}, `${i}`);
    t.is((error as DnncRuntimeError | undefined)?.code, code, `${i}: ${error?.message}`);
  }
});

test('a server that goes and comes back: no request is lost, and the first one after its return is its again (C24, C25)', async t => {
  const {session} = pretendedBuild();
  const device = deviceExecutor({session});
  let server = served();
  const url = await listen(t, server);
  const link = httpLink({url, timeout: 500});
  const lines: string[] = [];
  const limits = {energy: 1e6, money: 1, data: 1e9, memory: Number.POSITIVE_INFINITY};
  // The device has small variants only: what can be is answered by the server.
  const {requests: all, ...rest} = catalog(0.01);
  const small = all.map(({variants, ...request}) => ({
    ...request,
    variants: variants.map(({device: ours, splits: _, ...variant}) =>
      variant.id.endsWith('/small') ? {...variant, device: ours!} : variant,
    ),
  }));
  const cheap = readCatalog({...rest, requests: small});
  const router = createRouter({
    ...{catalog: cheap, setting: {limits, day: 36_000, idle: 0}, device, log: (line: string) => void lines.push(line)},
    ...{remote: remoteExecutor({manifest: pretended, send: link.send, runTo: device.runTo}), probe: link.probe},
    probing: {first: 0.05, most: 0.2},
  });
  t.teardown(router.close);
  const ask = async () => {
    const submission = router.submit('both', x);
    const labels: (string | undefined)[] = [];
    for await (const {label} of submission) labels.push(label);
    return {...(await submission.served), labels: labels.sort()};
  };
  t.is((await ask()).place, 'cloud');
  const {port} = server.address() as AddressInfo;
  await stop(server);
  const during = await ask();
  t.is(during.place, 'device');
  t.deepEqual(during.labels, ['adult', 'glad']);
  t.is((during.failure as DnncRuntimeError).code, 'remote.unreachable');
  t.false(router.connected);
  t.is((await ask()).failure, undefined);
  server = served();
  await listen(t, server, port);
  for (let i = 0; i < 100 && !router.connected; i++) await sleep(50);
  t.true(router.connected);
  t.is((await ask()).place, 'cloud');
  await router.close();
  const {requests, served: places, failures} = router.summary();
  t.deepEqual([requests, places.cloud, places.device, places.none, failures], [4, 2, 2, 0, 1]);
  t.is(replay({name: 'log', lines}, problemOf(cheap)).requests, 4);
});
