/** Normalizations, softmax and small powers that exporters take apart become the ops that they are. */
import {mul} from '../../ir/ops/elementwise/index.js';
import {type Rule, rewriteToFixpoint} from '../framework/fixpoint.js';
import {definePass} from '../framework/pass.js';
import {groupNormalizations} from './groups.js';
import {normalizations} from './normalization.js';
import {softmaxes} from './softmax.js';
import {isNumber, isValue, stepOf, typeIn, valueIn} from './step.js';

export const recognize = definePass({
  name: 'recognize',
  summary: 'normalizations, softmax and small powers become the ops that they are',
  requires: ['constants-folded', 'canonical'],
  establishes: ['recognized'],
  breaks: [],
  // Sums in another order, and the roundings of the steps between are gone.
  tolerance: 1e-5,
  stats: {recognized: 'ops found'},
  run: (module, context) => rewriteToFixpoint(module, 'recognize', rules, context, 'recognized'),
});

const powers: Rule = {
  // x ** 2 -> x * x; x ** 3 -> x * (x * x)
  name: 'small-powers',
  apply(node, module, edit) {
    const step = stepOf(module, node);
    const [base, exponent] = step?.args ?? [];
    const cubic = isNumber(exponent, 3);
    if (step?.fn !== 'pow' || !isValue(base) || !(cubic || isNumber(exponent, 2))) return false;
    if (String(typeIn(module, base).shape) !== String(node.outputs[0].type.shape)) return false;
    const [x, build] = [valueIn(module, base), edit.before(node)];
    const [square] = build.emit(mul, [x, x], {});
    edit.redirect(node.outputs[0].id, cubic ? build.emit(mul, [x, square], {})[0] : square);
    return true;
  },
};

const rules: readonly Rule[] = [powers, ...normalizations, ...softmaxes, ...groupNormalizations];
