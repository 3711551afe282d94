/** Steps on top of each other: a task's network as earlier steps left it, and what a later one makes of that. */
import {graft} from '../../ir/graft.js';
import {headOf} from '../../ir/graph.js';
import type {Head, Module} from '../../ir/types.js';
import type {Candidate} from './candidate.js';

/** A step whose choices have been made. */
export type Made = (module: Module, as: Pick<Head, 'name' | 'attrs'>) => Module;

/** The module in which the task's head is what these steps make of it. Its own network stays, as another head. */
export function after(module: Module, task: string, steps: readonly Made[]): Module {
  return steps.reduce((current, make) => {
    // Earlier steps may have left some.
    const name = `${task}.before.${current.heads.filter(head => head.name.startsWith(`${task}.before.`)).length}`;
    const extended = make(current, {name, attrs: headOf(current, task).attrs});
    const [was, is] = [headOf(extended, task), headOf(extended, name)];
    const heads = extended.heads.map(head => {
      if (head === was) return {...was, outputs: is.outputs};
      return head === is ? {...is, outputs: was.outputs} : head;
    });
    return {...extended, heads};
  }, module);
}

/** A candidate that was found on a network as earlier steps left it, for modules with the network as it was. */
export function onTopOf(steps: readonly Made[], candidate: Candidate): Candidate {
  if (steps.length === 0) return candidate;
  const {name} = candidate.task;
  return {
    ...candidate,
    layers: module => candidate.layers(after(module, name, steps)),
    extend: (module, float, as) => graft(module, module, candidate.extend(after(module, name, steps), float, as), as.name),
  };
}
