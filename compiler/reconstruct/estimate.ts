/**
 * What is expected of a network made anew, without labels: on samples held out, and where these are few, on all samples, each time
 * with another part held out and the network fitted to the others (cross-fitting).
 */
import type {Compared} from './expected-loss.js';
import {frontToBack, parametersIn, type Walked} from './front-to-back.js';
import {compared, type Judgement, judge} from './judge.js';
import {partsOfSamples} from './samples.js';
import type {Studied} from './study.js';
import {joinedSurveys, partOf, type Surveyed} from './survey.js';

/** As many samples as tell something. */
const enough = 80;

/** The network has the weights of what was made of it afterwards. `again`: whether more fits are worth it where few samples are held out. */
export function estimate<F>(
  {network, fit, held, float}: Studied,
  made: Walked<F>,
  again: boolean,
  progress: (layer: string) => void,
): Judgement {
  const {offers, mostError} = made;
  const parameters = parametersIn(made);
  network.rewrite(parameters);
  const pairs: Compared[] = [...compared(network, held.samples, float)];
  const parts = [...partsOf(fit), held];
  for (let out = 0; again && out < parts.length - 1 && pairs.length < enough; out++) {
    const rest = joinedSurveys(parts.filter((_, part) => part !== out));
    const own = parts[out]!;
    frontToBack(network, {offers, fit: rest, held: own, progress: layer => progress(`${layer}, part ${out + 1}`)}, mostError);
    pairs.push(...compared(network, own.samples, float));
  }
  network.rewrite(parameters);
  return judge(pairs, float);
}

/** What is fitted to, in parts that are alike. */
function partsOf(fit: Surveyed): readonly Surveyed[] {
  const count = partsOfSamples - 1;
  const sizes = Array.from(
    {length: count},
    (_, part) => fit.samples.filter(({number}) => number % partsOfSamples === part).length,
  );
  return sizes.map((size, part) => {
    const first = sizes.slice(0, part).reduce((sum, each) => sum + each, 0);
    return partOf(fit, first, first + size);
  });
}
