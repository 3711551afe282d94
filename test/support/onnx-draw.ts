/**
 * What a recipe of test/support/onnx-recipes sees of the model that is being made: values to take as operands, with the
 * tensors that they hold, and ways to make new ones. Every choice is the seed's.
 */
import type {onnx} from 'onnx-proto';
import {broadcastShape} from '../../ir/ops/common/broadcast.js';
import {elements, numbersOf, type Tensor, tensorFrom} from '../../ir/tensor.js';
import type {DType} from '../../ir/types.js';
import {isReal, type Random} from './tensors.js';

/** A value of the model, as onnxruntime computed it. */
export type Known = {
  readonly name: string;
  readonly tensor: Tensor;
  readonly constant: boolean;
  /** How far off two correct programs may be, absolute; 0 where all must agree to the last bit. */
  readonly error: number;
};

/** One node before it is tried: null is an operand left out. */
export type Draft = {
  readonly inputs: readonly (Known | null)[];
  readonly attributes?: readonly onnx.IAttributeProto[];
  /** Which outputs to ask for; one where absent. */
  readonly outputs?: readonly boolean[];
};

export type Recipe = {
  readonly op: string;
  readonly domain?: string;
  /** Operator sets that have this form, both included. */
  readonly opsets?: readonly [first: number, last: number];
  /** Results are exact where the operands are: elements are moved, compared, or computed in integers. */
  readonly exact?: boolean;
  /** Results may be NaN or infinite. */
  readonly wild?: boolean;
  /** Of the largest value, what onnxruntime's own kernel may be off. */
  readonly loose?: number;
  /** null where the model as it is has no place for the node. */
  draw(draw: Draw): Draft | null;
};

export type Want = {
  /** The first is drawn most. f32 alone where absent. */
  readonly dtypes?: readonly DType[];
  readonly shape?: () => readonly number[];
  /** All elements are at least, and at most. */
  readonly low?: number;
  readonly high?: number;
  readonly fits?: (tensor: Tensor) => boolean;
  /** Tensors without elements will do. */
  readonly empty?: boolean;
};

/** More elements than this in one value make the reference evaluator slow. */
export const largest = 3500;
const mostInputs = 8;

export class Draw {
  readonly random: Random;
  readonly opset: number;
  readonly values: Known[] = [];
  private made = 0;
  private inputs = 0;

  constructor(random: Random, opset: number) {
    this.random = random;
    this.opset = opset;
  }

  name(letter: string): string {
    return `${letter}${this.made++}`;
  }

  /** Takes a value of the model that fits, or makes one. */
  pick(want: Want = {}): Known {
    const {dtypes = ['f32'], shape = () => this.shape(), low, high, fits = () => true, empty = false} = want;
    const inside = (tensor: Tensor): boolean => (low === undefined && high === undefined) || within(tensor, low, high);
    const found = this.values.filter(
      ({tensor}) => dtypes.includes(tensor.dtype) && inside(tensor) && fits(tensor) && (empty || tensor.data.length > 0),
    );
    if (found.length > 0 && this.random.chance(0.8)) return this.random.chance(0.5) ? found.at(-1)! : this.random.pick(found);
    const dtype = this.random.chance(0.6) ? dtypes[0]! : this.random.pick(dtypes);
    const sizes = shape();
    const none = empty && sizes.length > 0 && this.random.chance(0.04);
    return this.fresh(dtype, none ? sizes.with(this.random.below(sizes.length), 0) : sizes, low, high);
  }

  /** A new input of the graph, now and then a constant. */
  fresh(dtype: DType, shape: readonly number[], low = lowest(dtype), high = Math.max(low + 1, highest)): Known {
    const constant = this.random.chance(0.15) || this.inputs >= mostInputs;
    if (!constant) this.inputs++;
    const value = {name: this.name(constant ? 'k' : 'x'), tensor: this.tensor(dtype, shape, low, high), constant, error: 0};
    this.values.push(value);
    return value;
  }

  /** A new constant that other nodes do not take: weights. */
  weight(shape: readonly number[], least = -1, high = 1, dtype: DType = 'f32'): Known {
    const low = Math.max(least, lowest(dtype));
    const constant = this.random.chance(0.95);
    return {name: this.name(constant ? 'w' : 'x'), tensor: this.tensor(dtype, shape, low, high), constant, error: 0};
  }

