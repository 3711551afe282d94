/** The shrinker finds the smallest module that still fails, here for failures that are easy to state. */
import test from 'ava';
import {verify} from '../ir/invariants.js';
import {parse} from '../ir/parse.js';
import type {Module} from '../ir/types.js';
import {initially} from '../passes/framework/manager.js';
import {printConstantsWhole} from './support/fixture.js';
import {randomModule} from './support/random-module.js';
import {shrink} from './support/shrink.js';

const opsOf = ({graph}: Module): readonly string[] => graph.nodes.map(({op}) => op);
const shrunk = (module: Module, fails: (module: Module) => boolean): Promise<Module> =>
  shrink(
    module,
    async candidate => {
      verify(candidate, initially);
      return fails(candidate);
    },
    2000,
  );

test('one op is to blame: it alone is left, with one head', async t => {
  let tried = 0;
  for (let seed = 0; seed < 60; seed++) {
    const module = randomModule(seed);
    const culprit = module.graph.nodes.find(({op}) => op === 'conv2d' || op === 'concat')?.op;
    if (culprit === undefined) continue;
    tried++;
    const smallest = await shrunk(module, candidate => opsOf(candidate).includes(culprit));
    t.deepEqual(opsOf(smallest), [culprit], `seed ${seed}`);
    t.is(smallest.heads.length, 1);
    t.is(smallest.heads[0]!.outputs.length, 1);
    t.deepEqual(opsOf(parse(printConstantsWhole(smallest))), [culprit], 'the text stands for itself');
  }
  t.true(tried > 20);
});

test('two ops in a row are to blame: both are left', async t => {
  const module = parse(`dnnc-ir 1 module @m {
    input %x : f32[2,3]
    %a = exp(%x) : f32[2,3]
    %b = tanh(%a) : f32[2,3]
    %c = relu(%b) : f32[2,3]
    %d = sigmoid(%c) : f32[2,3]
    head @one = %d
    head @two = %a, %c
  }`);
  const fails = ({graph}: Module): boolean =>
    graph.nodes.some(
      node => node.op === 'relu' && graph.nodes.some(({op, outputs}) => op === 'tanh' && node.inputs[0] === outputs[0].id),
    );
  t.deepEqual(opsOf(await shrunk(module, fails)), ['tanh', 'relu']);
});

test('a candidate that breaks the predicate by throwing is not taken', async t => {
  const module = randomModule(3);
  t.is(
    await shrink(module, async () => {
      throw new Error('of another kind');
    }),
    module,
  );
});
