/**
 * Contexts at run time: what is asked for lately enters every answer as a prior (Saerens, Latinne, Decaestecker 2002). Answers go
 * in as probabilities, frequencies come out; nothing is detected, and nothing has to be told. A function of what it was told: the
 * same answers give the same priors to the last bit.
 */
import type {Manifest, Task, Variant} from '../manifest.js';

/** What an answer says of its input: probabilities of all classes by output index, where it was corrected by a prior. */
export type Observed = {readonly probabilities?: ArrayLike<number>};

/** What requests ask for lately, task by task. */
export type Contexts = {
  /**
   * How often each class is expected now, by output index: they sum to 1, and are never written to again. null where the task is
   * unknown, or one of its variants has no calibration: what its scores mean is then not known.
   */
  prior(task: string): readonly number[] | null;
  /**
   * Takes notice of an answer. `under` is the prior that it was given under: that of now unless calls overlap. An answer without
   * probabilities, or with some that are not numbers, says nothing.
   */
  observe(task: string, answer: Observed, under?: readonly number[] | null): void;
};

/** What is known of a task beforehand. */
export type Usual = {
  /** Of the classes where there is no context, by output index: those of the calibration. They sum to 1. */
  readonly frequencies: readonly number[];
  /** Of the general network, from 0 to 1; null where it was not measured. */
  readonly accuracy: number | null;
};

/** Follows what one task is asked for. */
export type Follower = {
  prior(): readonly number[];
  /** `probabilities` sum to 1 and are those under the prior `under`. */
  observe(probabilities: ArrayLike<number>, under: readonly number[]): void;
};

/** How answers become priors. */
export type Rule = (usual: Usual) => Follower;

/** Follows every calibrated task of a build by one rule, each for itself. */
export function contextsOf({tasks, variants}: Manifest, rule: Rule): Contexts {
  const followers = new Map<string, Follower>();
  for (const [name, task] of Object.entries(tasks)) {
    const usual = usualOf(
      task,
      variants.filter(variant => variant.task === name),
    );
    if (usual) followers.set(name, rule(usual));
  }
  return {
    prior: task => followers.get(task)?.prior() ?? null,
    observe(task, {probabilities}, under) {
      const follower = followers.get(task);
      if (!follower || !probabilities) return;
      const prior = under ?? follower.prior();
      if (isDistribution(probabilities, prior.length)) follower.observe(probabilities, prior);
    },
  };
}

/** null: a variant that computes scores itself is not calibrated. */
function usualOf(task: Task, variants: readonly Variant[]): Usual | null {
  const general = variants.find(({id}) => id === task.variants[0]);
  if (!general?.calibration || variants.some(({cascade, calibration}) => !cascade && !calibration)) return null;
  const total = general.calibration.frequencies.reduce((sum, frequency) => sum + frequency, 0);
  if (!(total > 0)) return null;
  const {quality} = general;
  return {
    frequencies: general.calibration.frequencies.map(frequency => frequency / total),
    accuracy: quality ? quality.value / 100 : null,
  };
}

function isDistribution(probabilities: ArrayLike<number>, classes: number): boolean {
  if (probabilities.length !== classes) return false;
  let sum = 0;
  for (let c = 0; c < classes; c++) {
    if (!(probabilities[c]! >= 0)) return false;
    sum += probabilities[c]!;
  }
  return Math.abs(sum - 1) < 1e-3;
}
