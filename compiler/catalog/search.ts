/**
 * The search for variants of one task. Branches are grown from what still holds the loss budget: shares of `lowrank` and `prune`, and sides of
 * images, from mild to strong until one loses too much, another structure, narrow weights and bytes on every network that holds, `lowrank` once more on the
 * smallest pruned one. Whether a branch is followed depends on nothing but results of jobs above it, so the same results give the same search.
 */
import {type Attempt, type Measuring, measured} from './attempt.js';
import type {DataRef, MakeJob} from './jobs.js';
import {
  furtherLadder,
  type Ladder,
  ladders,
  narrowSteps,
  needsSamples,
  recipeAfter,
  shareBetween,
  stepOf,
  structureSteps,
} from './steps.js';

export type SearchOptions = Measuring & {
  /** The task's own network. */
  readonly network: string;
  /** Other networks of the task by name: they are measured, and made narrower. */
  readonly others: readonly {readonly recipe: string; readonly network: string}[];
  /** null: only steps that look at no samples are tried. */
  readonly samples: DataRef | null;
  readonly method: string;
  /** Every attempt as it ends. */
  readonly tell: (attempt: Attempt) => void;
  /** By how many the attempts that are still to be expected at most have changed. */
  readonly expect?: (change: number) => void;
};

/** Attempts in the order of the search, `full` first. */
export async function search(options: SearchOptions): Promise<readonly Attempt[]> {
  const {question, network, others, samples, method, maxLoss, run, expect = () => {}} = options;
  const tell = (attempt: Attempt): void => {
    expect(-1);
    options.tell(attempt);
  };
  expect(1 + narrowSteps.length + structureSteps.length + others.length);
  const full = await measured(options, {recipe: 'full', from: null, network, reports: [], seconds: 0}, null);
  const right = full.measured!.right;
  tell(full);
  const branches = await Promise.all([
    ...narrowSteps.map(async step => [await attempt(full, step)]),
    ...structureSteps.map(step => changed(full, step)),
    ...ladders.map(each => climbed(full, each)),
    ...others.map(async other => {
      const own = await measured(options, {...other, from: null, reports: [], seconds: 0}, right);
      tell(own);
      if (!holds(own)) return [own];
      expect(narrowSteps.length);
      return [own, ...(await Promise.all(narrowSteps.map(step => attempt(own, step))))];
    }),
  ]);
  return [full, ...branches.flat()];

  /** Another structure, and what can be made of it. */
  async function changed(from: Attempt, step: string): Promise<readonly Attempt[]> {
    const made = await attempt(from, step);
    if (!holds(made)) return [made];
    const further = [later(made, 'int8'), ...(isRoomy(made) ? [climbed(made, furtherLadder)] : [])];
    return [made, ...(await Promise.all(further)).flat()];
  }

  /** The same kind with ever smaller shares, and what can be made of each. */
  async function climbed(from: Attempt, ladder: Ladder): Promise<readonly Attempt[]> {
    const {kind, shares} = ladder;
    const tried: Attempt[] = [];
    const held: Attempt[] = [];
    const further: Promise<readonly Attempt[]>[] = [];
    const next = async (share: number): Promise<boolean> => {
      const made = await attempt(from, stepOf(ladder, share));
      tried.push(made);
      if (!holds(made)) return false;
      held.push(made);
      further.push(later(made, 'int8'));
      return true;
    };
    expect(shares.length);
    let last = 1;
    for (const share of shares) {
      if (await next(share)) {
        last = share;
        continue;
      }
      // One that is no cheaper would not be so with a larger share either.
      const between = tried.at(-1)!.measured?.right ? shareBetween(last, share) : null;
      expect(tried.length - shares.length + (between === null ? 0 : 1));
      if (between !== null) await next(between);
      break;
    }
    const smallest = held.at(-1);
    if (smallest && kind === 'lowrank') further.push(later(smallest, 'w4'));
    // What pruning has left of the budget, low rank may spend.
    const roomy = held.findLast(isRoomy);
    if (roomy && kind === 'prune') further.push(climbed(roomy, furtherLadder));
    return [...tried, ...(await Promise.all(further)).flat()];
  }

  /** An attempt that is waited for when the ladder has ended: an error before that is none of the process's own. */
  function later(from: Attempt, step: string): Promise<readonly Attempt[]> {
    expect(1);
    const made = attempt(from, step).then(each => [each]);
    made.catch(() => {});
    return made;
  }

  async function attempt(from: Attempt, step: string): Promise<Attempt> {
    const recipe = recipeAfter(from.recipe, step);
    const nothing = {
      recipe,
      from: from.recipe,
      network: null,
      reports: from.reports,
      measured: null,
      loss: 0,
      error: 0,
      seconds: 0,
    };
    const ended = (each: Attempt): Attempt => {
      tell(each);
      return each;
    };
    if (needsSamples(step) && !samples) return ended({...nothing, dropped: 'needs samples: --calibrate DATA'});
    const job: MakeJob = {
      kind: 'make',
      question,
      network: from.network!,
      step,
      method,
      samples: needsSamples(step) ? samples : null,
    };
    const {result, seconds} = await run(job);
    if ('refused' in result) return ended({...nothing, seconds, dropped: result.refused});
    if (result.network === from.network)
      return ended({...nothing, seconds, dropped: `is the same as ${from.recipe}: nothing pays`});
    const report = {...result.report, recipe, ...(from.reports.length > 0 && {step})};
    const reports = [...from.reports.map(each => ({...each, recipe, step: each.step ?? each.recipe})), report];
    const made = {...nothing, network: result.network, reports, seconds};
    return ended(await measured(options, made, right, from));
  }

  function isRoomy({loss}: Attempt): boolean {
    return loss <= maxLoss / 2;
  }

  function holds({measured: its, dropped}: Attempt): boolean {
    return its !== null && dropped === null;
  }
}
