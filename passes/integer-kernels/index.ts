/** Convolutions and linear layers whose operands are small whole numbers compute in bytes. */
import {valueAt} from '../../ir/graph.js';
import {isOp} from '../../ir/op.js';
import {isDepthwise} from '../../ir/ops/common/convolution.js';
import {conv2d} from '../../ir/ops/conv2d/index.js';
import {conv2dU8} from '../../ir/ops/conv2d_u8/index.js';
import {mul, sub} from '../../ir/ops/elementwise/index.js';
import {linear} from '../../ir/ops/linear/index.js';
import {linearU8} from '../../ir/ops/linear_u8/index.js';
import {map} from '../../ir/ops/map/index.js';
import {reshape} from '../../ir/ops/reshape/index.js';
import {arg, cast, substitute} from '../../ir/scalar/expression.js';
import {printScalar} from '../../ir/scalar/text.js';
import {simplify} from '../../ir/simplify.js';
import {elements, tensorFrom} from '../../ir/tensor.js';
import type {Value} from '../../ir/types.js';
import {type Rule, rewriteToFixpoint} from '../framework/fixpoint.js';
import {definePass} from '../framework/pass.js';
import {
  bytesOf,
  dynamicBytesOf,
  partsOfRounding,
  shifted,
  signed,
  signedRounding,
  simplifiedScalar,
  unsignedOf,
  usesSigned,
} from './bytes.js';
import {fitsDepthwise, fitted, imageOf, isSmall, layerOf, literals, narrowest} from './layer.js';
import {movers} from './movers.js';

export const integerKernels = definePass({
  name: 'integer-kernels',
  summary: 'convolutions and linear layers of small whole numbers compute in bytes',
  requires: ['batchnorm-folded'],
  establishes: [],
  breaks: ['unique'],
  // Sums beyond 2^24 are exact now; until here they were rounded as f32 does.
  tolerance: 1e-6,
  stats: {narrowed: 'layers and values that became bytes'},
  run: (module, context) => rewriteToFixpoint(module, 'integer-kernels', rules, context, 'narrowed'),
});

