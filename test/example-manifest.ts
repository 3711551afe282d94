/** A manifest with every field of the contract, the optional ones too. It names no files that exist. */
import type {Manifest} from '../runtime/index.js';

const sha256 = '0123456789abcdef'.repeat(4);
const sizes = {macs: 1200, weightBytes: 640, arenaBytes: 4096};

export const example = {
  schema: 1,
  generator: {name: 'dnnc', version: '0.1.0', optionsHash: 'deadbeef', sources: ['age.onnx', "o'brien */.onnx"]},
  name: 'faces',
  buildHash: '0011223344556677',
  libraries: [
    {target: 'generic', file: 'faces.generic.so', sha256, needs: []},
    {target: 'x86-64-avx2', file: 'faces.x86-64-avx2.so', sha256, needs: ['avx2', 'fma'], platform: 'linux-x64'},
  ],
  weights: {file: 'faces.weights', bytes: 4096, sha256, alignment: 64, symbol: 'faces_blob'},
  arena: {bytes: 8192, lowerBound: 8000, alignment: 64},
  tasks: {
    age: {
      labels: ['child', 'adult'],
      labelOffset: 0,
      inputs: [
        {
          name: 'x',
          dtype: 'f32',
          shape: [1, 3, 4, 4],
          preparation: {channels: 'rgb', mean: [127.5], std: [1, 2, 3], dataLayout: 'NHWC', resize: 'bilinear'},
        },
      ],
      outputs: [{name: 'y', dtype: 'f32', shape: [1, 2]}],
      scores: 'logits',
      variants: ['age/full', 'age/exit@1', 'age/cascade@1'],
    },
    object: {
      labels: ['cup', 'hat'],
      labelOffset: 1,
      inputs: [{name: 'x', dtype: 'u8', shape: [1, 8]}],
      outputs: [{name: 'y', dtype: 'f32', shape: [1, 3]}],
      scores: 'probabilities',
      variants: ['object/full', 'object/int8'],
    },
  },
  segments: [
    {id: 'trunk', tasks: ['age', 'object'], to: 'cut0', ...sizes, entry: 'faces_trunk', weights: {offset: 64, bytes: 640}},
    {id: 'head', tasks: ['age'], from: 'cut0', ...sizes},
  ],
  cuts: [{id: 'cut0', dtype: 'f32', shape: [1, 16], bytes: 64, layout: 'channels-last', tasks: ['age', 'object']}],
  variants: [
    {
      ...{id: 'age/full', task: 'age', recipe: 'full', entry: 'faces_age_invoke', path: ['trunk', 'head']},
      ...{...sizes, arenaLowerBound: 4000, loadBytes: 4096},
      quality: {metric: 'top1', value: 91.5, interval: [90, 93], n: 1000, data: sha256},
      confusion: [
        {
          class: 1,
          answers: [
            [1, 9],
            [0, 1],
          ],
        },
      ],
      calibration: {temperature: 1.5, frequencies: [0.75, 0.25], n: 400, data: sha256},
      splits: [
        {
          cut: 'cut0',
          low: -1,
          step: 0.5,
          bytes: 10.5,
          inputBytes: 40,
          quality: {metric: 'top1', value: 91, interval: [90, 93], n: 1000, data: sha256},
        },
      ],
      latency: {'x86-64-avx2': {p10: 0.1, p50: 0.2, p90: 0.3, cold: 0.9, threads: 1, host: 'a CPU', measured: true}},
      energy: {
        phone: {millijoules: 3, source: 'modelled', profile: 'phone', interval: [2, 5]},
        generic: {millijoules: 3.5, source: 'measured', profile: 'rapl', interval: [3.4, 3.6], host: 'a CPU'},
      },
      price: {cloud: {dollars: 0.00001, milliseconds: 2}},
      context: ['child', 1],
    },
    {
      ...{id: 'age/exit@1', task: 'age', recipe: 'exit@1', path: ['trunk'], ...sizes, arenaLowerBound: 1, loadBytes: 1},
      exit: {cut: 'cut0', file: 'faces.age_1.exit', sha256, bytes: 192, lacks: [1]},
    },
    {
      ...{id: 'age/cascade@1', task: 'age', recipe: 'cascade@1', path: ['trunk'], ...sizes, arenaLowerBound: 1, loadBytes: 1},
      cascade: {
        ...{first: 'age/exit@1', last: 'age/full', threshold: 0.8, share: 0.9, n: 100, data: sha256},
        estimates: [{share: 0.9, accuracy: 95.5, macs: 700.5, alone: 0.75}],
      },
      context: ['adult'],
    },
    {
      id: 'object/full',
      task: 'object',
      recipe: 'full',
      entry: 'faces_object_invoke',
      path: ['trunk'],
      ...sizes,
      arenaLowerBound: 1,
      loadBytes: 1,
    },
    {
      id: 'object/int8',
      task: 'object',
      recipe: 'int8',
      entry: 'faces_object_int8',
      path: ['trunk'],
      ...sizes,
      arenaLowerBound: 1,
      loadBytes: 1,
    },
  ],
  files: {'faces.h': sha256, 'kernels/gemm.h': sha256},
} as const satisfies Manifest;
