/**
 * The paper's own way, for comparison: a head with the context's n classes and "other", fitted to samples as skewed as the
 * context; "other" asks the general network (MCDNN, section 5.2.1).
 */
import {frequenciesIn, type NativeLoader} from '../../runtime/index.js';
import type {Context} from '../context.js';
import {type Place, widthOf} from '../fit/features.js';
import {fitting, scoresAt} from '../fit/logistic.js';
import {tradeAt} from './cascade.js';
import type {SeenAll} from './seen.js';
import {rawAnswers} from './stage.js';

export type Refitted = {
  readonly cut: string;
  /** In percent. */
  readonly accuracy: number;
  readonly macs: number;
  /** Part of the requests that are answered without the general network. */
  readonly alone: number;
};

export type RefitFacts = {
  readonly places: readonly Place[];
  /** L2 of the head for all classes, by place. */
  readonly lambdas: readonly number[];
  readonly fit: SeenAll;
  readonly unseen: SeenAll;
  /** The general network. */
  readonly general: {readonly id: string; readonly macs: number};
  readonly loss: NativeLoader['logistic'];
};

/** Of each cut, on the unseen samples. */
export function refit({places, lambdas, fit, unseen, general, loss}: RefitFacts, {classes, share}: Context): readonly Refitted[] {
  const other = classes.length;
  const labels = fit.labels.map(label => (classes.includes(label) ? classes.indexOf(label) : other));
  const inside = labels.filter(label => label !== other).length;
  const weightOf = (label: number): number =>
    label === other ? (1 - share) / Math.max(1, labels.length - inside) : share / Math.max(1, inside);
  const classWeights = Array.from({length: other + 1}, (_, label) => weightOf(label));
  const frequencies = frequenciesIn(classes, share, unseen.classes);
  const last = rawAnswers({scores: unseen.scores.get(general.id)!, labels: unseen.labels, classes: unseen.classes});
  return places.map((place, at) => {
    const width = widthOf(place);
    const head = fitting({features: fit.features[at]!, width, labels}, other + 1, {loss, classWeights}).fit(lambdas[at]!);
    const seen = {scores: scoresAt(head, {features: unseen.features[at]!, width}), labels: unseen.labels, classes: other + 1};
    const answers = rawAnswers(seen);
    const both = {
      first: {
        answer: answers.map(answer => classes[answer] ?? -1),
        sure: Float64Array.from(answers, answer => (answer === other ? 0 : 1)),
      },
      last: {answer: last, sure: new Float64Array(last.length)},
      ...{reference: last, labels: unseen.labels, classes: unseen.classes},
    };
    const {accuracy, alone} = tradeAt(1, both, frequencies);
    const headMacs = width * (other + 1);
    const macs = Math.round(place.macs + headMacs + (1 - alone) * (general.macs - place.macs));
    return {cut: place.cut.id, accuracy: Number((100 * accuracy).toFixed(2)), macs, alone: Number(alone.toFixed(4))};
  });
}
