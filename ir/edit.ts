/**
 * The only way a pass changes a module: `editor(module, pass)`, then replace, redirect, insert; `finish` drops what is
 * dead, sorts what was inserted, wraps locations, and returns the same object when nothing changed.
 */
import {createHash} from 'node:crypto';
import {invariant} from './diagnostics.js';
import {nodesFor, valueAt} from './graph.js';
import type {Builder, OpDef} from './op.js';
import {bytesOfTensor, type Tensor} from './tensor.js';
import type {Attrs, Blob, Constant, Head, Loc, Module, Node, TensorType, Value, ValueId} from './types.js';

/** A blob over the bytes, named by the first 16 hex digits of their sha256. */
export const blobOf = (bytes: Uint8Array): Blob => ({
  hash: `h${createHash('sha256').update(bytes).digest('hex').slice(0, 16)}`,
  bytes,
});

export type Editor = {
  /** Ops emitted through this builder stand before `place` and carry its location (and that of `also`), wrapped by the pass. */
  before(place: Node, ...also: readonly Node[]): Builder;
  /** Ops emitted through this builder stand behind all others; their results are called `name`. */
  atEnd(name: string): Builder;
  /** One more head. */
  addHead(head: Head): void;
  /** Every reader of `from`, heads included, reads `to` instead. */
  redirect(from: ValueId, to: Value): void;
  /** The node with other attributes or inputs; its outputs keep their identity. Its location tells of `absorbed` nodes too. */
  update(
    node: Node,
    change: {readonly attrs?: Attrs; readonly inputs?: readonly (ValueId | null)[]},
    ...absorbed: readonly Node[]
  ): void;
  /** The type and constant of a value known to the editor, new ones included. */
  typeOf(id: ValueId): TensorType;
  constantOf(id: ValueId): Constant | null;
  finish(): Module;
};

export function editor(module: Module, pass: string): Editor {
  const {graph} = module;
  const values = [...graph.inputs, ...graph.constants.map(c => c.value), ...graph.nodes.flatMap(n => n.outputs)];
  const names = new Set(values.map(value => value.name));
  let nextId = values.reduce((highest, {id}) => Math.max(highest, id), 0) + 1;
  const constants: Constant[] = [];
  const inserted = new Map<Node, Node[]>();
  const appended: Node[] = [];
  const added: Head[] = [];
  const updated = new Map<Node, Node>();
  const redirected = new Map<ValueId, ValueId>();
  /** What a new value would like to be called: the name of what it replaces, or that of the place where it was made. */
  const wanted = new Map<ValueId, string>();
  const fresh = new Map<ValueId, Value>();

  const freshValue = (type: TensorType, name: string): Value => {
    const value: Value = {id: nextId++ as ValueId, name: uniqueName(name, names), type};
    fresh.set(value.id, value);
    wanted.set(value.id, name);
    return value;
  };
  const typeOf = (id: ValueId): TensorType => (fresh.get(id) ?? valueAt(graph, id)).type;

  const builder = (name: string, loc: Loc, insert: (node: Node) => void): Builder => ({
    emit<A extends Attrs>(op: OpDef<A>, inputs: readonly (Value | null)[], attrs: A): readonly [Value, ...Value[]] {
      const types = op.infer({attrs, inputs: inputs.map(input => input?.type ?? null)});
      const [first, ...rest] = types.map(type => freshValue(type, name));
      invariant(first, 'op.outputs', op.name, 'has no output');
      const node: Node = {op: op.name, inputs: inputs.map(input => input?.id ?? null), outputs: [first, ...rest], attrs, loc};
      insert(node);
      return node.outputs;
    },
    literal(tensor: Tensor, own?: string): Value {
      const value = freshValue({dtype: tensor.dtype, shape: tensor.shape}, own ?? `${name}.k`);
      constants.push({value, blob: blobOf(bytesOfTensor(tensor)), loc});
      return value;
    },
  });

  const resolve = (id: ValueId): ValueId => {
    let at = id;
    for (let next = redirected.get(at); next !== undefined; next = redirected.get(at)) at = next;
    return at;
  };

  /** New values take the names they want, where no value that stays has them. */
  const namesFor = (values: readonly Value[]): ((value: Value) => Value) => {
    const taken = new Set(values.filter(value => !fresh.has(value.id)).map(value => value.name));
    const chosen = new Map<ValueId, string>();
    for (const {id} of values) if (fresh.has(id)) chosen.set(id, uniqueName(wanted.get(id) ?? 'value', taken));
    return value => {
      const name = chosen.get(value.id);
      return name === undefined || name === value.name ? value : {...value, name};
    };
  };

  return {
    before: (place, ...also) =>
      builder(place.outputs[0].name, {kind: 'pass', pass, from: [place, ...also].map(node => node.loc)}, node => {
        inserted.set(place, [...(inserted.get(place) ?? []), node]);
      }),
    atEnd: name =>
      builder(name, {kind: 'pass', pass, from: []}, node => {
        appended.push(node);
      }),
    addHead: head => {
      added.push(head);
    },
    redirect: (from, to) => {
      invariant(resolve(to.id) !== from, 'edit.redirect', to.name, 'a value cannot stand for itself');
      redirected.set(from, to.id);
      const replaced = fresh.has(from) ? wanted.get(from) : valueAt(graph, from).name;
      if (fresh.has(to.id) && replaced !== undefined) wanted.set(to.id, replaced);
    },
    update: (node, change, ...absorbed) => {
      const old = updated.get(node) ?? node;
      updated.set(node, {...old, ...change, loc: {kind: 'pass', pass, from: [node, ...absorbed].map(({loc}) => loc)}});
    },
    typeOf,
    constantOf: id => constants.find(c => c.value.id === id) ?? graph.constants.find(c => c.value.id === id) ?? null,
    finish() {
      const nodes = [...graph.nodes.flatMap(node => [...(inserted.get(node) ?? []), updated.get(node) ?? node]), ...appended].map(
        node => rewire(node, resolve),
      );
      const heads = [...module.heads, ...added].map(head => rewireHead(head, resolve));
      const all = {inputs: graph.inputs, constants: [...graph.constants, ...constants], nodes: sorted(nodes)};
      const live = nodesFor(
        all,
        heads.flatMap(head => head.outputs),
      );
      const used = new Set<ValueId>([
        ...live.flatMap(node => node.inputs.filter(id => id !== null)),
        ...heads.flatMap(head => head.outputs),
      ]);
      const kept = all.constants.filter(constant => used.has(constant.value.id));
      const same =
        kept.length === graph.constants.length &&
        live.length === graph.nodes.length &&
        live.every((node, i) => node === graph.nodes[i]);
      if (same && constants.every(c => !used.has(c.value.id)) && heads.every((head, i) => head === module.heads[i]))
        return module;
      const named = namesFor([...graph.inputs, ...kept.map(constant => constant.value), ...live.flatMap(node => node.outputs)]);
      return {
        ...module,
        graph: {
          inputs: graph.inputs,
          constants: kept.map(constant => ({...constant, value: named(constant.value)})),
          nodes: live.map(node => renamed(node, named)),
        },
        heads,
      };
    },
  };
}

