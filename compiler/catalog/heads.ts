/** New heads on another task's network, as attempts at this task: cheap where that network runs anyhow. */
import type {DataRef, MeasureJob, RetargetJob} from './jobs.js';
import {lossOf} from './order.js';
import type {Attempt, SearchOptions} from './search.js';

export type Heads = Pick<RetargetJob, 'trunk' | 'balance'> & {readonly fit: DataRef};

export async function headsOf(options: SearchOptions, full: Attempt, heads: Heads): Promise<readonly Attempt[]> {
  const {question, network, evaluate, target, profiles, maxLoss, run, tell, expect = () => {}} = options;
  const right = full.measured!.right;
  const fitted = await run<RetargetJob>({kind: 'retarget', question, network, ...heads});
  expect(fitted.result.heads.length);
  const shared = fitted.seconds / Math.max(1, fitted.result.heads.length);
  return Promise.all(
    fitted.result.heads.map(async ({network: own, head}): Promise<Attempt> => {
      const job: MeasureJob = {
        ...{kind: 'measure', question, network: own, data: evaluate, target, profiles, above: null},
        against: {right, points: maxLoss},
      };
      const {result, seconds} = await run(job);
      const {loss, error} = lossOf(right, result.right);
      const attempt = {
        ...{recipe: head.recipe, from: `${heads.trunk.question.name}/full`, network: own, reports: []},
        measured: {...result, costs: {...result.costs, ownMacs: head.headMacs}},
        ...{loss, error, dropped: loss > maxLoss ? `loses ${loss.toFixed(2)} points` : null, seconds: shared + seconds},
      };
      expect(-1);
      tell(attempt);
      return attempt;
    }),
  );
}
