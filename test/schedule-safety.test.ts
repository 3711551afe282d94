/** Whatever the catalog and the day: no budget goes below zero, every schedule is feasible, and the same day comes out again. */
import test from 'ava';
import {DnncRuntimeError} from '../runtime/index.js';
import {type Catalog, policies, problemOf, readCatalog, type Setting} from '../runtime/schedule/index.js';
import {
  decisionLine,
  feasibilityChecker,
  type Random,
  random,
  simulate,
  traceLine,
  traceReader,
} from '../runtime/simulate/index.js';
import {randomCatalog, randomTrace} from './support/random-catalog.js';

const none = Number.POSITIVE_INFINITY;
const length = 2000;

function randomSetting(dice: Random): Setting {
  const some = (most: number): number => (dice.below(4) === 0 ? none : most * dice.unit());
  return {
    limits: {energy: dice.below(8) === 0 ? 0 : 600 * dice.unit(), money: some(300), data: some(20_000), memory: some(150)},
    ...{day: length * (0.3 + 2 * dice.unit()), idle: dice.below(3) === 0 ? 0.05 * dice.unit() : 0},
    ...{dayDoubt: 1 + dice.below(2), energyDoubt: dice.below(2) / 20},
  };
}

test('budgets are never exceeded, and every schedule is feasible', t => {
  let served = 0;
  for (let seed = 1; seed <= 40; seed++) {
    const dice = random(seed, 79);
    const catalog = randomCatalog(dice);
    const problem = problemOf(catalog);
    const setting = randomSetting(dice);
    const trace = randomTrace(dice, catalog, length);
    for (const policy of Object.values(policies)) {
      const checker = feasibilityChecker(problem, setting);
      const {overspent, used, ...summary} = simulate({
        ...{problem, setting, policy, trace},
        watch: decision => {
          checker.see(decision);
          const {energy, money, data} = decision.state.left;
          if (!(energy >= 0 && money >= 0 && data >= 0)) t.fail(`seed ${seed}, ${policy.name}: below zero`);
        },
      });
      t.deepEqual(checker.violations, [], `seed ${seed}, ${policy.name}`);
      t.false(overspent, `seed ${seed}, ${policy.name}: ${JSON.stringify(used)}`);
      served += summary.requests - summary.served.none;
    }
  }
  t.true(served > 10_000, `${served}`);
});

test('energies that are up to twice the annotated ones do not overdraw dnnc', t => {
  for (let seed = 1; seed <= 20; seed++) {
    const dice = random(seed, 80);
    const catalog = randomCatalog(dice);
    const problem = problemOf(catalog);
    const setting = randomSetting(dice);
    const truth = problem.kinds.map(({options}) => options.map(() => 0.3 + 1.7 * dice.unit()));
    const checker = feasibilityChecker(problem, setting, truth);
    const trace = randomTrace(dice, catalog, length);
    const {overspent} = simulate({problem, setting, policy: policies.dnnc, trace, truth, watch: checker.see});
    t.false(overspent, `seed ${seed}`);
    t.deepEqual(checker.violations, [], `seed ${seed}`);
  }
});

test('the checker sees what is wrong', t => {
  const problem = problemOf(
    readCatalog({
      ...{schema: 1, name: 'one', segments: [{id: 's', bytes: 10, loadEnergy: 1}]},
      requests: [
        {
          ...{name: 'r', tasks: [{name: 'r'}], rate: 1},
          variants: [
            {
              id: 'v',
              accuracy: [50],
              device: {energy: 2, latency: 1, segments: ['s']},
              cloud: {money: 1, latency: 1, bytes: 5, energy: 1},
            },
          ],
        },
      ],
    }),
  );
  const greedy = {choose: () => 0, explain: () => ({reason: ''})};
  const events = [{time: 0, kind: -1, up: false}, ...[1, 2, 3].map(time => ({time, kind: 0, up: false}))];
  const broken = (limits: Setting['limits'], option: number): readonly string[] => {
    const setting = {limits, day: 10, idle: 0};
    const checker = feasibilityChecker(problem, setting);
    const policy = {name: 'mcdnn', begin: () => ({...greedy, choose: () => option})} as const;
    const {overspent} = simulate({problem, setting, policy, trace: events, watch: checker.see});
    return [...checker.violations.map(text => text.split(':')[0]!), ...(overspent ? ['overspent'] : [])];
  };
  t.deepEqual(broken({energy: 7, money: 1, data: 10, memory: 10}, 0), []);
  t.deepEqual(broken({energy: 6, money: 1, data: 10, memory: 10}, 0), ['E2', 'overspent']);
  t.deepEqual(broken({energy: 9, money: 1, data: 10, memory: 9}, 0), ['E4', 'E4', 'E4']);
  t.deepEqual(broken({energy: 9, money: 2, data: 20, memory: 9}, 1), ['E6', 'E6', 'E6', 'E3', 'overspent']);
});

