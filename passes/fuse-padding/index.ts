/** Zero padding goes into the convolution that alone reads it. */
import {onlyUser, producerOf, valueAt} from '../../ir/graph.js';
import {isOp} from '../../ir/op.js';
import {conv2d} from '../../ir/ops/conv2d/index.js';
import {pad} from '../../ir/ops/pad/index.js';
import {rewriteToFixpoint} from '../framework/fixpoint.js';
import {definePass} from '../framework/pass.js';

export const fusePadding = definePass({
  name: 'fuse-padding',
  summary: 'zero padding goes into the convolution that alone reads it',
  requires: ['canonical'],
  establishes: [],
  breaks: [],
  tolerance: null,
  stats: {fused: 'paddings that went into a convolution'},
  run: (module, context) => rewriteToFixpoint(module, 'fuse-padding', [rule], context, 'fused'),
});

const rule: Parameters<typeof rewriteToFixpoint>[2][number] = {
  // conv2d(pad(x, 0), pads) -> conv2d(x, pads + pad)
  name: 'into-convolution',
  apply(node, module, edit) {
    const [x] = node.inputs;
    if (!isOp(node, conv2d) || x == null) return false;
    const padding = producerOf(module.graph, x);
    if (!padding || !isOp(padding, pad) || onlyUser(module, x) !== node) return false;
    const {pads, value} = padding.attrs;
    if (value !== 0 || pads.length !== 8 || pads[0] || pads[1] || pads[4] || pads[5]) return false;
    const [top, left, bottom, right] = node.attrs.pads as [number, number, number, number];
    const inner = valueAt(module.graph, padding.inputs[0]!);
    const attrs = {...node.attrs, pads: [top + pads[2]!, left + pads[3]!, bottom + pads[6]!, right + pads[7]!]};
    edit.update(node, {attrs, inputs: [inner.id, ...node.inputs.slice(1)]});
    return true;
  },
};
