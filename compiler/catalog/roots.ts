/** Where the search begins: networks as the models have them, in the store, so that jobs need no ONNX file. */
import {headOf, outputNames} from '../../ir/graph.js';
import type {Labelled} from '../data/dataset.js';
import {hashOfData} from '../evaluate-variant.js';
import {loadTasks} from '../load.js';
import {onlyHead, writeNetwork} from '../network-file.js';
import type {Task} from '../tasks.js';
import type {DataRef, Question} from './jobs.js';
import type {Store} from './store.js';

export type Root = {
  readonly task: Task;
  readonly question: Question;
  /** The task's own. */
  readonly network: string;
  readonly others: readonly {readonly recipe: string; readonly network: string}[];
};

export function rootOf(task: Task, bind: ReadonlyMap<string, number>, store: Store): Root {
  const {name, labels, labelOffset, input} = task;
  // Dimensions of other tasks' models are none of this one's.
  const {module} = loadTasks([task], {name: 'catalog', bind, strict: false});
  const stored = (head: string): string => {
    const its = headOf(module, head);
    return store.put(writeNetwork(onlyHead(module, {...its, name, attrs: {outputs: [...outputNames(its)]}})));
  };
  return {
    task,
    question: {name, labels, labelOffset, input},
    network: stored(name),
    others: module.heads.flatMap(head =>
      head.attrs.recipe === undefined ? [] : [{recipe: String(head.attrs.recipe), network: stored(head.name)}],
    ),
  };
}

export const refOf = (labelled: Labelled, {labelsKey}: Task): DataRef => ({
  path: labelled.path,
  sha256: hashOfData(labelled),
  labelsKey,
});
