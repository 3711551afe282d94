/** What a context gets while a session runs: a cascade with a threshold of its own, and the head that it begins with. */
import {readFileSync} from 'node:fs';
import {join} from 'node:path';
import type {Heads} from '../../../runtime/index.js';
import type {Variant} from '../../../runtime/manifest.js';
import type {Context} from '../../context.js';
import type {Labelled} from '../../data/dataset.js';
import type {Candidates} from '../candidates.js';
import {cascadeOf} from '../catalog.js';
import type {Planner} from '../winnow.js';

/** For `Session.adopt`. The last variant is the cascade. */
export type Fitted = {readonly variants: readonly [...Variant[], Variant]; readonly heads: Heads};

/**
 * Whatever the samples say, no first stage answers less surely: the prior is only a guess of the context, and what is new must
 * reach the general network. One of the planner's thresholds.
 */
const leastThreshold = 0.7;

/** A cascade that saves less risks accuracy for nothing. Times cheaper than the general network. */
const leastSpeed = 1.2;

/**
 * null: no cascade meets the goal in this context, or it saves little. Ids are told apart from those of a build by "live"; `number` is that of the
 * context. Exits keep theirs, whatever the context: a head serves all of them. `folder` has their files.
 */
export function fittedFor(
  {manifest, general, firsts}: Pick<Candidates, 'manifest' | 'general' | 'firsts'>,
  planner: Planner,
  context: Context,
  {number, tune, folder}: {readonly number: number; readonly tune: Labelled; readonly folder: string},
): Fitted | null {
  const {best} = planner.plan(context);
  if (!best || best.speed < leastSpeed) return null;
  const plan = {...best, threshold: Math.max(best.threshold, leastThreshold)};
  const made = cascadeOf(manifest, general, firsts, plan, context, tune);
  const first = manifest.variants.find(({id}) => id === best.first.id)!;
  const cascade = {...made, ...named(made.task, `live-cascade@${number}`)};
  const {exit} = first;
  if (!exit) return {variants: [cascade], heads: {}};
  const head = {...first, ...named(first.task, `live-${first.recipe}`)};
  return {
    variants: [head, {...cascade, cascade: {...made.cascade!, first: head.id}}],
    heads: {[exit.file]: readFileSync(join(folder, exit.file))},
  };
}

const named = (task: string, recipe: string): {readonly id: string; readonly recipe: string} => ({
  id: `${task}/${recipe}`,
  recipe,
});
