/** A network that was tried for a task, and its measurement against the network as it is. */
import type {RecipeReport} from '../recipes/report.js';
import type {Measured, MeasureJob, Run} from './jobs.js';
import type {DecisiveCosts, TriedCosts} from './log.js';
import {lossOf} from './order.js';

/** A network that was measured; or that could not be made, and then `measured` is absent and `dropped` says why. */
export type Attempt = {
  readonly recipe: string;
  readonly from: string | null;
  readonly network: string | null;
  readonly reports: readonly RecipeReport[];
  readonly measured: Measured | null;
  /** Against `full`, on the samples seen. */
  readonly loss: number;
  readonly error: number;
  /** Why nothing is made of it, where something is wrong with it. */
  readonly dropped: string | null;
  readonly seconds: number;
};

/** A network, and how it came about. */
export type Candidate = Pick<Attempt, 'recipe' | 'from' | 'reports' | 'seconds'> & {readonly network: string};

/** What measurements of one task have in common. */
export type Measuring = Pick<MeasureJob, 'question' | 'target' | 'profiles'> & {
  readonly evaluate: MeasureJob['data'];
  readonly maxLoss: number;
  readonly run: Run;
};

const decisive = ({cycles, loadBytes, arenaBytes, macs}: TriedCosts): DecisiveCosts => ({cycles, loadBytes, arenaBytes, macs});

/** `full`: whether the network as it is is right, by sample; null: this is it. `above`: what has to be dearer in some cost. */
export async function measured(
  {question, evaluate, target, profiles, maxLoss, run}: Measuring,
  candidate: Candidate,
  full: string | null,
  above: Attempt | null = null,
): Promise<Attempt> {
  const {result, seconds} = await run<MeasureJob>({
    ...{kind: 'measure', question, network: candidate.network, data: evaluate, target, profiles},
    against: full === null ? null : {right: full, points: maxLoss},
    above: above?.measured ? decisive(above.measured.costs) : null,
  });
  const seen = full !== null && result.right !== '';
  const {loss, error} = seen ? lossOf(full, result.right) : {loss: 0, error: 0};
  const dearer = result.right === '' ? `is no cheaper than ${above?.recipe}` : null;
  const dropped = loss > maxLoss ? `loses ${loss.toFixed(2)} points` : dearer;
  return {...candidate, measured: result, loss, error, dropped, seconds: candidate.seconds + seconds};
}
