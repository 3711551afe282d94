/** What each variant takes in this page: a build cannot know whose page it will be. */
import type {Session} from 'dnnc/wasm';
import type {Picture} from './frames.js';

/** Milliseconds until engines have compiled what is called often, and of measuring. */
const [warmUp, measuring] = [120, 80];

/**
 * Milliseconds per call by variant: from the picture to the label, as a quarter of the calls at most: other work on the machine
 * only adds. Gives the page a turn between variants.
 */
export async function measure(
  session: Session,
  picture: Picture,
  show: (id: string) => void,
): Promise<ReadonlyMap<string, number>> {
  const times = new Map<string, number>();
  for (const {id, task} of session.manifest.variants) {
    show(id);
    await new Promise(resolve => setTimeout(resolve));
    const taken: number[] = [];
    const began = performance.now();
    while (taken.length < 5 || performance.now() - began < warmUp + measuring) {
      if (performance.now() - began < warmUp) taken.length = 0;
      const started = performance.now();
      session.run(task, picture, {variant: id});
      taken.push(performance.now() - started);
    }
    // Clocks of pages may be coarse: nothing takes no time.
    times.set(id, Math.max(0.01, taken.sort((a, b) => a - b)[Math.floor(taken.length / 4)]!));
  }
  return times;
}
