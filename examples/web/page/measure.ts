/** What each variant takes in this page: a build cannot know whose page it will be. */
import type {Session} from 'dnnc/wasm';

/** Calls of one round, and rounds of which the median counts. */
const [calls, rounds] = [20, 7];

/** Milliseconds per call by variant. Gives the page a turn between variants. */
export async function measure(session: Session, show: (id: string) => void): Promise<ReadonlyMap<string, number>> {
  const times = new Map<string, number>();
  for (const {id, task} of session.manifest.variants) {
    show(id);
    await new Promise(resolve => setTimeout(resolve));
    const entry = session.entry(task, id);
    const [inputs, outputs] = [entry.newInputs(), entry.newOutputs()];
    const means = Array.from({length: rounds}, (_, round) => {
      const started = performance.now();
      for (let i = 0; i < calls; i++) entry.call(inputs, outputs);
      return round === 0 ? Number.POSITIVE_INFINITY : (performance.now() - started) / calls; // the first one warms up
    });
    // Clocks of pages may be coarse: nothing takes no time.
    times.set(id, Math.max(0.001, means.sort((a, b) => a - b)[Math.floor(rounds / 2)]!));
  }
  return times;
}
