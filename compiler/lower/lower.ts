/**
 * Module to Plan: each value becomes a view of a buffer, each node a kernel call, a generated loop, or nothing at all where
 * a view says it. Buffers grow a zero border where a convolution asks for padding, and concat's operands are born in place.
 * Borders are found by lowering again until nobody asks for more; two rounds are usual.
 */

import {type ChooseWay, cheapest} from '../../codegen/kernels/ways.js';
import {costOf} from '../../ir/cost.js';
import {invariant} from '../../ir/diagnostics.js';
import {constantOf, producerOf, valueAt} from '../../ir/graph.js';
import type {Call, KernelContext, KernelSpec, Operand} from '../../ir/op.js';
import {broadcastStrides} from '../../ir/ops/common/broadcast.js';
import {opOf} from '../../ir/ops/index.js';
import {reshapedStrides} from '../../ir/ops/reshape/index.js';
import {
  type Border,
  type Entry,
  type KernelCall,
  noBorder,
  type Packing,
  type Plan,
  type Root,
  type Step,
  type View,
  type Work,
} from '../../ir/plan.js';
import {printNodeBare} from '../../ir/print.js';
import {arg, lit, type Scalar} from '../../ir/scalar/expression.js';
import {type Segment, segmentsOf} from '../../ir/segments.js';
import {widthOf} from '../../ir/tensor.js';
import type {Constant, Graph, Loc, Module, Node, TensorType, ValueId} from '../../ir/types.js';
import {chooseLayouts, freshStrides, isDense, isReadAsImage, type Layout, placements} from './layout.js';
import {type Part, partOf} from './part.js';
import {isRounded} from './rounding.js';

/** One entry per head, and one per segment; memory is not planned yet. */
export function lower(module: Module, choose: ChooseWay = cheapest.way, segments: readonly Segment[] = segmentsOf(module)): Plan {
  const layouts = chooseLayouts(module.graph);
  const lowered = (segment: Segment): Entry => lowerPart(partOf(module.graph, segment, layouts), choose);
  return {
    name: module.name,
    entries: module.heads.map(head => lowered({name: head.name, from: null, to: null, heads: [head]})),
    segments: segments.map(lowered),
    memory: null,
  };
}

/** Borders by the owner of a buffer: a value, or a copy made of one. */
type Owner = string;
type Borders = Map<Owner, Border>;

function lowerPart(part: Part, choose: ChooseWay): Entry {
  const borders: Borders = new Map();
  for (let round = 0; ; round++) {
    invariant(round < 8, 'lower.borders', part.name, 'borders do not come to rest');
    const lowering = new Lowering(part, borders, choose);
    const entry = lowering.run();
    if (!lowering.grew) return entry;
  }
}

const wider = (a: Border, b: Border): Border => ({
  top: Math.max(a.top, b.top),
  left: Math.max(a.left, b.left),
  bottom: Math.max(a.bottom, b.bottom),
  right: Math.max(a.right, b.right),
  value: hasBorder(a) ? a.value : b.value,
});
const covers = (a: Border, b: Border): boolean => JSON.stringify(wider(a, b)) === JSON.stringify(a);
const hasBorder = ({top, left, bottom, right}: Border): boolean => top + left + bottom + right > 0;

/** The state of lowering one part once. */
class Lowering {
  /** Whether someone asked for a wider border than this round had. */
  grew = false;
  private readonly graph: Graph;
  private readonly part: Part;
  private readonly borders: Borders;
  private readonly layouts: ReadonlyMap<ValueId, Layout>;
  private readonly placed: ReturnType<typeof placements>;
  private readonly roots: Root[] = [];
  private readonly steps: Step[] = [];
  private readonly views = new Map<ValueId, View>();
  private readonly copies = new Map<Owner, View>();
  /** Copies of reshaped images, which may have a border. */
  private readonly images = new Map<ValueId, Owner>();
  private readonly weights = new Map<string, number>();
  private readonly outputs: number[];
  private readonly choose: ChooseWay;

  constructor(part: Part, borders: Borders, choose: ChooseWay) {
    const {graph, outputs, names, before, after} = part;
    this.graph = graph;
    this.part = part;
    this.borders = borders;
    this.choose = choose;
    this.layouts = new Map([...chooseLayouts(graph, before), ...after]);
    this.placed = placements(graph, this.layouts, new Set(outputs));
    for (const input of graph.inputs) {
      const root = this.roots.push({kind: 'input', name: input.name, type: input.type}) - 1;
      this.views.set(input.id, viewOfRoot(root, input.type, before.get(input.id)));
    }
    this.outputs = outputs.map((id, i) => {
      const {name: own, type} = valueAt(graph, id);
      return this.roots.push({kind: 'output', name: names[i] ?? own, type}) - 1;
    });
  }