const rules: readonly Rule[] = [
  ...movers,
  {
    // i8(clamp(round(x) + z, low, high)) -> i8(u8(clamp(round(x) + z + 128, low + 128, high + 128)) - 128)
    name: 'unsigned',
    apply(node, module, edit) {
      const rounding = signedRounding(node, module);
      if (!rounding) return false;
      const {x, operands, zero, low, high} = rounding;
      const build = edit.before(node);
      const expression = `u8(clamp(add(round(${printScalar(x)}), ${zero + 128}), ${low + 128}, ${high + 128}))`;
      const [unsigned] = build.emit(map, operands, {expression});
      edit.redirect(node.outputs[0].id, build.emit(map, [unsigned], {expression: signed})[0]);
      return true;
    },
  },
  {
    // f(i8(f32(x) - 128)) -> f'(x), for every reader by itself
    name: 'unsigned-operand',
    apply(node, module, edit) {
      const unsigned = node.inputs.map(id => (id === null ? null : unsignedOf(module.graph, id)));
      const found = unsigned.some(Boolean) ? simplifiedScalar(node, module.graph) : null;
      if (!found) return false;
      const operands = found.operands.map(operand => unsignedOf(module.graph, operand.id) ?? operand);
      const expression = simplify(
        substitute(found.expression, i => (operands[i] === found.operands[i] ? arg(i) : cast('i8', shifted(arg(i))))),
        operands.map(({type}) => type.dtype),
      );
      if (usesSigned(expression)) return false;
      edit.redirect(node.outputs[0].id, edit.before(node).emit(map, operands, {expression: printScalar(expression)})[0]);
      return true;
    },
  },
  {
    // u8(clamp(round(q - z) + z)) -> q: what pools and concatenations leave between two equal scales
    name: 'same-bytes',
    apply(node, module, edit) {
      const found = node.outputs[0].type.dtype === 'u8' ? simplifiedScalar(node, module.graph) : null;
      const parts = found && partsOfRounding(found.expression, 'u8');
      if (!found || !parts || parts.low !== 0 || parts.high !== 255 || parts.x.kind !== 'arg') return false;
      const whole = bytesOf(module, found.operands[0]!.id);
      if (whole?.zero !== parts.zero) return false;
      edit.redirect(node.outputs[0].id, whole.make(edit.before(node)));
      return true;
    },
  },
  {
    // conv2d(q - z, w, b) -> conv2d_u8(q, w, b - z sum w), z outside the image
    name: 'convolution',
    apply(node, module, edit) {
      if (!isOp(node, conv2d) || node.attrs.epilogue !== '') return false;
      const [x, w, b] = node.inputs;
      const image = bytesOf(module, x);
      const inputs = [valueAt(module.graph, x!).type, valueAt(module.graph, w!).type];
      const depthwise = isDepthwise({attrs: node.attrs, inputs});
      const layer = image && layerOf(module.graph, w!, b ?? null, image.zero);
      const fits = layer && (depthwise ? {layer, again: []} : fitted(layer, node.attrs.groups, elements(inputs[0]!.shape)));
      if (!image || !fits) return false;
      if (node.attrs.pads.some(pad => pad > 0) && !isByte(image.zero)) return false;
      const build = edit.before(node);
      const isBytes = !depthwise || fitsDepthwise(fits.layer);
      const [weights, bias] = isBytes ? ([narrowest(fits.layer), 'i32'] as const) : (['f32', 'f32'] as const);
      const outside = isByte(image.zero) ? image.zero : 0;
      const operands = [imageOf(image.make(build), fits.again, 1, build), ...literals(fits.layer, weights, bias, build)];
      edit.redirect(node.outputs[0].id, build.emit(conv2dU8, operands, {...node.attrs, outside})[0]);
      return true;
    },
  },
  {
    // linear(q - z, w, b) -> linear_u8(q, w, b - z sum w)
    name: 'linear',
    apply(node, module, edit) {
      if (!isOp(node, linear) || node.attrs.epilogue !== '') return false;
      const [x, w, b] = node.inputs;
      const rows = bytesOf(module, x);
      const layer = rows && layerOf(module.graph, w!, b ?? null, rows.zero);
      const {shape} = valueAt(module.graph, x!).type;
      const fits = layer && fitted(layer, 1, elements(shape));
      if (!rows || !fits) return false;
      const build = edit.before(node);
      const given = imageOf(rows.make(build), fits.again, shape.length - 1, build);
      const operands = [given, ...literals(fits.layer, narrowest(fits.layer), 'i32', build)];
      edit.redirect(node.outputs[0].id, build.emit(linearU8, operands, node.attrs)[0]);
      return true;
    },
  },
  {
    // linear(q - z, w, b) -> linear_u8(q, w, b) - z sum w for a z that the network computes; unpadded convolutions likewise
    name: 'dynamic',
    apply(node, module, edit) {
      const isConvolution = isOp(node, conv2d) && node.attrs.pads.every(pad => pad === 0);
      if (!(isConvolution || isOp(node, linear)) || node.attrs.epilogue !== '') return false;
      const [x, w, b] = node.inputs;
      const bytes = dynamicBytesOf(module, x!);
      const layer = bytes && layerOf(module.graph, w!, b ?? null, 0);
      const types = [valueAt(module.graph, x!).type, valueAt(module.graph, w!).type];
      const {shape} = types[0]!;
      const fits = layer && fitted(layer, isConvolution ? node.attrs.groups : 1, elements(shape));
      if (!bytes || !fits || !isSmall(layer) || (isConvolution && isDepthwise({attrs: node.attrs, inputs: types}))) return false;
      const build = edit.before(node);
      const given = imageOf(bytes.q, fits.again, isConvolution ? 1 : shape.length - 1, build);
      const operands: readonly Value[] = [given, ...literals(fits.layer, narrowest(fits.layer), 'i32', build)];
      const [sums] = isConvolution
        ? build.emit(conv2dU8, operands, {...node.attrs, outside: 0})
        : build.emit(linearU8, operands, node.attrs);
      const {totals} = layer;
      const perOutput = isConvolution ? [totals.length, 1, 1] : [totals.length];
      const [zero] = build.emit(reshape, [bytes.zero], {shape: []});
      const [part] = build.emit(mul, [build.literal(tensorFrom('f32', perOutput, totals)), zero], {});
      edit.redirect(node.outputs[0].id, build.emit(sub, [sums, part], {})[0]);
      return true;
    },
  },
];

const isByte = (n: number): boolean => Number.isInteger(n) && n >= 0 && n <= 255;
