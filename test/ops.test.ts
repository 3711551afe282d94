/**
 * Every op of the registry on its cases: the type rule agrees with the evaluation, the rules hold, the text form reads back,
 * and the C of every target that this processor runs computes what the reference evaluator says.
 */
import test from 'ava';
import {verify} from '../ir/invariants.js';
import type {Call, OpDef} from '../ir/op.js';
import type {OpCase} from '../ir/ops/common/cases.js';
import {convolutionDefaults} from '../ir/ops/common/convolution.js';
import {conv2dU8} from '../ir/ops/conv2d_u8/index.js';
import {ops} from '../ir/ops/index.js';
import {print, printType} from '../ir/print.js';
import {initially} from '../passes/framework/manager.js';
import {buildAll, everyTargetHere, targetsHere} from './support/cc.js';
import {attrsOf, byType, casesOfElementwise, casesOfFolders, isElementwise} from './support/op-cases.js';
import {moduleOf, tensorFor} from './support/op-module.js';
import {printedAgain, programDifferences, referenceOf} from './support/reference.js';

const fromFolders = await casesOfFolders();
const casesOf = (op: OpDef): readonly OpCase[] => fromFolders.get(op.name) ?? (isElementwise(op) ? casesOfElementwise(op) : []);

test('every op has cases, and every folder of cases an op', t => {
  t.deepEqual(
    ops.filter(op => casesOf(op).length === 0).map(op => op.name),
    [],
  );
  const names = new Set(ops.map(op => op.name));
  t.deepEqual(
    [...fromFolders.keys()].filter(name => !names.has(name)),
    [],
  );
});

test('a kernel of bytes that a channel has for itself fits the room that portable code has for it', t => {
  const rule = conv2dU8.rules.find(({id}) => id === 'conv2d_u8.taps')!;
  const holds = (side: number, dtype: 'i8' | 'f32'): boolean =>
    rule.holds({
      attrs: {...convolutionDefaults, groups: 2, outside: 0},
      inputs: [
        {dtype: 'u8', shape: [1, 2, 9, 9]},
        {dtype, shape: [2, 1, side, side]},
      ],
    });
  t.true(holds(8, 'i8'));
  t.false(holds(9, 'i8'));
  t.true(holds(9, 'f32'));
});

for (const op of ops)
  test(`${op.name}: cases have distinct names, keep the rules, and evaluate to the type that is inferred`, t => {
    const cases = casesOf(op);
    t.is(new Set(cases.map(({name}) => name)).size, cases.length);
    for (const one of cases) {
      const call: Call = {attrs: attrsOf(op, one.attrs), inputs: one.inputs};
      for (const rule of op.rules) t.true(rule.holds(call), `${one.name}: ${rule.id}: ${rule.says}`);
      const operands = one.inputs.map((type, i) => type && tensorFor(op, i, type, i));
      const [meant, given] = [op.infer(call), op.evaluate(call, operands)];
      t.deepEqual(given.map(printType), meant.map(printType), one.name);
      for (const {shape, data} of given)
        t.is(
          data.length,
          shape.reduce((n, d) => n * d, 1),
          one.name,
        );
      t.true((op.macs?.(call) ?? 0) >= 0);
    }
    if (cases.length === 0) return;
    const {module} = moduleOf(op, cases);
    verify(module, initially);
    t.is(printedAgain(module), print(module));
  });

/** Of the largest magnitude: sums have another order in each kernel. */
const tolerance = 1e-5;

/** Kernels differ by target; generated loops are one text, so the plainest and the most special target stand for all. */
const groups = [
  {name: 'sums of products', list: ops.filter(op => op.macs && op.kernel && !isOfBytes(op)), targets: targetsHere},
  {name: 'sums of products of bytes', list: ops.filter(isOfBytes), targets: everyTargetHere},
  {name: 'other kernels', list: ops.filter(op => !op.macs && op.kernel), targets: ends(targetsHere)},
  {name: 'element-wise ops', list: ops.filter(isElementwise), targets: ends(targetsHere)},
  {name: 'views and copies', list: ops.filter(op => !op.kernel && !isElementwise(op)), targets: ends(targetsHere)},
];

function isOfBytes({name}: OpDef): boolean {
  return name.endsWith('_u8');
}

function ends<T>(list: readonly T[]): readonly T[] {
  return list.filter((_, i) => i === 0 || i === list.length - 1);
}

for (const {name, list, targets} of groups)
  test.serial(`${name}: the C of every target computes what the reference evaluator says`, async t => {
    t.timeout(900_000);
    const built = list.flatMap(op => {
      const cases = casesOf(op);
      const parts = isElementwise(op) ? byType(cases) : cases.map(one => [one]);
      return parts.map(part => ({op, ...moduleOf(op, part)}));
    });
    const programs = await buildAll(
      built.map(({module}) => module),
      {targets},
    );
    const wrong = built.flatMap(({op, module, inputs}, i) => {
      const program = programs[i]!;
      if (program instanceof Error) return [`${op.name} ${module.heads[0]!.name}: ${program.message}`];
      const found = programDifferences(program, targets, inputs, referenceOf(module, inputs), tolerance);
      return found.map(says => `${op.name}: ${says}`);
    });
    t.deepEqual(wrong, []);
  });