  run(): Entry {
    for (const node of this.graph.nodes) this.lowerNode(node);
    this.part.outputs.forEach((id, i) => {
      this.deliver(id, this.outputs[i]!);
    });
    const inputs = this.graph.inputs.map((_, i) => i);
    return {name: this.part.name, roots: this.roots, inputs, outputs: this.outputs, steps: this.steps};
  }

  private lowerNode(node: Node): void {
    const op = opOf(node);
    const call: Call = {attrs: node.attrs, inputs: node.inputs.map(id => (id === null ? null : valueAt(this.graph, id).type))};
    if (op.view) {
      const base = this.viewOf(node.inputs[0]!);
      const views = op.view(call, base) ?? this.copiedAsImage(node, base) ?? op.view(call, this.rowMajor(node.inputs[0]!));
      invariant(views, 'lower.view', node.op, 'has no view even of a dense operand');
      node.outputs.forEach((output, i) => {
        this.views.set(output.id, views[i]!);
      });
    } else if (op.scalar) this.lowerScalar(node, op.scalar(call));
    else if (op.place) this.lowerPlace(node, call);
    else if (op.kernel) this.lowerKernel(node, call);
    else invariant(false, 'lower.op', node.op, 'has neither view, scalar, place nor kernel');
  }

  /** A reshape that needs a copy, made in the order that its readers ask for: shuffled channels move once. */
  private copiedAsImage(node: Node, base: View): readonly View[] | null {
    const [output] = node.outputs;
    if (node.op !== 'reshape' || !isReadAsImage(this.graph, output)) return null;
    const owner = `image of ${output.id}`;
    const fresh = freshStrides(output.type.shape, 'channels-last', this.borders.get(owner) ?? noBorder);
    const strides = reshapedStrides(output.type.shape, fresh.strides, base.shape);
    if (!strides) return null;
    const view = this.allocate(owner, output.name, output.type, 'channels-last');
    this.copy(base, {...view, shape: base.shape, strides}, node);
    this.images.set(output.id, owner);
    return [view];
  }

  private lowerScalar(node: Node, expression: Scalar): void {
    const write = this.viewOf(node.outputs[0].id);
    const reads = node.inputs.map(id => {
      const view = this.viewOf(id!);
      return {...view, shape: write.shape, strides: broadcastStrides(view.shape, view.strides, write.shape)};
    });
    this.push({kind: 'loop', domain: write.shape, expression, reads, write}, node, reads);
  }

  private lowerPlace(node: Node, call: Call): void {
    const op = opOf(node);
    const output = this.viewOf(node.outputs[0].id);
    if (op.fill) {
      const work: Work = {kind: 'loop', domain: output.shape, expression: lit(op.fill(call)), reads: [], write: output};
      this.push(work, node, [], undefined, false);
    }
    op.place!(call, output).forEach((write, i) => {
      const id = node.inputs[i]!;
      if (this.placed.get(id)?.into === node) return;
      const reads = [{...this.viewOf(id), shape: write.shape}];
      // The last copy completes the value.
      const complete = i === node.inputs.length - 1;
      this.push({kind: 'loop', domain: write.shape, expression: arg(0), reads, write}, node, [], undefined, complete);
    });
  }

