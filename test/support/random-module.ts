/**
 * Seeded modules: well-formed graphs of floats over convolutions, linear layers, products, pools, element-wise steps and all
 * that moves elements, with several heads. Sizes are small and odd on purpose; values stay tame, so that sums compare well.
 */
import {blobOf} from '../../ir/edit.js';
import type {OpDef} from '../../ir/op.js';
import {avgpool} from '../../ir/ops/avgpool/index.js';
import {batchnorm} from '../../ir/ops/batchnorm/index.js';
import {broadcastShape} from '../../ir/ops/common/broadcast.js';
import {concat} from '../../ir/ops/concat/index.js';
import {conv2d} from '../../ir/ops/conv2d/index.js';
import {clip, elementwiseOps} from '../../ir/ops/elementwise/index.js';
import {linear} from '../../ir/ops/linear/index.js';
import {matmul} from '../../ir/ops/matmul/index.js';
import {maxpool} from '../../ir/ops/maxpool/index.js';
import {pad} from '../../ir/ops/pad/index.js';
import {reshape} from '../../ir/ops/reshape/index.js';
import {slice} from '../../ir/ops/slice/index.js';
import {softmax} from '../../ir/ops/softmax/index.js';
import {transpose} from '../../ir/ops/transpose/index.js';
import {bytesOfTensor, elements, tensorFrom} from '../../ir/tensor.js';
import type {Attrs, Constant, DType, Head, Loc, Module, Node, Value, ValueId} from '../../ir/types.js';
import {type Random, randomOf} from './tensors.js';

/** More than this many elements in one value make the reference evaluator slow. */
const largest = 3000;

const channelCounts = [1, 2, 3, 4, 5, 8, 16, 17, 20, 33];

export function randomModule(seed: number): Module {
  const random = randomOf(seed);
  const state = new State(random);
  const inputs = 1 + random.below(2);
  for (let i = 0; i < inputs; i++) state.input(random.chance(0.75) ? imageShape(random) : anyShape(random));
  const steps = 2 + random.below(11);
  for (let step = 0; step < steps; step++) {
    const value = random.chance(0.6) ? state.values.at(-1)! : random.pick(state.values);
    random.pick(allSteps)(state, value);
  }
  return state.finish(`random${seed}`);
}

function imageShape(random: Random): readonly number[] {
  const size = (): number => 1 + random.below(8);
  return [random.chance(0.2) ? 2 : 1, random.pick(channelCounts), size(), size()];
}

const anyShape = (random: Random): readonly number[] => Array.from({length: 1 + random.below(4)}, () => 1 + random.below(6));

/** The module as far as it is built. */
class State {
  readonly values: Value[] = [];
  readonly random: Random;
  private readonly inputs: Value[] = [];
  private readonly constants: Constant[] = [];
  private readonly nodes: Node[] = [];
  private nextId = 1;

  constructor(random: Random) {
    this.random = random;
  }

  private value(letter: string, shape: readonly number[]): Value {
    const id = this.nextId++ as ValueId;
    return {id, name: `${letter}${id}`, type: {dtype: 'f32', shape}};
  }

  private loc(): Loc {
    return {kind: 'text', file: 'random', line: this.nextId, column: 1};
  }

  input(shape: readonly number[]): void {
    const value = this.value('x', shape);
    this.inputs.push(value);
    this.values.push(value);
  }

  /** Values in [low, high); integers round down. */
  constant(shape: readonly number[], low: number, high: number, dtype: DType = 'f32'): Value {
    const {type: _, ...rest} = this.value('k', shape);
    const value: Value = {...rest, type: {dtype, shape}};
    const numbers = Array.from({length: elements(shape)}, () => low + this.random.unit() * (high - low));
    const whole = dtype === 'i8' || dtype === 'i4' ? numbers.map(Math.floor) : numbers;
    this.constants.push({value, blob: blobOf(bytesOfTensor(tensorFrom(dtype, shape, whole))), loc: this.loc()});
    return value;
  }

  /** Weights in [-spread, spread) or so, a fifth of them narrow, and scales for groups of them where they are integers. */
  weights(
    shape: readonly number[],
    spread: number,
  ): {readonly w: Value; readonly scales: Value[]; readonly attrs: {group?: number}} {
    const {random} = this;
    if (random.chance(0.8)) return {w: this.constant(shape, -spread, spread), scales: [], attrs: {}};
    const dtype = random.pick(['f16', 'bf16', 'i8', 'i4'] as const);
    if (dtype === 'f16' || dtype === 'bf16') return {w: this.constant(shape, -spread, spread, dtype), scales: [], attrs: {}};
    const group = random.pick([1, 2, 8, 32]);
    const rows = Math.ceil(elements(shape.slice(1)) / group);
    return {
      w: this.constant(shape, -8, 8, dtype),
      scales: [this.constant([shape[0]!, rows], 0, spread / 8)],
      attrs: {group},
    };
  }

