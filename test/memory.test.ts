/** Memory of an entry: what is read was written there and not overwritten since; the arena is hardly larger than it must be. */
import test from 'ava';
import {lower} from '../compiler/lower/lower.js';
import {exact} from '../compiler/pipeline.js';
import {alignment, type Entry, type Plan, type Root, readsOf, type Step, type View, writesOf} from '../ir/plan.js';
import {arg} from '../ir/scalar/expression.js';
import {runPasses} from '../passes/framework/manager.js';
import {planMemory} from '../passes/plan-memory/index.js';
import {randomModule} from './support/random-module.js';
import {type Random, randomOf} from './support/tensors.js';

/** Plays an entry on a map of the arena that knows for every 64 bytes which root wrote them last. Gives the first wrong read. */
function wrongRead(entry: Entry, offsets: readonly (number | null)[]): string | null {
  const owners: number[] = [];
  const cells = (root: number): readonly number[] => {
    const info = entry.roots[root]!;
    if (info.kind !== 'arena') return [];
    const start = offsets[root]! / alignment;
    return Array.from({length: Math.ceil(info.bytes / alignment)}, (_, i) => start + i);
  };
  for (const [at, {work, mayTake}] of entry.steps.entries()) {
    for (const {root} of readsOf(work))
      for (const cell of cells(root))
        if (owners[cell] !== root) return `step ${at} reads ${root}, but ${owners[cell]} is at ${cell}`;
    // A border may be zeroed while the operand still lies there: the zeros are the same.
    if (work.kind === 'border') continue;
    for (const written of writesOf(work)) {
      const own = new Set(cells(written));
      for (const {root} of readsOf(work)) {
        if (root === written || !cells(root).some(cell => own.has(cell))) continue;
        if (offsets[root] !== offsets[written] || !mayTake.includes(root))
          return `step ${at} writes ${written} over its operand ${root}`;
      }
      for (const cell of own) owners[cell] = written;
    }
  }
  return null;
}

const viewOf = (root: number, bytes: number): View => ({root, dtype: 'f32', offset: 0, shape: [bytes / 4], strides: [1]});

/** Steps that write one buffer each from up to three others, some of which may be taken over. */
function randomEntry(random: Random): Entry {
  const sizes = [4, 60, 64, 68, 256, 1000, 4096].slice(0, 2 + random.below(6));
  const count = 3 + random.below(20);
  const roots: Root[] = [{kind: 'input', name: 'x', type: {dtype: 'f32', shape: [1]}}];
  const bytes: number[] = [4];
  const steps: Step[] = [];
  for (let i = 0; i < count; i++) {
    const again = i > 0 && random.chance(0.15);
    const size = random.pick(sizes);
    const root = again ? roots.length - 1 : roots.push({kind: 'arena', name: `b${i}`, bytes: size}) - 1;
    if (!again) bytes.push(size);
    const written = Array.from({length: again ? root - 1 : root}, (_, at) => at);
    const near = written.slice(-4);
    const reads = Array.from({length: Math.min(near.length, random.below(4))}, () =>
      random.pick(random.chance(0.7) ? near : written),
    );
    const mayTake = reads.filter(read => bytes[read] === bytes[root] && roots[read]!.kind === 'arena' && random.chance(0.7));
    steps.push({
      work: {
        kind: 'loop',
        domain: [1],
        expression: arg(0),
        reads: reads.map(read => viewOf(read, bytes[read]!)),
        write: viewOf(root, bytes[root]!),
      },
      text: '',
      value: '',
      loc: {kind: 'pass', pass: 'test', from: []},
      macs: 0,
      mayTake,
    });
  }
  return {name: 't', roots, inputs: [0], outputs: [], steps};
}

const planOf = (...entries: readonly Entry[]): Plan => planMemory({name: 'p', entries, segments: [], memory: null});