  private lowerKernel(node: Node, call: Call): void {
    const spec = opOf(node).kernel!;
    const free = new Set(spec.free?.(call) ?? []);
    const border = spec.border?.(call) ?? noBorder;
    const extras = spec.extras?.(call) ?? node.inputs.length;
    const inputs = node.inputs.map((id, i): Operand | null => {
      if (id === null) return null;
      const constant = constantOf(this.graph, id);
      const view = (): View => {
        if (i >= extras) return this.extra(id, spec.layout, node.outputs[0].type.shape);
        if (free.has(i) || spec.layout === 'any') return this.viewOf(id);
        return spec.layout === 'row-major' ? this.rowMajor(id) : this.channelsLast(id, i === 0 ? border : noBorder);
      };
      return {constant, view};
    });
    // Operands first: their copies come before the call.
    const fixed = inputs.map((operand, i) =>
      operand && !(free.has(i) && operand.constant) ? {...operand, view: constantly(operand.view())} : operand,
    );
    const views = node.outputs.map(output => this.viewOf(output.id));
    const direct = views.map(view =>
      spec.layout === 'row-major' && !isDense(view.shape, view.strides) ? this.scratch(view) : view,
    );
    const context: KernelContext = {
      attrs: node.attrs,
      types: call.inputs,
      inputs: fixed,
      outputs: direct,
      weight: (constant, type, packing) => this.weight(constant, type, packing),
      scratch: elements => this.allocate('', 'scratch', {dtype: 'f32', shape: [elements]}, 'row-major'),
      choose: (contract, sizes, ways) => (isRounded(this.graph, node) ? ways[0] : this.choose(contract, sizes, ways)),
    };
    const work: KernelCall = spec.lower(context);
    const candidates = (spec.inPlace?.(call) ?? []).flatMap(i => fixed[i]?.view() ?? []);
    this.push(work, node, candidates, direct[0]);
    views.forEach((view, i) => {
      if (view !== direct[i]) this.copy(direct[i]!, view, node);
    });
  }

  /** The view of a value, allocated when first asked for. */
  private viewOf(id: ValueId): View {
    const known = this.views.get(id);
    if (known) return known;
    const constant = constantOf(this.graph, id);
    const view = constant ? this.weight(constant, constant.value.type, {kind: 'plain'}) : this.allocateValue(id);
    this.views.set(id, view);
    return view;
  }

  private allocateValue(id: ValueId): View {
    const {name, type} = valueAt(this.graph, id);
    const placement = this.placed.get(id);
    if (placement) {
      const {into, index} = placement;
      const call: Call = {
        attrs: into.attrs,
        inputs: into.inputs.map(input => (input === null ? null : valueAt(this.graph, input).type)),
      };
      return opOf(into).place!(call, this.viewOf(into.outputs[0].id))[index]!;
    }
    const layout = this.layouts.get(id) ?? 'row-major';
    const place = this.part.outputs.indexOf(id);
    if (place >= 0 && (layout === 'row-major' || this.part.after.has(id))) return viewOfRoot(this.outputs[place]!, type, layout);
    return this.allocate(`${id}`, name, type, layout);
  }

  private allocate(owner: Owner, name: string, type: TensorType, layout: Layout): View {
    const border = this.borders.get(owner) ?? noBorder;
    const {strides, offset, elements} = freshStrides(type.shape, layout, border);
    const root = this.roots.push({kind: 'arena', name, bytes: elements * widthOf(type.dtype)}) - 1;
    if (hasBorder(border)) {
      const [images, width, rows, columns] = type.shape as [number, number, number, number];
      this.push({kind: 'border', root, dtype: type.dtype, images, rows, columns, width, border}, null, []);
    }
    return {root, dtype: type.dtype, offset, shape: type.shape, strides};
  }

  private scratch(view: View): View {
    return this.allocate('', 'scratch', {dtype: view.dtype, shape: view.shape}, 'row-major');
  }

  private rowMajor(id: ValueId): View {
    const view = this.viewOf(id);
    return isDense(view.shape, view.strides) ? view : this.copied(id, view, 'row-major', noBorder);
  }

  /** The image with channels last and at least this border; copied where its buffer cannot have one. */
  private channelsLast(id: ValueId, border: Border): View {
    const view = this.viewOf(id);
    const fits = view.strides[1] === 1 || view.shape[1] === 1;
    const owner = this.ownerOf(id);
    if (!fits || (hasBorder(border) && !(owner !== null && this.allows(owner, border))))
      return this.copied(id, view, 'channels-last', border);
    if (owner !== null) this.ask(owner, border);
    return view;
  }

  /** An operand of an epilogue: rows in order, or, for images, each pixel's channels side by side. Or one for all. */
  private extra(id: ValueId, layout: KernelSpec['layout'], result: readonly number[]): View {
    if (layout !== 'channels-last') return this.rowMajor(id);
    const view = this.viewOf(id);
    const ahead = result.length - view.shape.length;
    const image: View = {
      ...view,
      shape: [...new Array<number>(ahead).fill(1), ...view.shape],
      strides: [...new Array<number>(ahead).fill(0), ...view.strides],
    };
    return image.shape[1] === 1 || image.strides[1] === 1 ? view : this.copied(id, image, 'channels-last', noBorder);
  }

