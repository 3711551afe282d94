/** Heads of one question on another one's network, each with what it needs of that network. */
import {runPasses} from '../../../passes/framework/manager.js';
import {loadTasks} from '../../load.js';
import {onlyHead, writeNetwork} from '../../network-file.js';
import {exact} from '../../pipeline.js';
import {retarget as retargetHeads} from '../../retarget/index.js';
import type {RetargetedHeads, RetargetJob} from '../jobs.js';
import type {Store} from '../store.js';
import {labelledOf, taskOf} from './task.js';

export async function retarget(job: RetargetJob, store: Store, progress: (doing: string) => void): Promise<RetargetedHeads> {
  const {trunk, question, network, fit, balance} = job;
  const own = taskOf(question, store.fileOf(network));
  const tasks = [taskOf(trunk.question, store.fileOf(trunk.network)), own];
  const bind = new Map<string, number>();
  const {heads, missing, extend} = await retargetHeads(tasks, {
    ...{fit: new Map([[question.name, labelledOf(fit, own)]]), bind, balance, progress},
  });
  const module = extend(runPasses(loadTasks(tasks, {name: 'catalog', bind}).module, exact));
  return {
    heads: heads.map(head => {
      const made = module.heads.find(({attrs}) => attrs.task === question.name && attrs.recipe === head.recipe)!;
      const {task: _, recipe: __, ...attrs} = made.attrs;
      return {head, network: store.put(writeNetwork(onlyHead(module, {...made, name: question.name, attrs})))};
    }),
    missing: missing.get(question.name) ?? [],
  };
}
