/** Which changes are made to a network: those that harm least for what they save, each judged alone. */
import {headOf} from '../../ir/graph.js';
import {macsOf} from '../reconstruct/layers.js';
import type {Studied, StudyOptions} from '../reconstruct/study.js';
import type {Task} from '../tasks.js';
import type {Change, Structure} from './change.js';
import {type Changed, changed} from './study.js';

export type Chosen<C extends Change> = {
  /** The least harm for what they save first. */
  readonly changes: readonly C[];
  /** Of other layers, by the names of their results: why they do not change. */
  readonly reasons: ReadonlyMap<string, string>;
  /** The first of them alone, if there is one. */
  readonly first: Changed | null;
};

/**
 * Changes that save less of all multiply-adds are not looked at, of the others those that save the most; those that alone diverge by
 * more nats do not hold.
 */
const [leastSaved, mostTried, mostNats] = [0.03, 6, 0.05];

/** `whole`: the network as it was. */
export async function chooseChanges<C extends Change>(
  structure: Structure<C>,
  tasks: readonly Task[],
  task: Task,
  whole: Studied,
  options: StudyOptions,
): Promise<Chosen<C>> {
  const {module, layers} = whole.network;
  const all = layers.reduce((sum, layer) => sum + macsOf(layer), 0);
  const reasons = new Map<string, string>();
  const tried: {readonly change: C; readonly made: Changed; readonly price: number}[] = [];
  const found = [...structure.find(module, headOf(module, task.name), whole.network)];
  const seen = new Set<string>();
  for (const [name, change] of found.toSorted(([, a], [, b]) => savedBy(b) - savedBy(a))) {
    const key = typeof change === 'string' ? name : [...change.touched].sort().join('\0');
    if (typeof change === 'string') reasons.set(name, change);
    else if (seen.has(key)) reasons.set(name, 'it would change with another one');
    else if (change.saved < leastSaved * all) reasons.set(name, `would save ${percent(change.saved / all)} of the multiply-adds`);
    else if (seen.size >= mostTried) reasons.set(name, 'would save less than others that were tried');
    else {
      seen.add(key);
      const made = await changed(structure, tasks, task, whole, [change], options);
      const {divergence} = made.judgement;
      if (divergence > mostNats) reasons.set(name, `the change alone moves the scores by ${divergence.toPrecision(2)} nats`);
      else tried.push({change, made, price: divergence / change.saved});
    }
  }
  tried.sort((a, b) => a.price - b.price);
  const changes: C[] = [];
  const taken = new Set<string>();
  for (const {change} of tried) {
    const touched = [...change.touched];
    if (touched.some(name => taken.has(name))) reasons.set(change.layer, 'another change touches what this one would');
    else {
      for (const name of touched) taken.add(name);
      changes.push(change);
    }
  }
  return {changes, reasons, first: tried[0]?.made ?? null};
}

const savedBy = (change: Change | string): number => (typeof change === 'string' ? 0 : change.saved);

const percent = (part: number): string => `${(100 * part).toFixed(1)}%`;
