/** Operators whose results depend on no element of an input: constants, shapes, ranges. */
import {onnxOfDtype} from '../../../compiler/onnx/tensors.js';
import {elements, tensorFrom} from '../../../ir/tensor.js';
import type {Draw, Recipe} from '../onnx-draw.js';
import {float, int, ints} from '../onnx-graph.js';
import {everything, floats, range, tensor} from './common.js';

const small = (draw: Draw, count: number): number[] => range(count).map(() => draw.random.below(5));

export const constantRecipes: readonly Recipe[] = [
  {
    op: 'Constant',
    exact: true,
    draw(draw) {
      const shape = draw.shape();
      const value = tensor(
        'value',
        tensorFrom(
          draw.random.pick(everything),
          shape,
          small(draw, elements(shape)).map(n => n % 2),
        ),
      );
      const numbers = small(draw, 3);
      const forms = [
        int('value_int', 3),
        ints('value_ints', numbers),
        float('value_float', 1.5),
        floats('value_floats', numbers),
      ];
      return {inputs: [], attributes: [draw.opset < 12 || draw.random.chance(0.6) ? value : draw.random.pick(forms)]};
    },
  },
  {
    op: 'ConstantOfShape',
    opsets: [9, 99],
    exact: true,
    draw: draw => ({
      inputs: [draw.i64s(draw.shape())],
      attributes: draw.maybe(tensor('value', tensorFrom(draw.random.pick(everything), [1], [1]))),
    }),
  },
  {
    op: 'EyeLike',
    opsets: [9, 99],
    exact: true,
    draw: draw => ({
      inputs: [
        draw.pick({dtypes: ['f32', 'f64', 'i64', 'i32'], shape: () => draw.shape(2, 2), fits: ({shape}) => shape.length === 2}),
      ],
      attributes: [
        ...draw.maybe(int('k', draw.between(-3, 3))),
        ...draw.maybe(int('dtype', onnxOfDtype(draw.random.pick(['f32', 'f64', 'i64', 'i32', 'u64'])))),
      ],
    }),
  },
  {
    op: 'Range',
    opsets: [11, 99],
    exact: true,
    draw(draw) {
      const dtype = draw.random.pick(['f32', 'f64', 'i32', 'i64', 'i16'] as const);
      const [start, step] = [draw.between(-3, 3), draw.random.pick([1, 2, -1, -2])];
      return {
        inputs: [start, start + step * (1 + draw.random.below(6)) - Math.sign(step) * draw.random.below(2), step].map(n =>
          draw.numbers(dtype, [], [n]),
        ),
      };
    },
  },
  {
    op: 'Shape',
    exact: true,
    draw(draw) {
      const x = draw.pick({dtypes: everything});
      const rank = x.tensor.shape.length;
      const ends =
        draw.opset < 15
          ? []
          : [...draw.maybe(int('start', draw.between(-rank, 1))), ...draw.maybe(int('end', draw.between(-1, rank + 1)))];
      return {inputs: [x], attributes: ends};
    },
  },
  {op: 'Size', exact: true, draw: draw => ({inputs: [draw.pick({dtypes: everything})]})},
];
