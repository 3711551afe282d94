/** A fitted head as part of a module. */
import {invariant} from '../../ir/diagnostics.js';
import {editor} from '../../ir/edit.js';
import {headOf, valueAt} from '../../ir/graph.js';
import {avgpool} from '../../ir/ops/avgpool/index.js';
import {poolDefaults} from '../../ir/ops/common/pool.js';
import {cast} from '../../ir/ops/elementwise/index.js';
import {linear} from '../../ir/ops/linear/index.js';
import {reshape} from '../../ir/ops/reshape/index.js';
import {softmax} from '../../ir/ops/softmax/index.js';
import {tensorFrom} from '../../ir/tensor.js';
import type {Module, Value} from '../../ir/types.js';
import {type Place, widthOf, windowOf} from '../fit/features.js';
import type {Linear} from '../fit/logistic.js';

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
  const name = `${task}_${recipe.replace('@', '_')}`;
  const edit = editor(module, 'retarget');
  const {emit, literal} = edit.atEnd(name);
  const {shape} = place.cut;
  const cut = module.graph.nodes.flatMap(({outputs}) => outputs).find(({name: its}) => its === place.cut.id);
  invariant(cut, 'retarget.cut', place.cut.id, 'is not in the module');
  const pooled = (image: Value): Value => {
    const [rows, columns] = [windowOf(shape[2]!, place.grid), windowOf(shape[3]!, place.grid)];
    const window = {kernel: [rows.size, columns.size], strides: [rows.stride, columns.stride]};
    return emit(avgpool, [image], {...poolDefaults, ...window, includePad: false})[0];
  };
  const width = widthOf(place);
  const real = place.cut.dtype === 'f32' ? cut : emit(cast, [cut], {to: 'f32'})[0];
  const [features] = emit(reshape, [shape.length === 4 ? pooled(real) : real], {shape: [1, width]});
  const w = literal(tensorFrom('f32', [classes, width], [...weights]), `${name}.weights`);
  const b = literal(tensorFrom('f32', [classes], [...bias]), `${name}.bias`);
  const [logits] = emit(linear, [features, w, b], {epilogue: ''});
  const answer = kind === 'probabilities' ? emit(softmax, [logits], {axis: 1, log: false})[0] : logits;
  const own = headOf(module, task);
  const wanted = valueAt(module.graph, own.outputs[0]!).type.shape;
  const shaped = String(wanted) === String(answer.type.shape) ? answer : emit(reshape, [answer], {shape: [...wanted]})[0];
  edit.addHead({...own, name, outputs: [shaped.id], attrs: {...own.attrs, task, recipe}});
  return edit.finish();
}