  /** A constant of given numbers. */
  numbers(dtype: DType, shape: readonly number[], values: readonly number[]): Known {
    return {name: this.name('k'), tensor: tensorFrom(dtype, shape, values), constant: true, error: 0};
  }

  /** A constant vector of i64: axes, sizes, pads. */
  i64s(values: readonly number[]): Known {
    return this.numbers('i64', [values.length], values);
  }

  /** Floats are multiples of 1/64: sums and small products of them are exact, and ties happen. */
  private tensor(dtype: DType, shape: readonly number[], low: number, high: number): Tensor {
    const steps = isReal(dtype) ? 64 : 1;
    const [from, to] = [Math.ceil(low * steps), Math.floor(high * steps)];
    const value = (): number => (dtype === 'bool' ? this.random.below(2) : (from + this.random.below(to - from + 1)) / steps);
    return tensorFrom(dtype, shape, Array.from({length: elements(shape)}, value));
  }

  /** Between so many axes, of 1 to 6 each. */
  shape(least = 0, most = 4): readonly number[] {
    const rank = this.random.chance(0.1) ? least : Math.max(1, least) + this.random.below(most - Math.max(1, least) + 1);
    return Array.from({length: rank}, () => 1 + this.random.below(rank > 3 ? 4 : 6));
  }

  /** [n][c][w] to [n][c][d][h][w], mostly of two spatial axes. */
  image(spatial = this.random.chance(0.75) ? 2 : 1 + this.random.below(3)): readonly number[] {
    const most = spatial > 2 ? 4 : this.random.chance(0.15) ? 14 : 8;
    const sizes = Array.from({length: spatial}, () => 1 + this.random.below(most));
    return [this.random.chance(0.2) ? 2 : 1, this.random.pick([1, 2, 3, 4, 5, 8, 17]), ...sizes];
  }

  /** An operand that broadcasts with x. */
  partner(x: Known, want: Want = {}): Known {
    const {shape, dtype} = x.tensor;
    const smaller = (): readonly number[] => {
      const ones = shape.map(size => (this.random.chance(0.3) ? 1 : size));
      return this.random.chance(0.3) ? ones.slice(this.random.below(ones.length + 1)) : ones;
    };
    const fits = (other: Tensor): boolean => {
      const both = broadcastShape([shape, other.shape]);
      return both !== null && elements(both) <= largest && (want.fits?.(other) ?? true);
    };
    return this.pick({dtypes: [dtype], shape: smaller, ...want, fits});
  }

  /** Between the two, both included. */
  between(low: number, high: number): number {
    return low + this.random.below(high - low + 1);
  }

  /** An axis of x, counted from the end half of the time. */
  axis(rank: number): number {
    const axis = this.random.below(Math.max(1, rank));
    return this.random.chance(0.5) ? axis - rank : axis;
  }

  /** Some axes, in any order, either way of counting. */
  axes(rank: number, least = 0): readonly number[] {
    const kept = this.shuffled(Array.from({length: rank}, (_, i) => i)).slice(0, Math.max(least, this.random.below(rank + 1)));
    return kept.map(axis => (this.random.chance(0.4) ? axis - rank : axis));
  }

  shuffled<T>(list: readonly T[]): readonly T[] {
    const result = [...list];
    for (let i = result.length - 1; i > 0; i--) {
      const j = this.random.below(i + 1);
      [result[i], result[j]] = [result[j]!, result[i]!];
    }
    return result;
  }

  /** The attribute half of the time. */
  maybe(attribute: onnx.IAttributeProto): readonly onnx.IAttributeProto[] {
    return this.random.chance(0.5) ? [attribute] : [];
  }
}

function within(tensor: Tensor, low = Number.NEGATIVE_INFINITY, high = Number.POSITIVE_INFINITY): boolean {
  return numbersOf(tensor).every(value => value >= low && value <= high);
}

const lowest = (dtype: DType): number => (dtype.startsWith('u') || dtype === 'bool' ? 0 : -3);
const highest = 3;
