/** What the variants of a catalog stand for in a build. */
import {DnncRuntimeError} from '../errors.js';
import type {Catalog} from '../schedule/catalog.js';

/** Variants of the build by task, for each variant of each request. Throws `live.setup`. */
export function partsOf({requests}: Catalog): readonly ReadonlyMap<string, readonly string[]>[] {
  return requests.map(
    ({variants}) =>
      new Map(
        variants.map(({id, parts}) => {
          if (parts) return [id, parts];
          throw new DnncRuntimeError('live.setup', id, 'does not say which variants of a build it stands for', 'give it `parts`');
        }),
      ),
  );
}
