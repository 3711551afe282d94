import type {OpCase} from '../common/cases.js';

export const cases: readonly OpCase[] = [true, false].flatMap(log => [
  {name: `classes-log-${log}`, attrs: {axis: 1, log}, inputs: [{dtype: 'f32', shape: [2, 37]}]},
  {name: `channels-of-an-image-log-${log}`, attrs: {axis: 1, log}, inputs: [{dtype: 'f32', shape: [1, 5, 3, 4]}]},
  {name: `one-class-log-${log}`, attrs: {axis: 0, log}, inputs: [{dtype: 'f32', shape: [1, 3]}]},
  {name: `f64-log-${log}`, attrs: {axis: 0, log}, inputs: [{dtype: 'f64', shape: [5]}]},
]);
