import type {OpCase} from '../common/cases.js';

const plain = {reverse: false, clip: 0, linearBeforeReset: false, inputForget: false};
const f32 = (...shape: number[]) => ({dtype: 'f32', shape}) as const;
const rnn = {...plain, cell: 'rnn', activations: ['tanh'], alphas: [0], betas: [0]};
const gru = {...plain, cell: 'gru', activations: ['sigmoid', 'tanh'], alphas: [0, 0], betas: [0, 0]};
const lstm = {...plain, cell: 'lstm', activations: ['sigmoid', 'tanh', 'tanh'], alphas: [0, 0, 0], betas: [0, 0, 0]};
const lengths = {dtype: 'i32', shape: [2]} as const;

export const cases: readonly OpCase[] = [
  {name: 'rnn', attrs: rnn, inputs: [f32(4, 2, 5), f32(5, 5), f32(2, 5), null, null, null, null]},
  {
    name: 'rnn backwards, scaled tanh, clipped, more units than lanes',
    attrs: {...rnn, reverse: true, clip: 0.5, activations: ['scaledtanh'], alphas: [1.5], betas: [0.5]},
    inputs: [f32(3, 2, 19), f32(19, 19), f32(2, 19), lengths, null, null, null],
  },
  {name: 'gru', attrs: gru, inputs: [f32(4, 2, 15), f32(15, 5), f32(2, 5), null, null, null, null]},
  {
    name: 'gru, linear before reset, one step',
    attrs: {...gru, linearBeforeReset: true},
    inputs: [f32(1, 2, 9), f32(9, 3), f32(2, 3), lengths, null, null, f32(3)],
  },
  {name: 'lstm', attrs: lstm, inputs: [f32(4, 2, 20), f32(20, 5), f32(2, 5), null, f32(2, 5), null, null]},
  {
    name: 'lstm with peepholes, coupled gates',
    attrs: {...lstm, inputForget: true, reverse: true},
    inputs: [f32(3, 2, 12), f32(12, 3), f32(2, 3), lengths, f32(2, 3), f32(9), null],
  },
];
