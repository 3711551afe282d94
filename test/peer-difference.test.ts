/** When an answer that differs from onnxruntime's is as right as that: beside what onnxruntime's own kernels differ by. */
import test from 'ava';
import {difference, noDifference} from '../compiler/compare.js';
import {isAsNear, isRoundedAsByPeer, worstOf} from '../compiler/peer-difference.js';
import {tensorFrom} from '../ir/tensor.js';

const outputs = (...samples: readonly (readonly number[])[]) =>
  samples.map(values => [tensorFrom('f32', [values.length], values)]);
const by = (maxRelative: number) => ({...noDifference, maxRelative});

test('the worst of all samples and outputs', t => {
  const [ours, theirs] = [outputs([1, 2], [3, 4]), outputs([1, 2], [3, 5])];
  t.deepEqual(worstOf(ours, theirs), {maxAbsolute: 1, maxRelative: 0.2, sameLabel: true, elements: 4, identical: 3});
  t.deepEqual(worstOf(ours, ours).maxRelative, 0);
  t.is(worstOf(ours, outputs([2, 1], [3, 4])).sameLabel, false);
});

test('as near as onnxruntime is to itself, or within the tolerance of one of its answers', t => {
  const tolerance = 0.02;
  // Its plain kernels give just that.
  t.true(isAsNear(by(0.05), {plain: by(0), apart: by(0.05)}, tolerance));
  // It is sure of itself, and ours is something else.
  t.false(isAsNear(by(0.05), {plain: by(0.05), apart: by(0)}, tolerance));
  t.false(isAsNear(by(0.05), {plain: by(0.05), apart: by(0.01)}, tolerance));
  // It is not, and ours lies between or beside.
  t.true(isAsNear(by(0.05), {plain: by(0.04), apart: by(0.045)}, tolerance));
  t.false(isAsNear(by(0.05), {plain: by(0.06), apart: by(0.045)}, tolerance));
  // Nothing is near what is no number.
  const {maxRelative} = difference(tensorFrom('f32', [1], [Number.NaN]), tensorFrom('f32', [1], [1]));
  t.false(isAsNear(by(maxRelative), {plain: by(maxRelative), apart: by(0.5)}, tolerance));
});

test('near ties are right as onnxruntime has them, where the reference evaluator has them otherwise', t => {
  t.true(isRoundedAsByPeer(by(0.08), by(0), 0.02));
  t.false(isRoundedAsByPeer(by(0.01), by(0), 0.02), 'nothing to excuse');
  t.false(isRoundedAsByPeer(by(0.08), by(0.03), 0.02));
  t.false(isRoundedAsByPeer(by(0.08), undefined, 0.02));
});