test('the same day again is the same to the last bit', t => {
  for (const seed of [1, 2, 3]) {
    const run = (): readonly string[] => {
      const dice = random(seed, 81);
      const catalog = randomCatalog(dice);
      const problem = problemOf(catalog);
      const lines: string[] = [];
      simulate({
        ...{problem, setting: randomSetting(dice), policy: policies.dnnc, trace: randomTrace(dice, catalog, length)},
        watch: (decision, explain) => void lines.push(decisionLine(problem, decision, explain)),
      });
      return lines;
    };
    t.deepEqual(run(), run());
  }
});

const names = ['face', 'scene'];

test('traces are read as they were written, and anything else is refused with its line', t => {
  const events = [
    {time: 0.5, kind: 0, up: false, label: 3},
    {time: 0.5, kind: -1, up: false},
    {time: 7, kind: 1, up: false},
  ];
  const read = traceReader('day.jsonl', names);
  t.deepEqual(
    events.map(event => read(traceLine(event, names))),
    events,
  );
  t.is(read('  '), undefined);
  const refused = (lines: readonly string[], says: RegExp): void => {
    const reader = traceReader('day.jsonl', names);
    const error = t.throws(() => lines.map(reader), {instanceOf: DnncRuntimeError});
    t.regex(error?.message ?? '', says);
  };
  refused(['{"t": 1, "request": "face"}', '{"t": 0, "request": "face"}'], /day\.jsonl:2.*less than 1/);
  refused(['{"t": 1, "request": "fase"}'], /:1.*"fase".*face, scene/);
  refused(['{"t": -1, "link": true}'], /seconds from 0/);
  refused(['{"t": 1, "link": 1}'], /neither true nor false/);
  refused(['{"t": 1, "link": true, "request": "face"}'], /both/);
  refused(['{"t": 1, "request": "face", "clas": 2}'], /"clas"/);
  refused(['[1]'], /not a JSON object/);
});

test('whatever the line, the reader gives an event or a DnncRuntimeError', t => {
  const dice = random(82);
  const good = ['{"t": 1.5, "request": "face", "class": 7}', '{"t": 2, "link": false}', '{"t":1e3,"request":"scene"}'];
  const alphabet = '{}[]",:.0123456789eE+-truefalsn\\u \t\0é\u{1F600}';
  for (let i = 0; i < 20_000; i++) {
    let line = good[dice.below(good.length)]!;
    for (let change = dice.below(4); change >= 0; change--) {
      const at = dice.below(line.length + 1);
      line =
        line.slice(0, at) + (dice.below(3) > 0 ? alphabet[dice.below(alphabet.length)]! : '') + line.slice(at + dice.below(3));
    }
    try {
      const event = traceReader('fuzz', names)(line);
      if (event) t.true(event.time >= 0 && event.kind >= -1 && event.kind < names.length, line);
    } catch (error) {
      if (!(error instanceof DnncRuntimeError) || error.code !== 'trace.invalid') t.fail(`${line}: ${String(error)}`);
    }
  }
  t.pass();
});

test('a catalog that is wrong is refused with the place', t => {
  const good = JSON.parse(JSON.stringify(randomCatalog(random(3)))) as Catalog;
  const refused = (change: object, says: RegExp): void => {
    const error = t.throws(() => readCatalog({...good, ...change}), {
      instanceOf: DnncRuntimeError,
      code: 'catalog.invalid',
    } as object);
    t.regex(error?.message ?? '', says);
  };
  refused({schema: 2}, /schema.*must be 1/);
  refused({requests: []}, /requests.*at least 1/);
  refused({extra: 1}, /extra/);
  const [request] = good.requests;
  refused({requests: [request, request]}, /there twice/);
  refused({requests: [{...request, variants: [{id: 'v', accuracy: [1, 2, 3, 4]}]}]}, /one for each task/);
  refused(
    {
      segments: [],
      requests: [
        {
          ...request,
          variants: [{id: 'v', accuracy: request!.tasks.map(() => 1), device: {energy: 1, latency: 1, segments: ['no']}}],
        },
      ],
    },
    /"no" is no segment/,
  );
});
