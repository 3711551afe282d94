/** Windows, groups and what follows each sum. */
import type {EpilogueAttrs} from '../common/epilogue.js';
import type {WeightAttrs} from '../common/weights.js';

export type Conv2dAttrs = EpilogueAttrs &
  WeightAttrs & {
    readonly strides: readonly number[];
    readonly dilations: readonly number[];
    /** top, left, bottom, right */
    readonly pads: readonly number[];
    readonly groups: number;
  };
