/** A build whose code is JavaScript: two tasks on one trunk, a small variant of each, a split. Every call and every page is counted. */
import {createHash} from 'node:crypto';
import type {Manifest, Variant} from '../../runtime/manifest.js';
import type {Binder, NativeEntry} from '../../runtime/native.js';
import {catalogFromManifest, type Profile} from '../../runtime/schedule/index.js';
import {createSession, type Session} from '../../runtime/session.js';
import type {TypedArray} from '../../runtime/tensors.js';

const sha256 = createHash('sha256').update('pretended').digest('hex');
const quality = (value: number) => ({metric: 'top1', value, interval: [value - 1, value + 1], n: 100, data: sha256}) as const;
const width = 4;
const input = {name: 'x', dtype: 'f32', shape: [1, width]} as const;
const output = {name: 'y', dtype: 'f32', shape: [1, 2]} as const;
const cut = {id: 'cut', dtype: 'f32', shape: [1, width], bytes: 4 * width, tasks: ['age', 'mood']} as const;
/** Bytes of the weights of each segment. */
const weightBytes = 1000;
const latency = {generic: {p10: 0.01, p50: 0.02, p90: 0.03, threads: 1, host: 'none', measured: true}} as const;

const segment = (id: string, tasks: readonly string[], at: number, macs: number, ends: {from?: string; to?: string} = {}) => ({
  ...{id, tasks, macs, weightBytes, arenaBytes: 64, entry: `${id}_code`, ...ends, latency},
  weights: {offset: 64 + at * weightBytes, bytes: weightBytes},
});

function variant(task: string, recipe: string, path: readonly string[], macs: number, accuracy: number): Variant {
  return {
    ...{id: `${task}/${recipe}`, task, recipe, entry: `${task}_${recipe}_code`, path, macs, quality: quality(accuracy), latency},
    ...{weightBytes: path.length * weightBytes, arenaBytes: 64, arenaLowerBound: 64, loadBytes: path.length * weightBytes},
    calibration: {temperature: 1, frequencies: [0.5, 0.5], n: 100, data: sha256},
    ...(recipe === 'full' && {
      splits: [{cut: 'cut', low: -8, step: 1 / 16, bytes: 6, inputBytes: 12, quality: quality(accuracy - 1)}],
    }),
  };
}

const task = (name: string, labels: readonly string[]) => ({
  ...{labels, inputs: [input], outputs: [output], scores: 'logits' as const},
  variants: [`${name}/full`, `${name}/small`],
});

export const pretended: Manifest = {
  ...{schema: 1, name: 'pretended', buildHash: '00', files: {}, cuts: [cut]},
  generator: {name: 'dnnc', version: '0.1.0', optionsHash: '00', sources: []},
  libraries: [{target: 'generic', file: 'none.so', sha256, needs: []}],
  weights: {file: 'none.weights', bytes: 64 + 5 * weightBytes, sha256, alignment: 64},
  arena: {bytes: 64, lowerBound: 64, alignment: 64},
  tasks: {age: task('age', ['child', 'adult']), mood: task('mood', ['glad', 'sad'])},
  segments: [
    segment('trunk', ['age', 'mood'], 0, 1e6, {to: 'cut'}),
    segment('age_head', ['age'], 1, 1e5, {from: 'cut'}),
    segment('mood_head', ['mood'], 2, 1e5, {from: 'cut'}),
    segment('age_small', ['age'], 3, 2e5),
    segment('mood_small', ['mood'], 4, 2e5),
  ],
  variants: [
    variant('age', 'full', ['trunk', 'age_head'], 1.1e6, 95),
    variant('mood', 'full', ['trunk', 'mood_head'], 1.1e6, 90),
    variant('age', 'small', ['age_small'], 2e5, 80),
    variant('mood', 'small', ['mood_small'], 2e5, 75),
  ],
};

export type Pretended = {
  readonly session: Session;
  /** Calls of each C symbol. */
  readonly calls: Map<string, number>;
  /** Bytes of weights in memory now, and at most so far. */
  readonly memory: {now: number; most: number};
};

/** `slow`: milliseconds that every call on the thread pool takes; `store`: what weights that are read beside the calls wait for. */
export function pretendedBuild(
  manifest: Manifest = pretended,
  slow = 0,
  store: (segment: string) => Promise<void> = async () => {},
): Pretended {
  const calls = new Map<string, number>();
  const memory = {now: 0, most: 0};
  const paged = new Set<number>();
  const compute = (symbol: string, [x]: readonly TypedArray[], [y]: readonly TypedArray[]): void => {
    calls.set(symbol, (calls.get(symbol) ?? 0) + 1);
    const given = Array.from(x as Float32Array);
    if (symbol === 'trunk_code') for (const [i, value] of given.entries()) y![i] = value / 2;
    else {
      const sum = given.reduce((total, value) => total + value, 0) * (symbol.includes('head') ? 2 : 1);
      [y![0], y![1]] = symbol.startsWith('age') ? [-sum, sum] : [sum, -sum];
    }
  };
  const page: Binder['page'] = ({offset, bytes}, wanted) => {
    if (wanted !== paged.has(offset)) memory.now += wanted ? bytes : -bytes;
    if (wanted) paged.add(offset);
    else paged.delete(offset);
    memory.most = Math.max(memory.most, memory.now);
    return bytes;
  };
  const bind: Binder = {
    entry(symbol) {
      const entry: NativeEntry = {
        call: (inputs, outputs) => compute(symbol, inputs, outputs),
        async callAsync(inputs, outputs) {
          const copies = inputs.map(each => each.slice());
          await new Promise(resolve => setTimeout(resolve, slow));
          compute(symbol, copies, outputs);
        },
        fixed: (inputs, outputs) => () => compute(symbol, inputs, outputs),
        bench: () => new Float64Array(0),
      };
      return entry;
    },
    exit() {
      throw new TypeError('there are no exits');
    },
    page,
    async pageAsync({offset, bytes}) {
      const paging = page({offset, bytes}, true);
      await store(manifest.segments.find(({weights}) => weights?.offset === offset)!.id);
      return paging;
    },
  };
  return {session: createSession(manifest, 'generic', bind), calls, memory};
}

/** Both tasks on one input, and each alone. */
export const profile = (rate = 1): Profile => ({
  ...{schema: 1, name: 'test'},
  device: {joulesPerGmac: 1000, millisecondsPerGmac: 10, loadJoulesPerMegabyte: 1},
  link: {joulesPerMegabyte: 1, joulesPerRequest: 0.01},
  cloud: {dollarsPerHour: 1, millisecondsPerGmac: 1},
  requests: [
    {name: 'both', tasks: [{name: 'age'}, {name: 'mood'}], rate, inputBytes: 200},
    {name: 'age', tasks: [{name: 'age'}], rate, inputBytes: 200},
    {name: 'mood', tasks: [{name: 'mood'}], rate, inputBytes: 200},
  ],
});

export const catalog = (rate?: number) => catalogFromManifest(pretended, profile(rate));