  /** Adds a node unless it breaks a rule or grows too large. */
  emit<A extends Attrs>(op: OpDef<A>, operands: readonly (Value | null)[], attrs: A): Value | null {
    const call = {attrs, inputs: operands.map(operand => operand?.type ?? null)};
    if (!op.rules.every(rule => rule.holds(call))) return null;
    const [type] = op.infer(call);
    const count = elements(type!.shape);
    if (type!.dtype !== 'f32' || count === 0 || count > largest) return null;
    const loc = this.loc();
    const output = this.value('v', type!.shape);
    this.nodes.push({op: op.name, inputs: operands.map(operand => operand?.id ?? null), outputs: [output], attrs, loc});
    this.values.push(output);
    return output;
  }

  /** One to three heads over random values, the last among them; what they do not need goes. */
  finish(name: string): Module {
    const count = 1 + this.random.below(3);
    const heads = Array.from({length: count}, (_, i): Head => {
      const first = i === 0 ? this.values.at(-1)! : this.random.pick(this.values);
      const second = this.random.chance(0.2) ? [this.random.pick(this.values).id] : [];
      return {name: `h${i}`, outputs: [first.id, ...second], attrs: {}, loc: this.loc()};
    });
    const needed = new Set<ValueId>(heads.flatMap(head => head.outputs));
    const nodes = [...this.nodes].reverse();
    const kept = nodes.filter(node => {
      if (!needed.has(node.outputs[0].id)) return false;
      for (const id of node.inputs) if (id !== null) needed.add(id);
      return true;
    });
    const constants = this.constants.filter(({value}) => needed.has(value.id));
    return {name, attrs: {}, graph: {inputs: this.inputs, constants, nodes: kept.reverse()}, heads};
  }
}

type Step = (state: State, x: Value) => void;

const isImage = (x: Value): boolean => x.type.shape.length === 4;

/** Tame functions of one operand: nothing that blows up differences of the last bit. */
const unaries = elementwiseOps.filter(({name}) =>
  'relu neg abs tanh sigmoid softsign hard_swish sin cos erf softplus mish atan gelu'.split(' ').includes(name),
);
const binaries = elementwiseOps.filter(({name}) => 'add sub mul max min'.split(' ').includes(name));

function window(random: Random) {
  const kernel = [1 + random.below(3), 1 + random.below(3)];
  const pads = random.chance(0.5) ? [0, 0, 0, 0] : Array.from({length: 4}, (_, i) => random.below(kernel[i % 2]!));
  const strides = [1 + random.below(3), 1 + random.below(2)];
  const dilations = random.chance(0.8) ? [1, 1] : [1 + random.below(2), 1 + random.below(2)];
  return {kernel, pads, strides: random.chance(0.5) ? [1, 1] : strides, dilations};
}

const convolve: Step = (state, x) => {
  if (!isImage(x)) return;
  const {random} = state;
  const channels = x.type.shape[1]!;
  const {kernel, pads, strides, dilations} = window(random);
  const divisors = [1, 2, 3, 4, channels].filter(n => channels % n === 0);
  const groups = random.chance(0.6) ? 1 : random.pick(divisors);
  const outputs = groups === 1 ? random.pick(channelCounts) : groups * (1 + random.below(3));
  const each = channels / groups;
  const spread = 1 / Math.sqrt(each * kernel[0]! * kernel[1]!);
  const {w, scales, attrs} = state.weights([outputs, each, ...kernel], spread);
  const b = random.chance(0.6) ? state.constant([outputs], -1, 1) : null;
  state.emit(conv2d, [x, w, b, ...scales], {pads, strides, dilations, groups, epilogue: '', ...attrs});
};

const pool: Step = (state, x) => {
  if (!isImage(x)) return;
  const {random} = state;
  const any = {...window(random), ceil: random.chance(0.3)};
  // A dilated window may see nothing but padding: its maximum would be -infinity.
  const attrs = any.dilations.every(n => n === 1) ? any : {...any, pads: [0, 0, 0, 0]};
  const whole = {...attrs, kernel: x.type.shape.slice(2), pads: [0, 0, 0, 0], dilations: [1, 1]};
  const used = random.chance(0.2) ? whole : attrs;
  if (random.chance(0.5)) state.emit(maxpool, [x], used);
  else state.emit(avgpool, [x], {...used, includePad: random.chance(0.5)});
};

const normalize: Step = (state, x) => {
  const {shape} = x.type;
  if (shape.length < 2) return;
  const channels = [shape[1]!, ...shape.slice(2).map(() => 1)];
  const operands = [state.constant(channels, -1, 1), state.constant(channels, -1, 1), state.constant(channels, -1, 1)];
  state.emit(batchnorm, [x, ...operands, state.constant(channels, 0.5, 2)], {epsilon: 0.0009765625});
};

