import {createHash} from 'node:crypto';
import {readFileSync, statSync} from 'node:fs';
import test from 'ava';
import {unzipSync} from 'fflate';
import proto from 'onnx-proto';
import {InferenceSession, Tensor} from 'onnxruntime-node';
import {dataset, npz, type Skew, splits} from '../examples/signs/data.js';
import {renderSign} from '../examples/signs/render.js';
import {type Task, taskNames, tasks} from '../examples/signs/tasks.js';

const folder = new URL('../../examples/signs/', import.meta.url);
const pixels = 48 * 48 * 3;

/** Rows of the table of models in the README: the only place that states what they are. */
const stated = readFileSync(new URL('README.md', folder), 'utf8')
  .split('\n')
  .map(row => row.split('|').map(cell => cell.trim()))
  .flatMap(([, name, task, , , bytes, accuracy]) => {
    const file = /^`(.+\.onnx)`$/.exec(name ?? '')?.[1];
    const question = taskNames.find(known => known === task);
    return file && question
      ? [{file, task: question, bytes: Number(bytes?.replaceAll(',', '')), accuracy: Number.parseFloat(accuracy ?? '')}]
      : [];
  });

const digest = (parts: Iterable<Uint8Array>): string => {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest('hex');
};

test('the same seed gives the same pictures on every machine', t => {
  const batch = [...dataset({seed: splits.evaluate, count: 64})];
  t.is(digest(batch.map(({image}) => image)), '259587fd47c56f1b1165f61057cc159c0628c6816456aa13c4454cda2a1c81c4');
  t.is(
    digest(batch.map(({labels}) => Uint8Array.from(taskNames, task => labels[task]))),
    'f03048e8820ccf6d4a67e1c7e549782e2891050f5f5668a54fa9b91220c54a86',
  );
});

test('a picture depends on its labels and seed alone', t => {
  const labels = {shape: 1, colour: 0, number: 4, weather: 0};
  const image = renderSign(labels, 5);
  t.is(image.length, pixels);
  t.deepEqual(renderSign(labels, 5), image);
  t.notDeepEqual(renderSign(labels, 6), image);
  t.notDeepEqual(renderSign({...labels, number: 5}, 5), image);
  t.throws(() => renderSign({...labels, weather: 5}, 5), {instanceOf: RangeError});
});

test('a longer set starts with the shorter one, another seed shares nothing with it', t => {
  const [short, long, other] = [3, 5, 5].map((count, index) => [...dataset({seed: index < 2 ? 7 : 8, count})]);
  t.deepEqual(long?.slice(0, 3), short);
  const seen = new Set(long?.map(({image}) => digest([image])));
  t.false(other?.some(({image}) => seen.has(digest([image]))));
});

test('labels are in range, and every class is about as frequent as the others', t => {
  const count = 660;
  const examples = [...dataset({seed: 1, count})];
  for (const task of taskNames) {
    const seen = tasks[task].map(() => 0);
    for (const {labels} of examples) seen[labels[task]]! += 1;
    t.is(seen.length, tasks[task].length, task);
    const even = count / seen.length;
    for (const [label, times] of seen.entries())
      t.true(Math.abs(times - even) < 5 * Math.sqrt(even), `${task} ${label}: ${times} of ${count}`);
  }
});

const shareOf = (skew: Skew, count: number): number => {
  const all: readonly string[] = tasks[skew.task];
  const wanted = skew.classes.map(name => all.indexOf(name));
  return [...dataset({seed: 3, count, skew})].filter(({labels}) => wanted.includes(labels[skew.task])).length / count;
};

test('skew gives the asked shares', t => {
  const asked: readonly Skew[] = [
    {task: 'number', classes: ['50', '70'], share: 0.9},
    {task: 'weather', classes: ['night'], share: 0.6},
  ];
  for (const skew of asked) {
    const share = shareOf(skew, 400);
    t.true(Math.abs(share - skew.share) < 0.06, `${share} instead of ${skew.share}`);
  }
  t.is(shareOf({task: 'shape', classes: ['circle', 'octagon'], share: 1}, 50), 1);
  t.is(shareOf({task: 'colour', classes: ['red'], share: 0}, 50), 0);
});

