/** `tie`: local layers become convolutions. */
import {elements} from '../../ir/tensor.js';
import type {LayerReport} from '../recipes/report.js';
import {reportsOfFixed} from '../reconstruct/explain.js';
import {macsOf} from '../reconstruct/layers.js';
import type {Structure} from '../restructure/change.js';
import {withTied} from './insert.js';
import {type Local, localLayersOf} from './sites.js';
import {wantedOf} from './wanted.js';

export const ties: Structure<Local> = {
  find: localLayersOf,
  make: withTied,
  wanted: wantedOf,
  explain(network, _task, {changes, layers}, _now, reasons) {
    const locals = new Map(changes.map(local => [local.layer, local]));
    const own = network.layers.map((layer): LayerReport => {
      const {name, weights, bias} = layer;
      const [macsBefore, bytesBefore] = [macsOf(layer), 4 * (weights.data.length + bias.length)];
      const sizes = {layer: name, macsBefore, macsAfter: macsBefore, bytesBefore, bytesAfter: bytesBefore};
      const local = locals.get(name);
      const reason = reasons.get(name);
      if (!local) return {...sizes, ...(layers.has(name) && {form: 'fitted anew'}), ...(reason !== undefined && {float: reason})};
      const {image, outputs, window, saved} = local;
      const form = `convolution ${window.kernel.join(' x ')}, stride ${window.strides.join(' x ')}`;
      const bytesAfter = 4 * outputs * (image[1] * elements(window.kernel) + 1);
      return {...sizes, form, macsAfter: macsBefore - saved, bytesAfter};
    });
    return [...reportsOfFixed(network), ...own];
  },
};