/** A name not taken yet: `conv1`, `conv1.1`, `conv1.2`. */
export function uniqueName(wanted: string, taken: Set<string>): string {
  let name = wanted;
  for (let i = 1; taken.has(name); i++) name = `${wanted}.${i}`;
  taken.add(name);
  return name;
}

function rewire(node: Node, resolve: (id: ValueId) => ValueId): Node {
  const inputs = node.inputs.map(id => (id === null ? null : resolve(id)));
  return inputs.some((id, i) => id !== node.inputs[i]) ? {...node, inputs} : node;
}

function renamed(node: Node, named: (value: Value) => Value): Node {
  const [first, ...rest] = node.outputs;
  const outputs: readonly [Value, ...Value[]] = [named(first), ...rest.map(named)];
  return outputs.some((value, i) => value !== node.outputs[i]) ? {...node, outputs} : node;
}

function rewireHead(head: Head, resolve: (id: ValueId) => ValueId): Head {
  const outputs = head.outputs.map(resolve);
  return outputs.some((id, i) => id !== head.outputs[i]) ? {...head, outputs} : head;
}

/** Producers before readers; otherwise the order stays. */
export function sorted(nodes: readonly Node[]): readonly Node[] {
  const producer = new Map<ValueId, Node>(nodes.flatMap(node => node.outputs.map(output => [output.id, node] as const)));
  const open = new Set<Node>();
  const done = new Set<Node>();
  const order: Node[] = [];
  for (const root of nodes) {
    // An explicit stack: chains of a hundred thousand nodes are longer than the call stack.
    const stack = [root];
    while (stack.length > 0) {
      const node = stack.at(-1)!;
      const missing = done.has(node)
        ? []
        : node.inputs.flatMap(id => {
            const from = id === null ? undefined : producer.get(id);
            return from && !done.has(from) ? [from] : [];
          });
      if (missing.length > 0) {
        invariant(!missing.some(from => open.has(from)), 'graph.cycle', node.outputs[0].name, 'depends on itself');
        open.add(node);
        stack.push(...missing.reverse());
        continue;
      }
      stack.pop();
      if (!done.has(node)) {
        done.add(node);
        order.push(node);
      }
    }
  }
  return order.every((node, i) => node === nodes[i]) ? nodes : order;
}