test('skew refuses what no set can have', t => {
  const draw = (skew: Skew) => () => [...dataset({seed: 3, count: 1, skew})];
  t.throws(draw({task: 'number', classes: ['55'], share: 0.5}), {message: /55/});
  t.throws(draw({task: 'number', classes: ['50'], share: 1.5}), {message: /1\.5/});
  t.throws(draw({task: 'number', classes: [], share: 0.5}), {message: /needs a class/});
  t.throws(draw({task: 'weather', classes: tasks.weather, share: 0.5}), {message: /needs a class/});
});

test('an .npz holds what numpy expects', t => {
  const wanted = {seed: 7, count: 5};
  const files = unzipSync(npz(wanted));
  t.deepEqual(Object.keys(files).sort(), ['x.npy', 'y_colour.npy', 'y_number.npy', 'y_shape.npy', 'y_weather.npy']);
  const read = (name: string): readonly [header: string, data: Buffer] => {
    const file = Buffer.from(files[name] ?? []);
    const start = 10 + file.readUInt16LE(8);
    t.deepEqual([...file.subarray(0, 8)], [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0]);
    t.is(start % 64, 0);
    return [file.toString('latin1', 10, start).trimEnd(), file.subarray(start)];
  };
  const [header, images] = read('x.npy');
  t.is(header, "{'descr': '|u1', 'fortran_order': False, 'shape': (5, 48, 48, 3), }");
  const [numberHeader, numbers] = read('y_number.npy');
  t.is(numberHeader, "{'descr': '<i4', 'fortran_order': False, 'shape': (5,), }");
  for (const [index, {image, labels}] of [...dataset(wanted)].entries()) {
    t.deepEqual(new Uint8Array(images.subarray(index * pixels, (index + 1) * pixels)), image);
    t.is(numbers.readInt32LE(4 * index), labels.number);
  }
});

test('the models are the files the README states', t => {
  t.is(stated.length, 6);
  for (const {file, bytes} of stated) t.is(statSync(new URL(`models/${file}`, folder)).size, bytes, file);
});

test('shape, colour and number share the weights of their first stages, bit for bit', t => {
  const trunks = ['shape', 'colour', 'number'].map(task => {
    const {graph} = proto.onnx.ModelProto.decode(readFileSync(new URL(`models/sign-${task}.onnx`, folder)));
    const weights = new Map(graph?.initializer?.map(({name, rawData}) => [name, rawData]));
    const convolutions = graph?.node?.filter(({opType, name}) => opType === 'Conv' && name?.startsWith('/trunk/')) ?? [];
    return convolutions.map(({name, input}) => [
      name,
      digest((input ?? []).slice(1).map(from => weights.get(from) ?? new Uint8Array())),
    ]);
  });
  t.is(trunks[0]?.length, 6);
  t.deepEqual(trunks[1], trunks[0]);
  t.deepEqual(trunks[2], trunks[0]);
});

test('the models are about as accurate as the README states', async t => {
  const examples = [...dataset({seed: splits.evaluate, count: 300})];
  const right = async (file: string, task: Task): Promise<number> => {
    const session = await InferenceSession.create(readFileSync(new URL(`models/${file}`, folder)), {intraOpNumThreads: 1});
    let hits = 0;
    for (const {image, labels} of examples) {
      const planes = Float32Array.from(
        {length: pixels},
        (_, at) => (image[(at % 2304) * 3 + Math.floor(at / 2304)] ?? 0) / 127.5 - 1,
      );
      const {logits} = await session.run({pixels: new Tensor('float32', planes, [1, 3, 48, 48])});
      const values = logits?.data instanceof Float32Array ? [...logits.data] : [];
      if (values.length === tasks[task].length && values.indexOf(Math.max(...values)) === labels[task]) hits++;
    }
    return (100 * hits) / examples.length;
  };
  for (const {file, task, accuracy} of stated) {
    const percent = await right(file, task);
    t.true(Math.abs(percent - accuracy) < 5, `${file}: ${percent} instead of ${accuracy}`);
  }
});
