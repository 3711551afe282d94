/** The axis that is sampled anew. */
export type ResampleAttrs = {readonly axis: number};
