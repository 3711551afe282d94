import type {Preference} from '../codegen/kernels/ways.js';
import {fail} from '../ir/diagnostics.js';
import {evaluate} from '../ir/evaluate.js';
import {dot, forEachIndex} from '../ir/ops/common/broadcast.js';
import type {Entry, View} from '../ir/plan.js';
import {type Tensor, tensorOf, widthOf, zeros} from '../ir/tensor.js';
import type {Node, ValueId} from '../ir/types.js';
import {type Difference, difference} from './compare.js';
import {targetsNamed} from './host.js';
import {randomInput} from './random-inputs.js';
import type {Task} from './tasks.js';
import {buildTraced} from './traced.js';

export type LayerDifference = Difference & {
  readonly task: string;
  readonly value: string;
  readonly op: string;
  readonly origin: string;
};

/** Steps whose result is in the arena; outputs of the caller are compared by `verify` itself. */
export async function compareLayers(
  tasks: readonly Task[],
  bound: ReadonlyMap<string, number>,
  prefer: Preference,
  progress: (doing: string) => void,
): Promise<readonly LayerDifference[]> {
  const {built, session} = await buildTraced(tasks, {targets: targetsNamed(['native']), bind: bound, prefer, progress});
  const {module, plan} = built.compiled;
  return plan.entries.flatMap((entry, at) => {
    const bind = session.entry(entry.name);
    const inputs = bind.task.inputs.map((input, i) => randomInput(input, 1 + i));
    progress(`${entry.name}: reference evaluator`);
    const named = new Map(bind.task.inputs.map((input, i) => [input.name, inputs[i]!]));
    const nodes = new Map<string, Node>();
    const reference = evaluate(module, named, {heads: [entry.name], after: node => nodes.set(node.outputs[0].name, node)});
    const watched = watch(entry, plan.memory?.offsets[at] ?? []);
    const capture = bind.capture ?? fail('bug', 'per-layer.capture', entry.name, 'the library has no trace entry');
    const regions = capture(
      inputs.map(({data}) => data),
      bind.newOutputs(),
      watched.map(step => (step ? [step.region] : [])),
    );
    return watched.flatMap((step, i) => {
      const node = step && nodes.get(step.value);
      const bytes = regions[i]?.[0];
      if (!step || !node || !bytes) return [];
      const got = viewOf(step.view, bytes);
      return [
        {
          task: entry.name,
          value: step.value,
          op: node.op,
          origin: entry.steps[i]!.text,
          ...difference(got, reference.get(node.outputs[0].id as ValueId)!),
        },
      ];
    });
  });
}

type Watched = {readonly value: string; readonly view: View; readonly region: {readonly offset: number; readonly bytes: number}};

/** Per step the view it writes, from its first to its last element in the arena. */
function watch(entry: Entry, offsets: readonly (number | null)[]): readonly (Watched | null)[] {
  return entry.steps.map(({work, value}) => {
    const view =
      work.kind === 'loop'
        ? work.write
        : work.kind === 'kernel'
          ? (work.params.find(({role}) => role === 'write')?.view ?? null)
          : null;
    const base = view && offsets[view.root];
    if (value === '' || !view || base == null) return null;
    const width = widthOf(view.dtype);
    const span = 1 + view.shape.reduce((sum, size, axis) => sum + (size - 1) * view.strides[axis]!, 0);
    return {value, view, region: {offset: base + view.offset * width, bytes: span * width}};
  });
}

/** The elements of a view, dense. A kernel may have written its result under other axes of the same order. */
function viewOf(view: View, bytes: Uint8Array): Tensor {
  const span = tensorOf(view.dtype, [bytes.byteLength / widthOf(view.dtype)], bytes.slice());
  const result = zeros(view.dtype, view.shape);
  forEachIndex(view.shape, (index, flat) => {
    result.data[flat] = span.data[dot(index, view.strides)]!;
  });
  return result;
}
