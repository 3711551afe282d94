/** Functions end and stay within bounds: ten functions that each call the next one ten times are 10^10 nodes. */
import type {Problem} from '../../ir/diagnostics.js';
import type {OnnxFunction, OnnxModel, OnnxNode} from './model.js';
import {withInnerNodes} from './subgraphs.js';

/** As many as a file may hold unexpanded. */
const mostNodes = 200_000;
const deepestCall = 64;

const keyOf = (domain: string, name: string, overload: string): string => JSON.stringify([domain, name, overload]);

/** Adds what is wrong to `problems`: onnx.duplicate-function, onnx.recursion, onnx.count. */
export function checkCalls({graph, functions}: OnnxModel, file: string, problems: Problem[]): void {
  const bodies = new Map<string, OnnxFunction>();
  for (const body of functions) {
    const key = keyOf(body.domain, body.name, body.overload);
    if (bodies.has(key))
      problems.push({
        code: 'onnx.duplicate-function',
        where: file,
        says: `function "${body.domain}.${body.name}" is there twice`,
      });
    bodies.set(key, body);
  }
  const sizes = new Map<OnnxFunction, number>();

  const sizeOf = (nodes: readonly OnnxNode[], callers: readonly OnnxFunction[]): number => {
    let size = 0;
    for (const node of withInnerNodes(nodes)) {
      const body = bodies.get(keyOf(node.domain, node.opType, node.overload));
      size += 1 + (body ? sizeOfBody(body, callers) : 0);
    }
    return size;
  };
  const sizeOfBody = (body: OnnxFunction, callers: readonly OnnxFunction[]): number => {
    const known = sizes.get(body);
    if (known !== undefined) return known;
    const endless = callers.includes(body) || callers.length >= deepestCall;
    if (endless) {
      const chain = [...callers, body].map(({name}) => name).slice(-8);
      const says = `functions call each other without end or more than ${deepestCall} deep: ${chain.join(' -> ')}`;
      problems.push({code: 'onnx.recursion', where: file, says});
    }
    const size = endless ? 0 : sizeOf(body.nodes, [...callers, body]);
    sizes.set(body, size);
    return size;
  };

  if (functions.length > 0 && sizeOf(graph.nodes, []) > mostNodes)
    problems.push({
      code: 'onnx.count',
      where: file,
      says: `with its functions expanded the model has more than ${mostNodes} nodes`,
    });
}
