/** Windows, groups and what follows each sum. */
import type {EpilogueAttrs} from '../common/epilogue.js';

export type Conv2dAttrs = EpilogueAttrs & {
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  /** top, left, bottom, right */
  readonly pads: readonly number[];
  readonly groups: number;
};
