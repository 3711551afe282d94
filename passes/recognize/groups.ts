/** Group normalization as an instance normalization between two reshapes, which is how it is exported below operator set 18. */
import {constantOf, onlyUser, producerOf} from '../../ir/graph.js';
import {isOp} from '../../ir/op.js';
import {groupnorm} from '../../ir/ops/groupnorm/index.js';
import {reshape, reshapeTo} from '../../ir/ops/reshape/index.js';
import {elements, numbersOf, tensorFrom, tensorOf} from '../../ir/tensor.js';
import type {Module, ValueId} from '../../ir/types.js';
import type {Rule} from '../framework/fixpoint.js';
import {isValue, pairsOf, stepOf, typeIn, valueIn} from './step.js';

export const groupNormalizations: readonly Rule[] = [
  {
    // reshape(groupnorm(reshape(x), a group per channel)) -> groupnorm(x) in groups of channels
    name: 'group-channels',
    apply(node, module, edit) {
      if (!isOp(node, reshape)) return false;
      const norm = producerOf(module.graph, node.inputs[0]!);
      if (!norm || !isOp(norm, groupnorm) || onlyUser(module, norm.outputs[0].id) !== node) return false;
      const inner = producerOf(module.graph, norm.inputs[0]!);
      if (!inner || !isOp(inner, reshape)) return false;
      const x = valueIn(module, inner.inputs[0]!);
      const [batch, channels] = x.type.shape as [number, number];
      const [images, groups] = norm.outputs[0].type.shape as [number, number];
      const fits = String(x.type.shape) === String(node.attrs.shape) && x.type.shape.length >= 2;
      if (!fits || batch !== images || channels % groups !== 0 || norm.attrs.groups !== groups) return false;
      const image = x.type.shape.length === 4 ? x.type.shape : [batch, channels, 1, elements(x.type.shape.slice(2))];
      // A sequence, as it is.
      if (String(image) === String(norm.outputs[0].type.shape)) return false;
      const vectors = [norm.inputs[1], norm.inputs[2]].map(id => numbersAt(module, id));
      if (vectors.some(vector => vector === null)) return false;
      const build = edit.before(node, norm);
      const each = channels / groups;
      const repeated = vectors.map(vector =>
        build.literal(
          tensorFrom(
            'f32',
            [channels],
            vector!.flatMap(n => new Array(each).fill(n)),
          ),
        ),
      );
      const [y] = build.emit(groupnorm, [...reshapeTo(build, x, image), ...repeated], norm.attrs);
      edit.redirect(node.outputs[0].id, reshapeTo(build, y, x.type.shape)[0]);
      return true;
    },
  },
  {
    // groupnorm(x, s, b) * a -> groupnorm(x, s a, b a); groupnorm(x, s, b) + d -> groupnorm(x, s, b + d)
    name: 'scale-and-shift-groups',
    apply(node, module, edit) {
      const step = stepOf(module, node);
      for (const fn of ['mul', 'add'] as const)
        for (const [y, by] of pairsOf(step, fn)) {
          const norm = isValue(y) ? producerOf(module.graph, y) : null;
          if (!isValue(y) || !isValue(by) || !norm || !isOp(norm, groupnorm) || onlyUser(module, y) !== node) continue;
          const shape = typeIn(module, y).shape;
          const values = perChannel(module, by, shape[1]!);
          const [scale, bias] = [norm.inputs[1], norm.inputs[2]].map(id => numbersAt(module, id));
          if (!values || !scale || !bias || String(node.outputs[0].type.shape) !== String(shape)) continue;
          const build = edit.before(node, norm);
          const literal = (f: (c: number) => number) =>
            build.literal(
              tensorFrom(
                'f32',
                [values.length],
                values.map((_, c) => f(c)),
              ),
            );
          const operands =
            fn === 'mul'
              ? [literal(c => scale[c]! * values[c]!), literal(c => bias[c]! * values[c]!)]
              : [literal(c => scale[c]!), literal(c => bias[c]! + values[c]!)];
          const [result] = build.emit(groupnorm, [valueIn(module, norm.inputs[0]!), ...operands], norm.attrs);
          edit.redirect(node.outputs[0].id, result);
          return true;
        }
      return false;
    },
  },
];

function numbersAt({graph}: Module, id: ValueId | null | undefined): readonly number[] | null {
  const constant = id == null ? null : constantOf(graph, id);
  if (constant?.value.type.dtype !== 'f32') return null;
  return numbersOf(tensorOf('f32', constant.value.type.shape, constant.blob.bytes));
}

/** The numbers of a constant that varies along the channels of an image alone. */
function perChannel(module: Module, id: ValueId, channels: number): readonly number[] | null {
  const {shape} = typeIn(module, id);
  const padded = [1, 1, 1, 1].slice(shape.length).concat(shape);
  return String(padded) === `1,${channels},1,1` ? numbersAt(module, id) : null;
}
