/** What no program on this machine can be faster than, unless it computes something else than the definition says. */
import {type Plan, readsOf, type Step, type View, type Work} from '../ir/plan.js';
import {bytesStored, elements} from '../ir/tensor.js';
import type {Peaks} from './peaks.js';

export type Floor = {readonly seconds: number; readonly bound: 'compute' | 'memory'};

/** Seconds that a step takes at least: its operations, or its bytes read from where a working set of that size lies. */
export function floorOf({work, macs}: Step, workingSet: number, {flops, bandwidths}: Peaks): Floor {
  const {perSecond} = bandwidths.find(level => workingSet <= level.bytes) ?? bandwidths.at(-1)!;
  const [compute, memory] = [(2 * macs) / flops, bytesOfWork(work) / perSecond];
  return compute >= memory ? {seconds: compute, bound: 'compute'} : {seconds: memory, bound: 'memory'};
}

/** Bytes that an entry of a plan touches in each call: its arena, and its weights as they were packed. */
export const workingSetOf = (plan: Plan, entry: number, loadBytes: number): number =>
  (plan.memory?.entryBytes[entry]?.bytes ?? 0) + loadBytes;

/** Milliseconds of all steps of an entry. */
export function floorOfEntry(plan: Plan, entry: number, loadBytes: number, peaks: Peaks): number {
  const workingSet = workingSetOf(plan, entry, loadBytes);
  return plan.entries[entry]!.steps.reduce((sum, step) => sum + floorOf(step, workingSet, peaks).seconds * 1e3, 0);
}

/** Bytes that a step reads and writes once, weights included. */
function bytesOfWork(work: Work): number {
  if (work.kind === 'border') return 0;
  const written =
    work.kind === 'loop'
      ? [work.write]
      : work.params.flatMap(({role, name, view}) => (role === 'write' && name !== 'scratch' && view ? [view] : []));
  return [...readsOf(work), ...written].reduce((sum, view) => sum + bytesStored({dtype: view.dtype, shape: [distinct(view)]}), 0);
}

/** Elements of a view, each counted once however often it is broadcast. */
const distinct = ({shape, strides}: View): number => elements(shape.filter((_, axis) => strides[axis] !== 0));
