/** What a recipe did to a task, as `build` prints it and keeps it in its log. */

/** A convolution or fully connected layer. What does not apply to it is absent. */
export type LayerReport = {
  readonly layer: string;
  /** Why it stayed in float. Absent: the recipe changes it. */
  readonly float?: string;
  /** Of what it gives, behind its activation, where that is stored as bytes. */
  readonly scale?: number;
  readonly zero?: number;
  /** The part of these values, from 0 to 1, that lies outside the range of a byte. */
  readonly clipped?: number;
  /** Signal over error of quantization, in decibels: of the weights alone, and of what the layer gives in the whole network. */
  readonly weightSqnr?: number;
  readonly outputSqnr?: number;
  /** Of the layer's sums on samples where its weights alone are changed, in decibels; known of weights of 4 bits. */
  readonly sumSqnr?: number;
  /**
   * How the integers of a layer of bytes were found, and by how many decibels less it errs for that on samples that were held out.
   * `nearest`: by themselves. `bias`: with a bias that makes means right. `gptq`: together. `fit`: those of weights fitted anew.
   */
  readonly rounding?: 'nearest' | 'bias' | 'gptq' | 'fit';
  readonly gain?: number;
  /** Relative error of the scores where this layer alone is changed; measured where layers had to be chosen. */
  readonly effect?: number;
  /** What a layer of low rank became: the form and its ranks. */
  readonly form?: string;
  /** What the form alone costs: the relative energy of its error on samples that no fit has seen. */
  readonly error?: number;
  /**
   * Multiply-adds, and microseconds on this machine: of a layer of bytes or narrow weights as measured within the network, of others
   * as the cost model estimates them.
   */
  readonly macsBefore?: number;
  readonly macsAfter?: number;
  readonly timeBefore?: number;
  readonly timeAfter?: number;
  /** Of weights, scales and biases. */
  readonly bytesBefore: number;
  readonly bytesAfter: number;
};

export type RecipeReport = {
  readonly task: string;
  readonly recipe: string;
  /** Which of the recipe's steps this is, where it has several. */
  readonly step?: string;
  /** How ranges or weights were chosen on samples: `min-max`, `percentile:99.99`, `mse`, `gptq`. Absent: without samples. */
  readonly calibration?: string;
  /** How many samples it was chosen on, and the sha256 of their data. */
  readonly samples?: number;
  readonly data?: string;
  /** What layers of a step that shrinks them have as little of as the limit asks: time, multiply-adds or bytes. */
  readonly spared?: 'time' | 'macs' | 'bytes';
  /**
   * What is expected on samples that were held out, without labels: points lost, how many are lost at most (in 19 of 20 draws of
   * samples), percent of equal labels, nats of divergence.
   */
  readonly estimate?: {
    readonly loss: number;
    readonly most?: number;
    readonly agreement: number;
    readonly divergence: number;
    /** Nats that were expected of the choice of ranks, and of the same part of what is spared for each layer. */
    readonly allocation?: {readonly chosen: number; readonly uniform: number};
  };
  /** Percent of right answers of `full` less those of this variant (of all steps up to this one), where `--max-loss` was given. */
  readonly loss?: number;
  /** Pairs of layers whose channels were evened out. */
  readonly equalized?: number;
  readonly layers: readonly LayerReport[];
};
