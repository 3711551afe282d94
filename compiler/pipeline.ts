/** THE list of passes, in order. Nothing else decides order; a test checks it against what the passes require. */
import {canonicalize} from '../passes/canonicalize/index.js';
import {commonSubexpressions} from '../passes/common-subexpressions/index.js';
import {foldBatchnorm} from '../passes/fold-batchnorm/index.js';
import {foldConstants} from '../passes/fold-constants/index.js';
import type {Pass} from '../passes/framework/pass.js';
import {fuse} from '../passes/fuse/index.js';
import {fusePadding} from '../passes/fuse-padding/index.js';
import {integerKernels} from '../passes/integer-kernels/index.js';
import {integerSums} from '../passes/integer-sums/index.js';
import {recognize} from '../passes/recognize/index.js';
import {widenHalves} from '../passes/widen-halves/index.js';

/** Exact up to rounding: what every build runs. */
export const exact: readonly Pass[] = [
  widenHalves, // before anything: later passes and kernels then know f32 alone
  integerSums, // before fold-constants, which would make real numbers of quantized weights
  foldConstants, // early: importers leave weights transposed, cast or dequantized by nodes
  canonicalize, // one spelling per meaning, so that later passes match once
  recognize, // before fold-batchnorm and fuse, which would take the steps of a normalization apart
  fusePadding, // before fold-batchnorm: it looks for a convolution, not for its padding
  foldBatchnorm, // before anything reads an activation: scales belong to the weights
  integerKernels, // before fuse, which would take quantized values into sums of real numbers
  commonSubexpressions, // before fuse: a fused node hides the equal half
  fuse, // late: it makes nodes that the passes above do not read
  // Again: a reshape moves past what has become one element-wise node, which then may join what is before the reshape.
  canonicalize,
  commonSubexpressions,
  fuse,
];

/** What recipes start from: every activation is a node of its own. */
export const beforeFusion: readonly Pass[] = exact.slice(0, exact.indexOf(fuse));
