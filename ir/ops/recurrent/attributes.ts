/** Which cell, and how it runs. */
export type RecurrentAttrs = {
  /** rnn, gru or lstm. */
  readonly cell: string;
  readonly reverse: boolean;
  /** f, g, h as the specification names them: one for rnn, two for gru, three for lstm. */
  readonly activations: readonly string[];
  readonly alphas: readonly number[];
  readonly betas: readonly number[];
  /** 0: none. */
  readonly clip: number;
  readonly linearBeforeReset: boolean;
  readonly inputForget: boolean;
};
