/**
 * Names and order. After this: every name that is read is written exactly once, by a graph input, an initializer or an
 * earlier node (of this graph or one around it); every node has a name and an output; functions end.
 * Nodes out of order are put in order, as little as needed: a node moves only behind what it reads.
 */
import {DnncError, type Problem} from '../../ir/diagnostics.js';
import {checkCalls} from './calls.js';
import type {OnnxAttribute, OnnxGraph, OnnxModel, OnnxNode} from './model.js';
import {namesReadBy, subgraphsOf} from './subgraphs.js';

/** Enough to see what is wrong with a model; a broken one may have thousands. */
const shown = 20;

/**
 * The model with its nodes named and in order; the same graph where nothing was to do but name nodes.
 * Errors, all input and all listed at once: onnx.duplicate-name, onnx.empty-name, onnx.undefined-name, onnx.cycle,
 * onnx.no-outputs, onnx.no-op-type, onnx.duplicate-function, onnx.recursion, onnx.count.
 */
export function validateModel(model: OnnxModel, file: string): OnnxModel {
  const problems: Problem[] = [];
  const graph = validGraph(model.graph, {file, path: '', knows: () => false, problems});
  const functions = model.functions.map(body => {
    const scope = {file, path: `function "${body.name}", `, knows: () => false, problems};
    return {...body, nodes: validNodes(body.nodes, body.inputs, body.outputs, scope)};
  });
  if (problems.length === 0) checkCalls({...model, graph, functions}, file, problems);
  if (problems.length > 0) throw new DnncError('input', problems.slice(0, shown));
  return {...model, graph, functions};
}

type Scope = {
  readonly file: string;
  /** Leads to the graph, for messages: empty or ending in ", ". */
  readonly path: string;
  /** Whether a graph around this one defines the name. */
  readonly knows: (name: string) => boolean;
  readonly problems: Problem[];
};

const report = ({file, path, problems}: Scope, code: string, what: string, says: string): void => {
  problems.push({
    code,
    where: `${file}, ${path}${what}`,
    says,
    cure: 'export the model again, or repair it with the onnx package',
  });
};

function validGraph(graph: OnnxGraph, scope: Scope): OnnxGraph {
  const initializers = [...graph.initializers, ...graph.sparseInitializers.map(({values}) => values)].map(({name}) => name);
  const inputs = graph.inputs.map(({name}) => name);
  reportTwice(inputs, 'input', scope);
  reportTwice(initializers, 'initializer', scope);
  if (graph.outputs.length === 0) report(scope, 'onnx.no-outputs', `graph "${graph.name}"`, 'it has no outputs');
  // Before IR 4 every initializer had to be an input as well, so one name in both lists is as it should be.
  const given = [...new Set([...inputs, ...initializers])];
  const outputs = graph.outputs.map(({name}) => name);
  return {...graph, nodes: validNodes(graph.nodes, given, outputs, scope)};
}

function reportTwice(names: readonly string[], what: string, scope: Scope): void {
  const seen = new Set<string>();
  for (const name of names) {
    if (name === '') report(scope, 'onnx.empty-name', what, `an ${what} without a name`);
    else if (seen.has(name)) report(scope, 'onnx.duplicate-name', `${what} "${name}"`, `there are two ${what}s of this name`);
    seen.add(name);
  }
}

function validNodes(nodes: readonly OnnxNode[], given: readonly string[], outputs: readonly string[], scope: Scope): OnnxNode[] {
  const named = withNames(nodes);
  const definedBy = new Map<string, number>(given.map(name => [name, -1]));
  named.forEach((node, index) => {
    const what = `node "${node.name}"`;
    if (node.opType === '') report(scope, 'onnx.no-op-type', what, 'it does not say its operator');
    const written = node.outputs.filter(name => name !== '');
    if (written.length === 0) report(scope, 'onnx.no-outputs', what, 'it has no outputs');
    for (const name of written) {
      const other = definedBy.get(name);
      if (other !== undefined) {
        const by = other < 0 ? 'an input or initializer' : `node "${named[other]!.name}"`;
        report(scope, 'onnx.duplicate-name', what, `it writes "${name}", which ${by} is already called or writes`);
      } else definedBy.set(name, index);
    }
  });
  const knows = (name: string): boolean => definedBy.has(name) || scope.knows(name);
  for (const node of named)
    for (const name of node.inputs)
      if (name !== '' && !knows(name))
        report(scope, 'onnx.undefined-name', `node "${node.name}"`, `it reads "${name}", which nothing writes`);
  for (const name of outputs) if (!knows(name)) report(scope, 'onnx.undefined-name', `output "${name}"`, 'nothing writes it');
  const whole = named.map(node => withValidSubgraphs(node, {...scope, knows, path: `${scope.path}node "${node.name}", `}));
  return inOrder(whole, definedBy, scope);
}

/** Unnamed nodes are named for their operator and place. */
function withNames(nodes: readonly OnnxNode[]): readonly OnnxNode[] {
  if (nodes.every(({name}) => name !== '')) return nodes;
  const taken = new Set(nodes.map(({name}) => name));
  return nodes.map((node, index) => {
    if (node.name !== '') return node;
    let name = `${node.opType || 'node'}_${index}`;
    while (taken.has(name)) name += '_';
    taken.add(name);
    return {...node, name};
  });
}

function withValidSubgraphs(node: OnnxNode, scope: Scope): OnnxNode {
  if (subgraphsOf(node).length === 0) return node;
  const attributes = new Map<string, OnnxAttribute>();
  for (const [name, attribute] of node.attributes)
    if (attribute.kind === 'graph') attributes.set(name, {kind: 'graph', value: validGraph(attribute.value, scope)});
    else if (attribute.kind === 'graphs')
      attributes.set(name, {kind: 'graphs', value: attribute.value.map(graph => validGraph(graph, scope))});
    else attributes.set(name, attribute);
  return {...node, attributes};
}

/** Depth first from each node in turn, which leaves an ordered list as it is. Iterative: chains may be 200,000 long. */
function inOrder(nodes: readonly OnnxNode[], definedBy: ReadonlyMap<string, number>, scope: Scope): OnnxNode[] {
  const sorted: OnnxNode[] = [];
  const state = new Uint8Array(nodes.length);
  const [open, done] = [1, 2];
  const path: {readonly index: number; readonly before: Iterator<string>}[] = [];
  const enter = (index: number): void => {
    state[index] = open;
    path.push({index, before: namesReadBy(nodes[index]!)[Symbol.iterator]()});
  };
  for (let start = 0; start < nodes.length; start++) {
    if (state[start] === 0) enter(start);
    while (path.length > 0) {
      const {index, before} = path.at(-1)!;
      const next = before.next();
      if (next.done) {
        state[index] = done;
        sorted.push(nodes[index]!);
        path.pop();
        continue;
      }
      const producer = definedBy.get(next.value) ?? -1;
      if (producer < 0 || state[producer] === done) continue;
      if (state[producer] === open) {
        reportCycle(
          path.slice(path.findIndex(({index}) => index === producer)).map(({index}) => nodes[index]!.name),
          scope,
        );
        return [...nodes];
      }
      enter(producer);
    }
  }
  return sorted;
}

/** The names come from reader to writer. */
function reportCycle(names: readonly string[], scope: Scope): void {
  const ring = names.slice(0, 8).map(name => `"${name}"`);
  const rest = names.length > 8 ? ` and ${names.length - 8} more` : '';
  report(scope, 'onnx.cycle', 'nodes', `${ring.join(' reads ')}${rest} reads ${ring[0]}: they wait for each other`);
}
