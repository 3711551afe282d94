/** What one step of an RNN, GRU or LSTM computes: the formulas of the ONNX specification, in double precision. */

/** In the order of their numbers in kernel.h. */
export const activationNames = [
  'sigmoid',
  'tanh',
  'relu',
  'affine',
  'leakyrelu',
  'thresholdedrelu',
  'scaledtanh',
  'hardsigmoid',
  'elu',
  'softsign',
  'softplus',
] as const;
export type ActivationName = (typeof activationNames)[number];
export const isActivation = (name: string): name is ActivationName => activationNames.some(known => known === name);

/** Defaults of alpha and beta; null where the activation has no such parameter. */
export const parameters: Readonly<Record<ActivationName, readonly [number | null, number | null]>> = {
  sigmoid: [null, null],
  tanh: [null, null],
  relu: [null, null],
  affine: [1, 0],
  leakyrelu: [0.01, null],
  thresholdedrelu: [1, null],
  scaledtanh: [1, 1],
  hardsigmoid: [0.2, 0.5],
  elu: [1, null],
  softsign: [null, null],
  softplus: [null, null],
};

const functions: Readonly<Record<ActivationName, (x: number, alpha: number, beta: number) => number>> = {
  sigmoid: x => 1 / (1 + Math.exp(-x)),
  tanh: x => Math.tanh(x),
  relu: x => Math.max(x, 0),
  affine: (x, alpha, beta) => alpha * x + beta,
  leakyrelu: (x, alpha) => (x < 0 ? alpha * x : x),
  thresholdedrelu: (x, alpha) => (x > alpha ? x : 0),
  scaledtanh: (x, alpha, beta) => alpha * Math.tanh(beta * x),
  hardsigmoid: (x, alpha, beta) => Math.min(Math.max(alpha * x + beta, 0), 1),
  elu: (x, alpha) => (x < 0 ? alpha * (Math.exp(x) - 1) : x),
  softsign: x => x / (1 + Math.abs(x)),
  softplus: x => Math.log1p(Math.exp(x)),
};

export type Activation = {readonly name: ActivationName; readonly alpha: number; readonly beta: number};
const activate = ({name, alpha, beta}: Activation, x: number): number => functions[name](x, alpha, beta);

type Row = readonly number[];
/** One step: gates from the input, previous state, the product of recurrent weights of a gate and a state. */
export type Step = {
  readonly gates: readonly Row[];
  readonly before: Row;
  readonly cell: Row;
  times(gate: number, state: Row): Row;
  readonly activations: readonly Activation[];
  readonly clip: number;
  readonly linearBeforeReset: boolean;
  readonly inputForget: boolean;
  readonly recurrentBias: Row;
  /** For the gates i, o and f. */
  readonly peephole: readonly Row[];
};
export type State = {readonly hidden: Row; readonly cell: Row};

const zip = (f: (...x: number[]) => number, ...rows: readonly Row[]): Row =>
  rows[0]!.map((_, j) => f(...rows.map(row => row[j]!)));
const plus = (...rows: readonly Row[]): Row => zip((...x) => x.reduce((a, b) => a + b), ...rows);
const times = (a: Row, b: Row): Row => zip((x, y) => x! * y!, a, b);

export function step(cell: string, at: Step): State {
  const {gates, before, clip, activations} = at;
  const act = (place: number, row: Row): Row => row.map(x => activate(activations[place]!, Math.min(Math.max(x, -clip), clip)));
  const sum = (gate: number, ...more: readonly Row[]): Row => plus(gates[gate]!, at.times(gate, before), ...more);
  if (cell === 'rnn') return {hidden: act(0, sum(0)), cell: []};
  if (cell === 'gru') {
    const [update, reset] = [act(0, sum(0)), act(0, sum(1))];
    const linear = at.linearBeforeReset
      ? times(reset, plus(at.times(2, before), at.recurrentBias))
      : at.times(2, times(reset, before));
    const fresh = act(1, plus(gates[2]!, linear));
    return {hidden: zip((z, h, old) => (1 - z!) * h! + z! * old!, update, fresh, before), cell: []};
  }
  const [i, o, f] = at.peephole as [Row, Row, Row];
  const input = act(0, sum(0, times(i, at.cell)));
  const forget = at.inputForget ? input.map(x => 1 - x) : act(0, sum(2, times(f, at.cell)));
  const state = plus(times(forget, at.cell), times(input, act(1, sum(3))));
  const output = act(0, sum(1, times(o, state)));
  return {
    hidden: times(
      output,
      state.map(x => activate(activations[2]!, x)),
    ),
    cell: state,
  };
}
