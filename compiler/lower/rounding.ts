/** Networks that compute in integers, spelt with rounding steps: there a sum should be off by no more than its own rounding. */
import {usersOf} from '../../ir/graph.js';
import {opOf} from '../../ir/ops/index.js';
import type {Graph, Node} from '../../ir/types.js';

const rounds = ({attrs}: Node): boolean =>
  [attrs.epilogue, attrs.expression].some(text => typeof text === 'string' && /\bround\(/.test(text));

/** Whether what a node computes is rounded to whole numbers right away, in its epilogue or by a reader (views aside). */
export function isRounded(graph: Graph, node: Node): boolean {
  return (
    rounds(node) ||
    usersOf(graph, node.outputs[0].id).some(reader =>
      opOf(reader).view
        ? isRounded(graph, reader)
        : opOf(reader).scalar !== undefined && (rounds(reader) || reader.op === 'quantize'),
    )
  );
}
