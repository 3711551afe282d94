/** Changes of a network after which layers are applied at other places: a larger stride, a convolution in place of a local layer. */
import type {Head, Module} from '../../ir/types.js';
import type {LayerReport} from '../recipes/report.js';
import type {Layer, Layers} from '../reconstruct/layers.js';
import type {Network, Parameters} from '../reconstruct/network.js';

export type Change = {
  /** The layer that changes, by the name of its result. */
  readonly layer: string;
  /** Nodes that are others then, by the names of their results; layers among them are fitted anew. */
  readonly touched: ReadonlySet<string>;
  /** Multiply-adds that are saved. */
  readonly saved: number;
};

/** A layer, and what it was. */
export type Pair = {readonly now: Layer; readonly was: Layer};

/** Changes that were made, and weights and biases fitted to them, by the names that layers had. */
export type Changes<C extends Change> = {readonly changes: readonly C[]; readonly layers: ReadonlyMap<string, Parameters>};

/** One kind of change. */
export type Structure<C extends Change> = {
  /** By the names of results of layers that might change: how, or why they cannot. */
  find(module: Module, head: Head, layers: Layers): ReadonlyMap<string, C | string>;
  /** The module with the changed network as one more head. No node is touched by two changes. */
  make(module: Module, head: Head, made: Changes<C>, as: Pick<Head, 'name' | 'attrs'>): Module;
  /** What a layer is to give, with what is added to it, at places where it is applied now: [place][output]. `look`: at a sample, in the float network. */
  wanted(
    float: Network,
    look: ReturnType<Network['look']>,
    pair: Pair,
    places: readonly number[],
    changes: readonly C[],
  ): Float32Array;
  /** `now`: layers as they are, by the names that they had; `reasons`: why others did not change. */
  explain(
    network: Network,
    task: string,
    made: Changes<C>,
    now: ReadonlyMap<string, Layer>,
    reasons: ReadonlyMap<string, string>,
  ): readonly LayerReport[];
};
