/** A build and its log as data, as large as a test wants them: no file, no C compiler. Numbers follow from positions. */
import type {Tried} from '../../compiler/catalog/log.js';
import type {LayerReport, RecipeReport} from '../../compiler/recipes/report.js';
import type {Facts} from '../../compiler/report/read.js';
import {parse} from '../../ir/parse.js';
import type {Module} from '../../ir/types.js';
import type {Manifest, Segment, Variant} from '../../runtime/manifest.js';

export const sha256 = '0123456789abcdef'.repeat(4);

export type FactsOptions = {
  readonly variants: number;
  readonly dropped: number;
  readonly layers: number;
  /** Operations of a variant in the module. */
  readonly nodes: number;
};

const kinds = ['int8', 'w4', 'lowrank:0.', 'prune:0.', 'lowrank:0.5+int8', 'w8'];
export const recipeOf = (i: number): string => {
  if (i === 0) return 'full';
  const kind = kinds[i % kinds.length]!;
  return `${kind}${kind.endsWith('.') ? '' : ':'}${i}`;
};

/** The arena is that of `moduleOf`. */
function variantOf(i: number, arenaBytes: number): Variant {
  const accuracy = 95 - (i % 17) * 0.4;
  const p50 = 0.04 + 0.9 / (1 + i);
  return {
    ...{id: `sign/${recipeOf(i)}`, task: 'sign', recipe: recipeOf(i), entry: `big_sign_${i}`, path: ['trunk', `head_${i}`]},
    ...{macs: 1_000_000 - 900 * i, weightBytes: 400_000 - 1500 * i, arenaBytes, arenaLowerBound: arenaBytes},
    loadBytes: 500_000 - 1800 * i,
    quality: {metric: 'top1', value: accuracy, interval: [accuracy - 1.3, accuracy + 1.1], n: 800, data: sha256},
    latency: {generic: {p10: 0.9 * p50, p50, p90: 1.2 * p50, threads: 1, host: 'a CPU', measured: true}},
    energy: {generic: {millijoules: 2 * p50, source: 'modelled', profile: 'phone'}},
  };
}

function layersOf(count: number, shift: number): readonly LayerReport[] {
  return Array.from({length: count}, (_, i) => {
    const [macsBefore, timeBefore, bytesBefore] = [10_000 + 100 * i, 3 + i / 7, 2000 + 10 * i];
    const whole = {layer: `stage${i % 4}.block${i}.conv`, macsBefore, timeBefore, bytesBefore};
    if ((i + shift) % 5 === 0)
      return {...whole, macsAfter: macsBefore, timeAfter: timeBefore, bytesAfter: bytesBefore, float: 'too few weights'};
    return {...whole, macsAfter: 4000 + i, timeAfter: 1.5, bytesAfter: 700 + i, form: 'spatial 16', error: 0.0123};
  });
}

function triedOf(i: number, kept: boolean): Tried {
  const value = 95 - ((kept ? i : i + 5) % 23) * 0.3;
  return {
    ...{task: 'sign', recipe: kept ? recipeOf(i) : `prune:0.${i}+w4`, from: recipeOf(0), kept},
    reason: kept ? 'on the front' : `loses ${(95 - value).toFixed(2)} points`,
    accuracy: {n: 400, value, interval: [value - 1, value + 1], loss: 95 - value, error: 0.21},
    costs: {
      macs: 5e5,
      weightBytes: 1e5,
      arenaBytes: 3e4,
      loadBytes: 1.2e5 + i,
      cycles: 7e4,
      p50: 0.03 + i / 500,
      p90: 0.09,
      cold: 0.5,
    },
    seconds: 1.5,
  };
}

export function factsOf({variants, dropped, layers, nodes}: FactsOptions): Facts {
  const all = Array.from({length: variants}, (_, i) => variantOf(i, 2048));
  const sizes = {macs: 500_000, weightBytes: 100_000, arenaBytes: 2048};
  const heads = all.map(({id}, i): Segment => ({id: `head_${i}`, tasks: [id.split('/')[0]!], from: 'cut0', ...sizes}));
  const manifest: Manifest = {
    ...{schema: 1, name: 'big', buildHash: '0011223344556677'},
    generator: {name: 'dnnc', version: '0.1.0', optionsHash: 'deadbeef', sources: ['sign.onnx']},
    libraries: [{target: 'generic', file: 'big.generic.so', sha256, needs: []}],
    weights: {file: 'big.weights', bytes: 500_000, sha256, alignment: 64},
    arena: {bytes: 2048, lowerBound: 2048, alignment: 64},
    tasks: {
      sign: {
        inputs: [{name: 'x', dtype: 'f32', shape: [1, 512]}],
        outputs: [{name: 'y', dtype: 'f32', shape: [1, 512]}],
        scores: 'logits',
        variants: all.map(({id}) => id),
      },
    },
    segments: [{id: 'trunk', tasks: ['sign'], to: 'cut0', ...sizes}, ...heads],
    cuts: [{id: 'cut0', dtype: 'f32', shape: [1, 512], bytes: 2048, tasks: ['sign']}],
    variants: all,
    files: {},
  };
  const recipes = all.slice(1).map(
    ({task, recipe}, i): RecipeReport => ({
      ...{task, recipe, calibration: 'mse', samples: 64, data: sha256},
      estimate: {loss: 0.4, agreement: 98.5, divergence: 0.01},
      layers: layersOf(layers, i),
    }),
  );
  const tried = [...all.map((_, i) => triedOf(i, true)), ...Array.from({length: dropped}, (_, i) => triedOf(i, false))];
  const log = {dnnc: '0.1.0', compiler: 'cc 12', recipes, ...(dropped > 0 && {catalog: {maxLoss: 1, tried}})};
  return {manifest, log, ir: {module: moduleOf(variants, nodes)}};
}

/** Every variant a chain of its own; each value takes over the 2048 bytes of the one before. */
function moduleOf(variants: number, nodes: number): Module {
  const lines = Array.from({length: variants}, (_, i) => {
    const chain = Array.from(
      {length: nodes},
      (_, at) => `  %h${i}.${at} = softmax(${at === 0 ? '%x' : `%h${i}.${at - 1}`}) {axis = 1} : f32[1,512]\n`,
    );
    return {chain: chain.join(''), head: `  head @sign_${i} = %h${i}.${nodes - 1} {recipe = "${recipeOf(i)}", task = "sign"}\n`};
  });
  const body = lines.map(({chain}) => chain).join('') + lines.map(({head}) => head).join('');
  return parse(`dnnc-ir 1\n\nmodule @big {\n  input %x : f32[1,512]\n${body}}\n`);
}
