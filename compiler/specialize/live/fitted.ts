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
 * null: no cascade meets the goal in this context. Ids are told apart from those of a build by "live"; `number` is that of the
 * context. Exits keep theirs, whatever the context: a head serves all of them. `folder` has their files.
 */
export function fittedFor(
  {manifest, general, firsts}: Pick<Candidates, 'manifest' | 'general' | 'firsts'>,
  planner: Planner,
  context: Context,
  {number, tune, folder}: {readonly number: number; readonly tune: Labelled; readonly folder: string},
): Fitted | null {
  const {best} = planner.plan(context);
  if (!best) return null;
  const made = cascadeOf(manifest, general, firsts, best, context, tune);
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
