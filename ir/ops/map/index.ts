/** Any element-wise expression over broadcast operands: what the fuse pass makes of chains. */
import type {OpDef} from '../../op.js';
import {elementwise} from '../elementwise/define.js';

export type MapAttrs = {readonly expression: string};

export const map: OpDef<MapAttrs> = elementwise<MapAttrs>({
  name: 'map',
  operands: ['x*'],
  expression: ({expression}) => expression,
});
