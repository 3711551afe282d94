/**
 * The recurrence of ONNX's RNN, GRU or LSTM in one direction. What the input adds to the gates is a matrix product made before;
 * only what depends on the previous state is here.
 */
import {type Call, defineOp, type KernelContext, type OpDef, tensorAt, typeAt} from '../../op.js';
import type {KernelCall, Param} from '../../plan.js';
import {numberAt, setElement, type Tensor, zeros} from '../../tensor.js';
import type {RecurrentAttrs} from './attributes.js';
import {type Activation, activationNames, isActivation, type State, step} from './cells.js';
import {importRecurrent} from './onnx.js';

const gatesOf = new Map([
  ['rnn', 1],
  ['gru', 3],
  ['lstm', 4],
]);

export const recurrent: OpDef<RecurrentAttrs> = defineOp<RecurrentAttrs>({
  name: 'recurrent',
  summary: 'y[t] = cell(x[t], y[t - 1]), and the last state; x holds what the input adds to each gate',
  operands: ['x', 'r', 'h0', 'lengths?', 'c0?', 'peephole?', 'rb?'],
  defaults: {reverse: false, clip: 0, linearBeforeReset: false, inputForget: false},
  rules: [
    {
      id: 'recurrent.shapes',
      says: 'x is [steps][batch][gates * hidden], r [gates * hidden][hidden], h0 [batch][hidden], and so is c0 of an lstm',
      holds: ({attrs, inputs: [x, r, h0, , c0]}) => {
        const [rows, hidden] = r?.shape ?? [];
        const [, batch, width] = x?.shape ?? [];
        const states = attrs.cell === 'lstm' ? [h0, c0] : [h0];
        const fits = states.every(state => String(state?.shape) === String([batch, hidden]));
        return fits && rows === (gatesOf.get(attrs.cell) ?? 0) * (hidden ?? 0) && width === rows && x?.shape.length === 3;
      },
    },
    {
      id: 'recurrent.activations',
      says: 'the activations are known, each with alpha and beta',
      holds: ({attrs: {activations, alphas, betas}}) =>
        activations.every(isActivation) && alphas.length === activations.length && betas.length === activations.length,
    },
  ],
  infer: call => {
    const [{dtype, shape}, state] = [typeAt(call, 0), typeAt(call, 2)];
    const y = {dtype, shape: [...shape.slice(0, 2), state.shape[1]!]};
    return call.attrs.cell === 'lstm' ? [y, state, state] : [y, state];
  },
  evaluate,
  macs: call => typeAt(call, 0).shape[0]! * typeAt(call, 0).shape[1]! * typeAt(call, 1).shape.reduce((n, d) => n * d, 1),
  fromOnnx: {
    RNN: onnx => importRecurrent(onnx, recurrent, 'rnn'),
    GRU: onnx => importRecurrent(onnx, recurrent, 'gru'),
    LSTM: onnx => importRecurrent(onnx, recurrent, 'lstm'),
  },
  kernel: {layout: 'row-major', lower: lowerRecurrent},
});

function activationsOf({activations, alphas, betas}: RecurrentAttrs): readonly Activation[] {
  return activations.flatMap((name, i) => (isActivation(name) ? [{name, alpha: alphas[i]!, beta: betas[i]!}] : []));
}

function evaluate({attrs, inputs: types}: Call<RecurrentAttrs>, inputs: readonly (Tensor | null)[]): readonly Tensor[] {
  const [x, r, h0] = [tensorAt(inputs, 0), tensorAt(inputs, 1), tensorAt(inputs, 2)];
  const [lengths, c0, peephole, rb] = [inputs[3], inputs[4], inputs[5], inputs[6]];
  const [steps, batch, width] = x.shape as [number, number, number];
  const hidden = r.shape[1]!;
  const [y, h, c] = recurrent.infer({attrs, inputs: types}).map(type => zeros(type.dtype, type.shape)) as [
    Tensor,
    Tensor,
    Tensor?,
  ];
  const units = Array.from({length: hidden}, (_, j) => j);
  const row = (tensor: Tensor | null | undefined, at: number): number[] =>
    units.map(j => (tensor ? numberAt(tensor, at * hidden + j) : 0));
  const fixed = {
    activations: activationsOf(attrs),
    clip: attrs.clip === 0 ? Number.POSITIVE_INFINITY : attrs.clip,
    linearBeforeReset: attrs.linearBeforeReset,
    inputForget: attrs.inputForget,
    recurrentBias: row(rb, 0),
    peephole: [0, 1, 2].map(gate => row(peephole, gate)),
    times: (gate: number, state: readonly number[]) =>
      units.map(j => state.reduce((sum, value, k) => sum + value * numberAt(r, (gate * hidden + j) * hidden + k), 0)),
  };
  for (let b = 0; b < batch; b++) {
    const length = lengths ? Math.min(Math.max(numberAt(lengths, b), 0), steps) : steps;
    let state: State = {hidden: row(h0, b), cell: row(c0, b)};
    for (let t = 0; t < length; t++) {
      const at = (attrs.reverse ? length - 1 - t : t) * batch + b;
      const gates = Array.from({length: width / hidden}, (_, gate) => row(x, at * (width / hidden) + gate));
      state = step(attrs.cell, {...fixed, gates, before: state.hidden, cell: state.cell});
      state.hidden.forEach((value, j) => {
        setElement(y, at * hidden + j, value);
      });
    }
    for (const j of units) {
      setElement(h, b * hidden + j, state.hidden[j]!);
      if (c) setElement(c, b * hidden + j, state.cell[j]!);
    }
  }
  return c ? [y, h, c] : [y, h];
}

function lowerRecurrent({attrs, types, inputs, outputs}: KernelContext<RecurrentAttrs>): KernelCall {
  const [steps, batch] = types[0]!.shape as [number, number, number];
  const activations = activationsOf(attrs).map(({name, alpha, beta}) => ({code: activationNames.indexOf(name), alpha, beta}));
  const letters = activations.flatMap(({code, alpha, beta}, i) => {
    const letter = ['f', 'g', 'h'][i]!;
    return [[letter, code] as const, [`${letter}a`, alpha] as const, [`${letter}b`, beta] as const];
  });
  const read = (name: string, index: number): Param => ({name, role: 'read', view: inputs[index]?.view() ?? null});
  const own = attrs.cell === 'lstm' ? [read('c0', 4), read('peephole', 5)] : attrs.cell === 'gru' ? [read('rb', 6)] : [];
  const results = ['y', 'h', 'c']
    .slice(0, outputs.length)
    .map((name, i): Param => ({name: `${name}_out`, role: 'write', view: outputs[i]!}));
  return {
    kind: 'kernel',
    contract: `recurrent_${attrs.cell}_f32`,
    header: 'recurrent/kernel.h',
    struct: 'recurrent_shape',
    fields: {
      ...{steps, batch, hidden: types[1]!.shape[1]!, reverse: Number(attrs.reverse), clip: attrs.clip},
      ...{linear_before_reset: Number(attrs.linearBeforeReset), input_forget: Number(attrs.inputForget)},
      ...Object.fromEntries(letters),
    },
    params: [read('x', 0), read('r', 1), read('h0', 2), read('lengths', 3), ...own, ...results],
    epilogue: null,
  };
}