test('no buffer that is still read is overwritten, in random plans', t => {
  let shared = 0;
  for (let seed = 0; seed < 3000; seed++) {
    const entry = randomEntry(randomOf(seed));
    const {memory} = planOf(entry);
    const offsets = memory!.offsets[0]!;
    t.is(wrongRead(entry, offsets), null, `seed ${seed}`);
    entry.roots.forEach((root, i) => {
      if (root.kind !== 'arena') t.is(offsets[i], null);
      else {
        const at = offsets[i];
        t.true(at != null && at % alignment === 0 && at + root.bytes <= memory!.bytes, `seed ${seed}, ${root.name} at ${at}`);
      }
    });
    t.true(memory!.bytes >= memory!.lowerBound);
    for (const {work, mayTake} of entry.steps) if (mayTake.some(root => offsets[root] === offsets[writesOf(work)[0]!])) shared++;
  }
  t.true(shared > 1000, `${shared} results took over an operand`);
});

/** A chain a -> b -> c ... of buffers of these sizes. */
function chain(sizes: readonly number[], taking: boolean, extraReads: ReadonlyMap<number, number> = new Map()): Entry {
  const roots: Root[] = sizes.map((bytes, i) => ({kind: 'arena', name: `b${i}`, bytes}));
  const steps = sizes.map((bytes, i): Step => {
    const reads = [i - 1, extraReads.get(i) ?? -1].filter(read => read >= 0);
    return {
      work: {
        kind: 'loop',
        domain: [1],
        expression: arg(0),
        reads: reads.map(read => viewOf(read, sizes[read]!)),
        write: viewOf(i, bytes),
      },
      text: '',
      value: '',
      loc: {kind: 'pass', pass: 'test', from: []},
      macs: 0,
      mayTake: taking ? reads : [],
    };
  });
  return {name: 't', roots, inputs: [], outputs: [], steps};
}

test('a result takes over the operand that dies there, and only then', t => {
  const bytes = (entry: Entry) => planOf(entry).memory!.bytes;
  t.is(bytes(chain([256, 256, 256], true)), 256, 'one buffer for a chain in place');
  t.is(bytes(chain([256, 256, 256], false)), 512, 'two where nothing may be taken over');
  t.is(bytes(chain([256, 128, 256], true)), 384, 'nothing of another size is taken over: 256 + 128');
  t.is(bytes(chain([256, 256, 256], true, new Map([[2, 0]]))), 512, 'an operand that is read later stays');
  t.is(
    bytes(chain([256, 256, 256], true, new Map([[1, 0]]))),
    512,
    'an operand that is read twice by the step is not taken over',
  );
  t.is(bytes(chain([1, 1, 1, 1], false)), 128, 'buffers begin at multiples of 64 bytes');
});

test('buffers that nobody touches take no memory, and an empty plan needs none', t => {
  const entry = chain([64], false);
  t.is(planOf({...entry, roots: [...entry.roots, {kind: 'arena', name: 'idle', bytes: 1 << 20}]}).memory!.bytes, 64);
  t.is(planOf().memory!.bytes, 0);
  t.is(planOf({...entry, steps: []}).memory!.bytes, 0);
});

test('the arena is that of the largest entry', t => {
  const {memory} = planOf(chain([64, 64], false), chain([4096, 64], false));
  t.deepEqual(memory!.entryBytes, [
    {bytes: 128, lowerBound: 128},
    {bytes: 4160, lowerBound: 4160},
  ]);
  t.is(memory!.bytes, 4160);
  t.is(memory!.lowerBound, 4160);
});

test('of random modules, arenas are right and within 5 % of what is alive at once', t => {
  let [bytes, bound] = [0, 0];
  const wide: string[] = [];
  for (let seed = 20_000; seed < 20_200; seed++) {
    const plan = planMemory(lower(runPasses(randomModule(seed), exact)));
    plan.entries.forEach((entry, i) => {
      t.is(wrongRead(entry, plan.memory!.offsets[i]!), null, `seed ${seed}`);
      const own = plan.memory!.entryBytes[i]!;
      if (own.bytes > 1.05 * own.lowerBound) wide.push(`seed ${seed}: ${own.bytes} of ${own.lowerBound}`);
      bytes += own.bytes;
      bound += own.lowerBound;
    });
  }
  t.log(`${bytes} bytes of at least ${bound}`);
  t.true(bytes <= 1.01 * bound, `${bytes} of ${bound}`);
  t.deepEqual(wide, []);
});
