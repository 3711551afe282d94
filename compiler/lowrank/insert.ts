/** A copy of a task's network with thin layers, as another head. It works on a module before `fuse`. */
import {invariant} from '../../ir/diagnostics.js';
import type {Builder} from '../../ir/op.js';
import {tensorFrom} from '../../ir/tensor.js';
import type {Head, Module, Node, Value} from '../../ir/types.js';
import {type MakeLayer, withLayers} from '../recipes/copy.js';
import type {Fitted} from '../reconstruct/fit.js';
import {emitStage, type Stage} from '../reconstruct/stage.js';
import type {Factors} from './factorize.js';

/** What stands for a layer: its own form with other weights, or stages with factors. */
export type ThinLayer = {readonly fitted: Fitted<Factors | null>; readonly stages: readonly Stage[]};

/** `thin`: by the name of the layer's result. */
export function withThin(
  module: Module,
  head: Head,
  thin: ReadonlyMap<string, ThinLayer>,
  as: Pick<Head, 'name' | 'attrs'>,
): Module {
  const made = new Map(
    Array.from(thin, ([name, own]): [string, MakeLayer] => [name, (build, node, x) => emitThin(build, node, x, own)]),
  );
  return withLayers(module, head, 'lowrank', made, as);
}

function emitThin(build: Builder, node: Node, x: Value, {fitted: {map, factors, bias}, stages}: ThinLayer): Value {
  const weights = factors?.weights ?? [map];
  invariant(weights.length === stages.length, 'lowrank.stages', node.outputs[0].name, 'has other stages than factors');
  const [{name, type}] = node.outputs;
  // Its mean, once for each channel: what it is added to has all positions.
  if (stages.length === 0) {
    const shape = type.shape.map((size, axis) => (axis === 1 ? size : 1));
    return build.literal(tensorFrom('f32', shape, bias), `${name}.mean`);
  }
  return stages.reduce((input, stage, i) => {
    const own = stages.length > 1 ? `${name}.${i + 1}` : name;
    const w = build.literal(tensorFrom('f32', stage.shape, weights[i]!.data), `${own}.weights`);
    const b = i === stages.length - 1 ? build.literal(tensorFrom('f32', [bias.length], bias), `${own}.bias`) : null;
    return emitStage(build, stage, [input, w, b]);
  }, x);
}