const connect: Step = (state, x) => {
  const inner = x.type.shape.at(-1)!;
  const {w, scales, attrs} = state.weights([state.random.pick(channelCounts), inner], 1 / Math.sqrt(inner));
  const b = state.random.chance(0.6) ? state.constant([w.type.shape[0]!], -1, 1) : null;
  state.emit(linear, [x, w, b, ...scales], {epilogue: '', ...attrs});
};

const multiply: Step = (state, x) => {
  const {random} = state;
  const inner = x.type.shape.at(-1)!;
  const others = state.values.filter(({type}) => type.shape.length >= 2 && type.shape.at(-2) === inner);
  const spread = 1 / Math.sqrt(inner);
  const fits = others.length > 0 && random.chance(0.6);
  const w = fits ? random.pick(others) : state.constant([inner, random.pick(channelCounts)], -spread, spread);
  const y = state.emit(matmul, [x, w], {epilogue: ''});
  // Products of activations grow: bring them back.
  if (y && fits) state.emit(unaries.find(({name}) => name === 'tanh')!, [y], {});
};

const applyUnary: Step = (state, x) => {
  const op = state.random.pick(unaries);
  state.emit(op, [x], op.name === 'gelu' ? {approximate: state.random.pick(['none', 'tanh'])} : {});
};

const applyClip: Step = (state, x) => {
  state.emit(clip, [x], {low: -state.random.below(3), high: state.random.unit() * 6});
};

const applyBinary: Step = (state, x) => {
  const {random} = state;
  const {shape} = x.type;
  const same = state.values.filter(({type}) => broadcastShape([type.shape, shape]) !== null);
  const channels = shape.map((size, i) => (i === 1 || random.chance(0.2) ? size : 1)).slice(random.below(2));
  const other = random.chance(0.6) ? random.pick(same) : state.constant(random.chance(0.3) ? [] : channels, -2, 2);
  state.emit(random.pick(binaries), random.chance(0.5) ? [x, other] : [other, x], {});
};

const join: Step = (state, x) => {
  const {random} = state;
  const axis = random.below(x.type.shape.length);
  const fits = state.values.filter(
    ({type: {shape}}) => shape.length === x.type.shape.length && shape.every((size, i) => i === axis || size === x.type.shape[i]),
  );
  state.emit(concat, [x, ...Array.from({length: 1 + random.below(3)}, () => random.pick(fits))], {axis});
};

const cut: Step = (state, x) => {
  const {random} = state;
  const ranges = x.type.shape.map(size => {
    const count = random.chance(0.5) ? size : 1 + random.below(size);
    const room = count === 1 ? 1 : Math.floor((size - 1) / (count - 1));
    const step = 1 + random.below(Math.max(1, room));
    const start = random.below(size - (count - 1) * step);
    const backwards = random.chance(0.15);
    return {count, step: backwards ? -step : step, start: backwards ? start + (count - 1) * step : start};
  });
  state.emit(slice, [x], {
    starts: ranges.map(({start}) => start),
    steps: ranges.map(({step}) => step),
    shape: ranges.map(({count}) => count),
  });
};

const reform: Step = (state, x) => {
  const {random} = state;
  let rest = elements(x.type.shape);
  const shape: number[] = [];
  while (shape.length < 3 && rest > 1 && random.chance(0.8)) {
    const divisor = random.pick([2, 3, 4, 5, 7, 1].filter(n => rest % n === 0));
    shape.push(divisor);
    rest /= divisor;
  }
  state.emit(reshape, [x], {shape: random.chance(0.3) ? [1, elements(x.type.shape)] : [...shape, rest]});
};

const turn: Step = (state, x) => {
  const {random} = state;
  const perm = x.type.shape.map((_, i) => i);
  for (let i = perm.length - 1; i > 0; i--) {
    const j = random.below(i + 1);
    [perm[i], perm[j]] = [perm[j]!, perm[i]!];
  }
  state.emit(transpose, [x], {perm});
};

const surround: Step = (state, x) => {
  const {random} = state;
  const onlyImage = isImage(x) && random.chance(0.7);
  const pads = [...x.type.shape, ...x.type.shape].map((_, i) =>
    onlyImage && i % 4 < 2 ? 0 : random.chance(0.5) ? random.below(3) : 0,
  );
  state.emit(pad, [x], {pads, value: random.chance(0.7) ? 0 : 1.5});
};

const normalizeScores: Step = (state, x) => {
  state.emit(softmax, [x], {axis: state.random.below(x.type.shape.length), log: state.random.chance(0.2)});
};

/** How often each comes up. */
const allSteps: readonly Step[] = [
  ...[convolve, convolve, convolve, convolve, pool, pool, normalize, normalize, connect, multiply],
  ...[applyUnary, applyUnary, applyUnary, applyClip, applyBinary, applyBinary, applyBinary],
  ...[join, join, cut, cut, reform, turn, surround, normalizeScores],
];
