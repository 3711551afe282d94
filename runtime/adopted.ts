/**
 * Variants that join a session while it runs: heads that were fitted after it was loaded, and cascades. Everything is checked and
 * bound before any of it counts, so a call never meets half of it; calls that are under way end with what they began with.
 */
import {DnncRuntimeError} from './errors.js';
import type {Manifest, Variant} from './manifest.js';
import type {Binder, BoundEntry} from './native.js';
import {readManifest} from './read-manifest.js';

declare const brand: unique symbol;
/** The id of a variant that a session adopted. */
export type AdoptedId = string & {readonly [brand]: 'adopted'};

/** Bytes of the files that exits name. */
export type Heads = {readonly [file: string]: Uint8Array};

export type Adopted = {
  find(id: string): Variant | undefined;
  /** The head of an adopted exit. */
  head(id: string): BoundEntry | undefined;
  /** See `Session.adopt`. */
  adopt(variants: readonly Variant[], heads: Heads): void;
  /** See `Session.drop`. */
  drop(id: string): boolean;
};

export function createAdopted(manifest: Manifest, bind: Binder): Adopted {
  const known = new Map<string, {readonly variant: Variant; readonly head?: BoundEntry}>();

  function bound(variant: Variant, heads: Heads): BoundEntry | undefined {
    const {exit, task} = variant;
    if (!exit) return undefined;
    const bytes = Object.hasOwn(heads, exit.file) ? heads[exit.file] : undefined;
    if (!bytes) throw new DnncRuntimeError('weights.file', exit.file, `of ${variant.id} was not given`, 'give its bytes too');
    const cut = manifest.cuts.find(({id}) => id === exit.cut)!;
    return bind.exit(exit, cut, manifest.tasks[task]!.outputs[0]!, bytes);
  }

  return {
    find: id => known.get(id)?.variant,
    head: id => known.get(id)?.head,
    adopt(variants, heads) {
      for (const {id, entry} of variants) {
        if (manifest.variants.some(variant => variant.id === id))
          throw new DnncRuntimeError('session.variant', id, 'is a variant of the build', 'give the new one another id');
        if (entry !== undefined) throw new DnncRuntimeError('session.variant', id, 'is code', 'adopt exits and cascades');
      }
      const fresh = new Set(variants.map(({id}) => id));
      const others = [...known.values()].flatMap(({variant}) => (fresh.has(variant.id) ? [] : [variant]));
      readManifest({...manifest, variants: [...manifest.variants, ...others, ...variants]});
      const ready = variants.map(variant => {
        const head = bound(variant, heads);
        return {variant, ...(head && {head})};
      });
      for (const each of ready) known.set(each.variant.id, each);
    },
    drop(id) {
      if (!known.delete(id)) return false;
      for (const [other, {variant}] of known)
        if (variant.cascade && [variant.cascade.first, variant.cascade.last].includes(id)) known.delete(other);
      return true;
    },
  };
}
