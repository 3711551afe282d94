/** The windows, and which part of the result is kept. */
export type ConvTransposeAttrs = {
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  /** Rows above and columns left that are cut off. */
  readonly start: readonly number[];
  /** Rows and columns of the result. */
  readonly size: readonly number[];
  readonly groups: number;
};
