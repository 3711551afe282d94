/** How random models draw each operator: a line in one of these lists, or a few. */
import type {Recipe} from '../onnx-draw.js';
import {constantRecipes} from './constant.js';
import {elementwiseRecipes} from './elementwise.js';
import {indexedRecipes} from './indexed.js';
import {microsoftRecipes} from './microsoft.js';
import {movementRecipes} from './movement.js';
import {normalizationRecipes} from './normalization.js';
import {productRecipes} from './product.js';
import {quantizedRecipes} from './quantized.js';
import {reductionRecipes} from './reduction.js';
import {samplingRecipes} from './sampling.js';
import {transformerRecipes} from './transformer.js';
import {windowRecipes} from './window.js';

export const recipes: readonly Recipe[] = [
  ...constantRecipes,
  ...elementwiseRecipes,
  ...indexedRecipes,
  ...microsoftRecipes,
  ...movementRecipes,
  ...normalizationRecipes,
  ...productRecipes,
  ...quantizedRecipes,
  ...reductionRecipes,
  ...samplingRecipes,
  ...transformerRecipes,
  ...windowRecipes,
];

/** Operators without a recipe, and why. */
export const withoutRecipe: ReadonlyMap<string, string> = new Map([
  ['BitCast', 'of operator set 26, for which onnxruntime 1.30 has no implementation'],
  ['CausalConvWithState', 'of operator set 27, which onnxruntime 1.30 does not know'],
  ['SwiGLU', 'of operator set 27, which onnxruntime 1.30 does not know'],
]);
