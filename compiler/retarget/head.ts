/** A fitted head as part of a module. */
import {blobOf, uniqueName} from '../../ir/edit.js';
import {valueAt} from '../../ir/graph.js';
import type {OpDef} from '../../ir/op.js';
import {avgpool} from '../../ir/ops/avgpool/index.js';
import {poolDefaults} from '../../ir/ops/common/pool.js';
import {linear} from '../../ir/ops/linear/index.js';
import {reshape} from '../../ir/ops/reshape/index.js';
import {softmax} from '../../ir/ops/softmax/index.js';
import {bytesOfTensor, type Tensor, tensorFrom} from '../../ir/tensor.js';
import type {Attrs, Constant, Head, Module, Node, TensorType, Value, ValueId} from '../../ir/types.js';
import type {Linear} from '../fit/logistic.js';
import {type Place, widthOf, windowOf} from './features.js';

export type NewHead = {
  readonly task: string;
  readonly recipe: string;
  readonly place: Place;
  readonly linear: Linear;
  /** What the task's own network gives. */
  readonly scores: 'logits' | 'probabilities';
};

/** The module with one more head: means over the grid, then scores, in the shape of the task's own. */
export function withHead(module: Module, {task, recipe, place, linear: {weights, bias, classes}, scores: kind}: NewHead): Module {
  const {graph} = module;
  const values = [...graph.inputs, ...graph.constants.map(({value}) => value), ...graph.nodes.flatMap(({outputs}) => outputs)];
  const names = new Set(values.map(({name}) => name));
  let nextId = values.reduce((most, {id}) => Math.max(most, id), 0) + 1;
  const loc = {kind: 'pass', pass: 'retarget', from: []} as const;
  const name = `${task}_${recipe.replace('@', '_')}`;
  const fresh = (type: TensorType, wanted: string): Value => ({id: nextId++ as ValueId, name: uniqueName(wanted, names), type});
  const constants: Constant[] = [];
  const nodes: Node[] = [];
  const constant = (tensor: Tensor, wanted: string): Value => {
    const value = fresh({dtype: tensor.dtype, shape: tensor.shape}, wanted);
    constants.push({value, blob: blobOf(bytesOfTensor(tensor)), loc});
    return value;
  };
  const emit = <A extends Attrs>(op: OpDef<A>, inputs: readonly Value[], attrs: A): Value => {
    const [type] = op.infer({attrs, inputs: inputs.map(input => input.type)});
    const output = fresh(type!, name);
    nodes.push({op: op.name, inputs: inputs.map(({id}) => id), outputs: [output], attrs, loc});
    return output;
  };

  const {shape} = place.value.type;
  const pooled = (image: Value): Value => {
    const [rows, columns] = [windowOf(shape[2]!, place.grid), windowOf(shape[3]!, place.grid)];
    const window = {kernel: [rows.size, columns.size], strides: [rows.stride, columns.stride]};
    return emit(avgpool, [image], {...poolDefaults, ...window, includePad: false});
  };
  const width = widthOf(place.value.type, place.grid);
  const features = emit(reshape, [shape.length === 4 ? pooled(place.value) : place.value], {shape: [1, width]});
  const w = constant(tensorFrom('f32', [classes, width], [...weights]), `${name}.weights`);
  const b = constant(tensorFrom('f32', [classes], [...bias]), `${name}.bias`);
  const logits = emit(linear, [features, w, b], {epilogue: ''});
  const answer = kind === 'probabilities' ? emit(softmax, [logits], {axis: 1, log: false}) : logits;
  const own = module.heads.find(head => head.name === task)!;
  const wanted = valueAt(graph, own.outputs[0]!).type.shape;
  const shaped = String(wanted) === String(answer.type.shape) ? answer : emit(reshape, [answer], {shape: [...wanted]});
  const head: Head = {...own, name, outputs: [shaped.id], attrs: {...own.attrs, task, recipe}};
  return {
    ...module,
    graph: {...graph, constants: [...graph.constants, ...constants], nodes: [...graph.nodes, ...nodes]},
    heads: [...module.heads, head],
  };
}
