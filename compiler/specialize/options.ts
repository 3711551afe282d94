/** What `specialize` is asked for. */
import type {Context} from '../context.js';
import type {Labelled} from '../data/dataset.js';
import type {Goal} from './cascade.js';

export type SpecializeOptions = {
  readonly task: string;
  /** Heads are fitted to it. */
  readonly fit: Labelled;
  /** Unseen by any stage: temperatures and thresholds. null: a third of `fit`, which is then fitted to the rest. */
  readonly tune: Labelled | null;
  /** For accuracies in the manifest, and to check what was promised. */
  readonly evaluate: Labelled | null;
  /** null: nothing is added, only the grid is made. */
  readonly context: Context | null;
  /** Random contexts of several sizes and shares. */
  readonly grid: boolean;
  readonly goal: Goal;
  /** Whether heads are also refitted to the context as the paper does, for comparison. Default: false. */
  readonly refit?: boolean;
  /** Classes count alike in fits, however many samples each has. */
  readonly balance: boolean;
  readonly progress?: (doing: string) => void;
};
