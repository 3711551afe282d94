/** Networks as quantizers write them, layer by layer between QuantizeLinear and DequantizeLinear, beside onnxruntime's integers. */
import {readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import test from 'ava';
import type {onnx} from 'onnx-proto';
import {type Target, targets} from '../codegen/targets/index.js';
import {build} from '../compiler/build.js';
import {cpuFeatures, runsHere, targetsNamed} from '../compiler/host.js';
import {hasOnnxruntime, openPeer} from '../compiler/onnxruntime.js';
import {packageFile} from '../compiler/package-files.js';
import {resolveTasks} from '../compiler/tasks.js';
import {tensorFrom} from '../ir/tensor.js';
import {load} from '../runtime/index.js';
import {attribute, modelBytes, node, valueInfo} from './support/onnx-bytes.js';
import {temporaryFolder} from './support/temporary.js';
import {randomOf} from './support/tensors.js';
import {hasWasmCompiler, wasm32} from './support/wasm.js';
import {hasCompiler} from './tiny-build.js';

const folder = temporaryFolder();

/** A drawn network: convolutions, some depthwise, with activations, a residual addition, a pool and a fully connected layer. */
function network(seed: number, width = 12): Uint8Array {
  const random = randomOf(seed);
  const nodes: onnx.INodeProto[] = [];
  const initializer: onnx.ITensorProto[] = [];
  const isSigned = random.chance(0.5);
  const type = isSigned ? 3 : 2;
  const ints = (name: string, dims: readonly number[], values: readonly number[], dataType: number): string => {
    initializer.push({name, dims: [...dims], dataType, int32Data: [...values]});
    return name;
  };
  const floats = (name: string, dims: readonly number[], values: readonly number[]): string => {
    initializer.push({name, dims: [...dims], dataType: 1, floatData: [...values]});
    return name;
  };
  let count = 0;
  type Scaled = {readonly name: string; readonly scale: number; readonly channels: number};
  const quantized = (real: string, scale: number, zero: number, channels: number): Scaled => {
    const [s, z, q, d] = ['s', 'z', 'q', 'd'].map(letter => `${letter}${++count}`) as [string, string, string, string];
    floats(s, [], [scale]);
    ints(z, [], [zero], type);
    nodes.push(node('QuantizeLinear', [real, s, z], [q]), node('DequantizeLinear', [q, s, z], [d]));
    return {name: d, scale, channels};
  };
  const zeroAfterRelu = isSigned ? -128 : 0;
  const zeroInside = (): number => (isSigned ? random.below(41) - 20 : 108 + random.below(41));
  const weights = (dims: readonly number[], input: number, perChannel: boolean): [string, string] => {
    const outputs = dims[0]!;
    const length = dims.reduce((a, b) => a * b, 1);
    const scales = Array.from({length: perChannel ? outputs : 1}, () => Math.fround(0.002 + 0.01 * random.unit()));
    const [w, s, z, b, t, y] = Array.from({length: 6}, () => `w${++count}`) as [string, string, string, string, string, string];
    ints(
      w,
      dims,
      Array.from({length}, () => random.below(255) - 127),
      3,
    );
    floats(s, perChannel ? [outputs] : [], scales);
    ints(
      z,
      perChannel ? [outputs] : [],
      scales.map(() => 0),
      3,
    );
    ints(
      b,
      [outputs],
      Array.from({length: outputs}, () => random.below(4001) - 2000),
      6,
    );
    const bias = Array.from({length: outputs}, (_, c) => Math.fround(Math.fround(input) * scales[perChannel ? c : 0]!));
    floats(t, perChannel ? [outputs] : [], perChannel ? bias : bias.slice(0, 1));
    ints(
      y,
      perChannel ? [outputs] : [],
      scales.map(() => 0),
      6,
    );
    const axis = perChannel ? {attribute: [attribute('axis', {type: 2, i: 0})]} : {};
    nodes.push(
      node('DequantizeLinear', [w, s, z], [`${w}_real`], axis),
      node('DequantizeLinear', [b, t, y], [`${b}_real`], axis),
    );
    return [`${w}_real`, `${b}_real`];
  };
  const convolution = (x: Scaled, outputs: number, depthwise: boolean): Scaled => {
    const size = random.pick([1, 3]);
    const [w, b] = weights([outputs, depthwise ? 1 : x.channels, size, size], x.scale, random.chance(0.6));
    const sum = `c${++count}`;
    const pads = size === 3 ? [1, 1, 1, 1] : [0, 0, 0, 0];
    const more = [attribute('pads', {type: 7, ints: pads}), ...(depthwise ? [attribute('group', {type: 2, i: outputs})] : [])];
    nodes.push(node('Conv', [x.name, w, b], [sum], {attribute: more}));
    const activation = random.chance(0.6);
    if (activation) nodes.push(node('Relu', [sum], [`${sum}_bent`]));
    return quantized(
      activation ? `${sum}_bent` : sum,
      0.02 + 0.05 * random.unit(),
      activation ? zeroAfterRelu : zeroInside(),
      outputs,
    );
  };
  const channels = random.pick([3, 8, 16]);
  let x = quantized('x', 1 / 64, zeroInside(), channels);
  x = convolution(x, 16, false);
  const before = x;
  x = convolution(x, 16, true);
  x = convolution(x, 16, false);
  nodes.push(node('Add', [before.name, x.name], ['sum']));
  x = quantized('sum', 0.06, zeroInside(), 16);
  const pool = random.pick(['MaxPool', 'AveragePool']);
  const window = [attribute('kernel_shape', {type: 7, ints: [2, 2]}), attribute('strides', {type: 7, ints: [2, 2]})];
  nodes.push(node(pool, [x.name], ['pooled'], {attribute: window}));
  x = quantized('pooled', x.scale, isSigned ? 0 : 128, 16);
  x = convolution(x, 32, false);
  const last = nodes.at(-2)!.output![0]!;
  return modelBytes({
    ...{name: 'quantized', initializer, node: nodes.slice(0, -1)},
    input: [valueInfo('x', [1, channels, 12, width])],
    output: [valueInfo(last, [1, 32, 6, width / 2], type)],
  });
}

const peer = hasCompiler && (await hasOnnxruntime());

/** Tiles by functions in C, where the processor has none but what the rest of that target needs. */
const amxInC: readonly Target[] = targets
  .filter(target => target.features.includes('amxint8') && !runsHere(target))
  .map(target => ({
    ...target,
    flags: [...target.flags.filter(flag => !flag.startsWith('-mamx')), '-include', packageFile('codegen/kernels/test/amx.h')],
  }))
  .filter(({features}) => features.every(feature => feature === 'amxint8' || cpuFeatures().has(feature)));

(hasCompiler ? test : test.skip)('integers are the same on every target', async t => {
  t.timeout(300_000);
  const here = [...targets.filter(runsHere), ...amxInC, ...(hasWasmCompiler ? [wasm32] : [])];
  const seed = 6;
  const file = join(folder, `t${seed}.onnx`);
  // Pixels of three planes, sixteen and some more in a row.
  writeFileSync(file, network(seed, 20));
  const directory = join(folder, `t${seed}`);
  const options = {directory, name: 'quantized', measure: false, typed: false, flags: ['-O1'], targets: here};
  await build(resolveTasks({models: [file]}).tasks, options);
  const text = (name: string): string => readFileSync(join(directory, `quantized.${name}.c`), 'utf8');
  for (const {name, features} of here) t.is(text(name).includes('dnnc_interleave3('), features.length > 0, name);
  for (const {name} of amxInC) t.regex(text(name), / conv2d_u8_amx\(/);
  const random = randomOf(200 + seed);
  const answers = here.map(({name}) => {
    const entry = load(directory, {target: name}).entry(`t${seed}`);
    return {entry, name};
  });
  for (let sample = 0; sample < 4; sample++) {
    const pixels = Float32Array.from({length: answers[0]!.entry.newInputs()[0]!.length}, () => 3 * random.unit() - 1.5);
    const [first, ...others] = answers.map(({entry}) => {
      const [output] = entry.newOutputs();
      entry.call([pixels], [output!]);
      return output!;
    });
    others.forEach((output, i) => {
      t.deepEqual(output, first!, `seed ${seed}: ${here[i + 1]!.name} and ${here[0]!.name}`);
    });
  }
});

(peer ? test : test.skip)('integers of drawn networks are those of onnxruntime', async t => {
  t.timeout(300_000);
  let [same, all] = [0, 0];
  for (let seed = 1; seed <= 5; seed++) {
    const file = join(folder, `n${seed}.onnx`);
    writeFileSync(file, network(seed));
    const {tasks} = resolveTasks({models: [file]});
    const directory = join(folder, `n${seed}`);
    const options = {
      directory,
      name: 'quantized',
      measure: false,
      typed: false,
      flags: ['-O1'],
      targets: targetsNamed([seed % 2 ? 'native' : 'generic']),
    };
    await build(tasks, options);
    const entry = load(directory).entry(`n${seed}`);
    const other = await openPeer(file);
    const random = randomOf(100 + seed);
    for (let sample = 0; sample < 4; sample++) {
      const [input] = entry.task.inputs;
      const pixels = Float32Array.from({length: entry.newInputs()[0]!.length}, () => 3 * random.unit() - 1.5);
      const [ours] = entry.newOutputs();
      entry.call([pixels], [ours!]);
      const theirs = [...(await other.run([tensorFrom('f32', input!.shape, [...pixels])])).values()][0]!.data;
      for (let i = 0; i < theirs.length; i++) {
        const difference = Math.abs(Number(ours![i]) - Number(theirs[i]));
        if (difference > 1) t.fail(`seed ${seed}, element ${i}: ${ours![i]} where onnxruntime has ${theirs[i]}`);
        same += difference === 0 ? 1 : 0;
        all++;
      }
    }
    await other.close();
  }
  t.log(`${same} of ${all} elements are equal`);
  t.true(same >= 0.999 * all, `${same} of ${all}`);
});