  private copied(id: ValueId, view: View, layout: Layout, border: Border): View {
    const owner = `${layout} copy of ${id}${hasBorder(border) && border.value !== 0 ? ` in ${border.value}` : ''}`;
    this.ask(owner, border);
    const known = this.copies.get(owner);
    if (known) return known;
    const {name, type} = valueAt(this.graph, id);
    const fresh = this.allocate(owner, `${name} (${layout})`, {...type, shape: view.shape}, layout);
    this.copy(view, fresh, producerOf(this.graph, id));
    this.copies.set(owner, fresh);
    return fresh;
  }

  /** Whether nobody has asked for a border of another value. */
  private allows(owner: Owner, border: Border): boolean {
    const have = this.borders.get(owner) ?? noBorder;
    return !hasBorder(have) || have.value === border.value;
  }

  private ask(owner: Owner, border: Border): void {
    const have = this.borders.get(owner) ?? noBorder;
    if (covers(have, border)) return;
    this.borders.set(owner, wider(have, border));
    this.grew = true;
  }

  /** Who owns the buffer of an image, if it can have a border: the value itself, or the concat that it is part of. */
  private ownerOf(id: ValueId): Owner | null {
    const image = this.images.get(id);
    if (image !== undefined) return image;
    if (this.layouts.get(id) !== 'channels-last') return null;
    const producer = producerOf(this.graph, id);
    if (!producer || opOf(producer).view) return null;
    const placement = this.placed.get(id);
    if (!placement) return `${id}`;
    const whole = placement.into.outputs[0];
    return sameSides(valueAt(this.graph, id).type.shape, whole.type.shape) ? this.ownerOf(whole.id) : null;
  }

  private weight(constant: Constant | null, type: TensorType, packing: Packing): View {
    const key = `${constant?.blob.hash ?? `zeros ${type.shape}`} ${type.dtype}[${type.shape}] ${JSON.stringify(packing)}`;
    const name = constant?.value.name ?? 'zeros';
    const known = this.weights.get(key);
    const root =
      known ?? this.roots.push({kind: 'weights', name, weight: {name, blob: constant?.blob ?? null, type, packing}}) - 1;
    this.weights.set(key, root);
    return viewOfRoot(root, type);
  }

  private copy(from: View, to: View, node: Node | null): void {
    this.push(
      {kind: 'loop', domain: to.shape, expression: arg(0), reads: [{...from, shape: to.shape}], write: to},
      node,
      [],
      undefined,
      false,
    );
  }

  /** Puts a head's output where the caller wants it. */
  private deliver(id: ValueId, root: number): void {
    const view = this.viewOf(id);
    if (view.root === root) return;
    const {type} = valueAt(this.graph, id);
    this.copy(view, viewOfRoot(root, type, this.part.after.get(id)), producerOf(this.graph, id));
  }

  private push(work: Work, node: Node | null, candidates: readonly View[], result?: View, own = true): void {
    const write = result ?? (work.kind === 'loop' ? work.write : null);
    const mayTake = write ? candidates.filter(view => liesAlike(view, write)).map(view => view.root) : [];
    const loc: Loc = node?.loc ?? {kind: 'pass', pass: 'lower', from: []};
    const text = node && own ? printNodeBare(node, id => valueAt(this.graph, id)) : '';
    const value = node && own ? node.outputs[0].name : '';
    const macs = node && own ? costOf(this.graph, node).macs : 0;
    this.steps.push({work, text, value, loc, macs, mayTake});
  }
}

/** A whole root, dense in the layout. */
function viewOfRoot(root: number, {dtype, shape}: TensorType, layout: Layout = 'row-major'): View {
  return {root, dtype, offset: 0, shape, strides: freshStrides(shape, layout, noBorder).strides};
}

const constantly = (view: View) => (): View => view;

/** Rows and columns of a part are those of the whole: a border of the whole surrounds the part, too. */
const sameSides = (part: readonly number[], whole: readonly number[]): boolean => part[2] === whole[2] && part[3] === whole[3];

/** Same element, same place: one may be overwritten by the other as it is read. */
const liesAlike = (a: View, b: View): boolean =>
  a.dtype === b.dtype && a.offset === b.offset && String(a.shape) === String(b.shape) && String(a.strides) === String(b.strides);
