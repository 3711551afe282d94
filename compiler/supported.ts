/** What the code generator cannot do yet, said before anything is written: every node concerned, at once. */
import {DnncError, type Problem, showLoc} from '../ir/diagnostics.js';
import {constantOf, valueAt} from '../ir/graph.js';
import {opOf} from '../ir/ops/index.js';
import {printType} from '../ir/print.js';
import {type Scalar, typeOfScalar} from '../ir/scalar/expression.js';
import type {DType, Module, Node} from '../ir/types.js';

/** Element types that generated loops have functions for; of others they can only copy and cast. */
const loopTypes: ReadonlySet<DType> = new Set(['f64', 'f32', 'i8', 'u8', 'i16', 'u16', 'i32', 'u32', 'i64', 'u64', 'bool']);

/** Throws one `unsupported` error that lists all such nodes. */
export function checkSupported(module: Module): void {
  const problems = module.graph.nodes.flatMap(node => problemOf(node, module));
  if (problems.length > 0) throw new DnncError('unsupported', problems);
}

function problemOf(node: Node, {graph}: Module): readonly Problem[] {
  const op = opOf(node);
  const where = `${showLoc(node.loc)} (${node.op})`;
  const types = node.inputs.map(id => (id === null ? null : valueAt(graph, id).type));
  const shown = types.map(type => (type ? printType(type) : 'none')).join(', ');
  const problem = (code: string, says: string, cure: string): readonly Problem[] => [
    {code, where, says: `${says} (operands ${shown})`, cure},
  ];
  const all = [...types, ...node.outputs.map(output => output.type)].filter(type => type !== null);
  if (all.some(({shape}) => shape.includes(0)))
    return problem('supported.empty', 'a tensor without elements', 'bind the symbolic dimensions to positive sizes');
  if (op.kernel) {
    const allowed = op.kernel.dtypes ?? ['f32'];
    const dtype = types[0]?.dtype ?? 'f32';
    if (!allowed.includes(dtype))
      return problem('supported.dtype', `${node.op} has no kernel for ${dtype}`, `it takes ${allowed.join(', ')}`);
    const packed = ['conv2d', 'conv2d_u8', 'linear', 'linear_u8'].includes(node.op) ? [1, 2] : [];
    const variable = packed.filter(i => node.inputs[i] != null && !constantOf(graph, node.inputs[i]!));
    if (variable.length > 0)
      return problem('supported.weights', 'weights that are computed from the input', 'make the weights initializers');
    return [];
  }
  const expression = op.scalar?.({attrs: node.attrs, inputs: types});
  const odd =
    expression &&
    computesIn(
      expression,
      types.map(type => type?.dtype ?? 'f32'),
    );
  return odd ? problem('supported.dtype', `no arithmetic on elements of type ${odd}`, 'export the model in float32') : [];
}

/** An element type that the expression computes in and loops do not have; null where there is none. */
function computesIn(expression: Scalar, args: readonly DType[]): DType | null {
  if (expression.kind === 'cast') return computesIn(expression.arg, args);
  if (expression.kind !== 'call') return null;
  const own = expression.args.map(x => typeOfScalar(x, args)).find(dtype => dtype !== null && !loopTypes.has(dtype));
  return own ?? expression.args.map(x => computesIn(x, args)).find(dtype => dtype !== null) ?? null;
}
