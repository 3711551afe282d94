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

/** Changes that save less of all multiply-adds are not looked at; those that alone diverge by more nats do not hold. */
const [leastSaved, mostNats] = [0.03, 0.05];

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
  for (const [name, change] of structure.find(module, headOf(module, task.name), whole.network)) {
    if (typeof change === 'string') reasons.set(name, change);
    else if (change.saved < leastSaved * all) reasons.set(name, `would save ${percent(change.saved / all)} of the multiply-adds`);
    else {
      const made = await changed(structure, tasks, task, whole, [change], options);
      const {divergence} = made.judgement;
      if (divergence > mostNats) reasons.set(name, `the change alone moves the scores by ${divergence.toPrecision(2)} nats`);
      else tried.push({change, made, price: divergence / change.saved});
    }
  }
  tried.sort((a, b) => a.price - b.price);
  const changes: C[] = [];
  const seen = new Set<string>();
  for (const {change} of tried) {
    const touched = [...change.touched];
    if (touched.some(name => seen.has(name))) reasons.set(change.layer, 'another change touches what this one would');
    else {
      for (const name of touched) seen.add(name);
      changes.push(change);
    }
  }
  return {changes, reasons, first: tried[0]?.made ?? null};
}

const percent = (part: number): string => `${(100 * part).toFixed(1)}%`;
