/** Mean over windows. `includePad` divides by the cells inside the padded image, else by those inside the image. */
import {defineOp, type OpDef, tensorAt, typeAt} from '../../op.js';
import {evaluatePool, lowerPool, type PoolAttrs, poolDefaults, poolFromOnnx, poolRules, poolShape} from '../common/pool.js';
import {overImage, windowed} from '../maxpool/index.js';

export type AvgpoolAttrs = PoolAttrs & {readonly includePad: boolean};

export const avgpool: OpDef<AvgpoolAttrs> = defineOp<AvgpoolAttrs>({
  name: 'avgpool',
  summary: 'mean over windows of the last two axes',
  operands: ['x'],
  defaults: {...poolDefaults, includePad: false},
  rules: poolRules('avgpool'),
  infer: call => [{dtype: typeAt(call, 0).dtype, shape: poolShape(call)}],
  evaluate: (call, inputs) => [
    evaluatePool(call, tensorAt(inputs, 0), (inside, cells) => {
      const count = call.attrs.includePad ? cells : inside.length;
      return inside.reduce((a, b) => a + b, 0) / count;
    }),
  ],
  fromOnnx: {
    AveragePool: onnx => {
      const includePad = onnx.int('count_include_pad', 0) !== 0;
      return windowed(
        onnx,
        onnx.input(0),
        poolFromOnnx(onnx),
        (image, attrs) => onnx.emit(avgpool, [image], {...attrs, includePad})[0],
      );
    },
    GlobalAveragePool: onnx => overImage(onnx, (image, attrs) => onnx.emit(avgpool, [image], {...attrs, includePad: false})[0]),
  },
  kernel: {layout: 'channels-last', lower: context => lowerPool('avgpool_f32', context, context.attrs.includePad)},
});
