/** New heads on another task's networks, as attempts at this task: cheap where such a network runs anyhow. */
import {type Attempt, measured} from './attempt.js';
import type {DataRef, RetargetJob} from './jobs.js';
import type {SearchOptions} from './search.js';
import {recipeAfter} from './steps.js';

export type Heads = Pick<RetargetJob, 'balance'> & {readonly fit: DataRef; readonly trunks: Trunks};

/** Of one question, the first of them its network as it is. */
export type Trunks = {readonly question: RetargetJob['question']; readonly on: readonly Trunk[]};
export type Trunk = Pick<Attempt, 'recipe'> & {readonly network: string};

/** A network whose time is nearer to that of the trunk before has no heads of its own: what it would save is its own task's to choose. */
const muchCheaper = 2 / 3;

/** Of networks that are kept: the one as it is, then each time the most accurate one that is much cheaper than the last. */
export function trunksOf(kept: readonly Attempt[]): readonly Trunk[] {
  const byLoss = kept.toSorted((a, b) => a.loss - b.loss);
  const trunks: Trunk[] = [];
  for (let last = kept[0]; last?.measured && last.network !== null; ) {
    trunks.push({recipe: last.recipe, network: last.network});
    const most = muchCheaper * last.measured.costs.cycles;
    last = byLoss.find(({measured: its, network}) => its && network !== null && its.costs.cycles <= most);
  }
  return trunks;
}

export async function headsOf(options: SearchOptions, full: Attempt, {trunks, ...fit}: Heads): Promise<readonly Attempt[]> {
  const on = trunks.on.map(trunk => headsOn(options, full, {question: trunks.question, ...trunk}, fit));
  return (await Promise.all(on)).flat();
}

async function headsOn(
  options: SearchOptions,
  full: Attempt,
  trunk: Trunk & RetargetJob['trunk'],
  fit: Omit<Heads, 'trunks'>,
): Promise<readonly Attempt[]> {
  const {question, network, run, tell, expect = () => {}} = options;
  const right = full.measured!.right;
  const its = {question: trunk.question, network: trunk.network};
  const fitted = await run<RetargetJob>({kind: 'retarget', question, network, trunk: its, ...fit});
  expect(fitted.result.heads.length);
  const shared = fitted.seconds / Math.max(1, fitted.result.heads.length);
  return Promise.all(
    fitted.result.heads.map(async ({network: own, head}): Promise<Attempt> => {
      const from = `${trunk.question.name}/${trunk.recipe}`;
      const recipe = recipeAfter(trunk.recipe, head.recipe);
      const made = await measured(options, {recipe, from, network: own, reports: [], seconds: shared}, right);
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
