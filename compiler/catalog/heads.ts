/** New heads on another task's network, as attempts at this task: cheap where that network runs anyhow. */
import {type Attempt, measured} from './attempt.js';
import type {DataRef, RetargetJob} from './jobs.js';
import type {SearchOptions} from './search.js';

export type Heads = Pick<RetargetJob, 'trunk' | 'balance'> & {readonly fit: DataRef};

export async function headsOf(options: SearchOptions, full: Attempt, heads: Heads): Promise<readonly Attempt[]> {
  const {question, network, run, tell, expect = () => {}} = options;
  const right = full.measured!.right;
  const fitted = await run<RetargetJob>({kind: 'retarget', question, network, ...heads});
  expect(fitted.result.heads.length);
  const shared = fitted.seconds / Math.max(1, fitted.result.heads.length);
  return Promise.all(
    fitted.result.heads.map(async ({network: own, head}): Promise<Attempt> => {
      const from = `${heads.trunk.question.name}/full`;
      const made = await measured(options, {recipe: head.recipe, from, network: own, reports: [], seconds: shared}, right);
      const attempt = {
        ...made,
        measured: made.measured && {...made.measured, costs: {...made.measured.costs, ownMacs: head.headMacs}},
      };
      expect(-1);
      tell(attempt);
      return attempt;
    }),
  );
}
