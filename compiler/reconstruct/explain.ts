/** What is told of layers that no fit may change. */
import type {LayerReport} from '../recipes/report.js';
import type {Layers} from './layers.js';

export const reportsOfFixed = ({fixed}: Pick<Layers, 'fixed'>): readonly LayerReport[] =>
  Array.from(fixed, ([layer, {reason, bytes}]) => ({layer, float: reason, bytesBefore: bytes, bytesAfter: bytes}));
