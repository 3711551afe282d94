/** The live half against executors that only pretend: budgets, replay, memory, failures on the way, and what comes when. */
import test from 'ava';
import type {Job} from '../runtime/live/index.js';
import {policies, problemOf} from '../runtime/schedule/index.js';
import {random, replay, simulate} from '../runtime/simulate/index.js';
import {length, play, pretending, randomSetting, runnable, violationsOf} from './support/live-day.js';
import {randomCatalog, randomTrace} from './support/random-catalog.js';

test('live decisions are the simulated ones where executions take what is annotated', async t => {
  for (let seed = 1; seed <= 12; seed++) {
    const dice = random(seed, 5);
    const catalog = runnable(randomCatalog(dice));
    const [problem, setting, trace] = [problemOf(catalog), randomSetting(dice), randomTrace(dice, catalog, length)];
    const policy = (['dnnc', 'mcdnn', 'cloud-only', 'device-only'] as const)[seed % 4]!;
    const wanted: string[] = [];
    const simulated = simulate({
      ...{problem, setting, policy: policies[policy], trace},
      watch: ({kind, option}) => {
        const chosen = problem.kinds[kind]!.options[option];
        wanted.push(`${chosen?.variant ?? null} ${chosen?.place ?? null}`);
      },
    });
    const executor = pretending(() => ({}));
    const {served, summary} = await play({catalog, setting, policy, device: executor, remote: executor}, trace);
    t.deepEqual(
      served.map(({variant, place}) => `${variant} ${place}`),
      wanted,
      `seed ${seed}`,
    );
    t.deepEqual(summary.used, simulated.used);
    t.is(summary.accuracy, simulated.accuracy);
  }
});

test('budgets hold when requests overlap, servers fail and executions take up to twice what is annotated; every schedule is feasible and replays', async t => {
  let [served, retried] = [0, 0];
  for (let seed = 1; seed <= 24; seed++) {
    const dice = random(seed, 6);
    const catalog = runnable(randomCatalog(dice));
    const [problem, setting, trace] = [problemOf(catalog), randomSetting(dice), randomTrace(dice, catalog, length)];
    // Of each option: what is annotated wrongly is wrong by a factor.
    const factors = problem.kinds.flatMap(({options}) => options.map(() => 0.3 + 1.7 * dice.unit()));
    const took = ({option, claim}: Job) => {
      const bytes = Math.round(option.bytes * (0.5 + dice.unit()));
      if (option.linked && (dice.below(5) === 0 || !claim(bytes))) return new Error('gone');
      return {energy: option.energy * factors[option.at]!, ...(option.linked && {data: bytes})};
    };
    const executor = pretending(took);
    const {lines, summary, ...played} = await play(
      {catalog, setting, device: executor, remote: executor, overlap: 1 + dice.below(6)},
      trace,
    );
    t.false(
      lines.some(line => /"left":[^}]*:-/.test(line)),
      `seed ${seed}`,
    );
    t.false(summary.overspent, `seed ${seed}: ${JSON.stringify(summary.used)}`);
    const {limits} = setting;
    for (const budget of ['energy', 'money', 'data'] as const) t.true(summary.used[budget] <= limits[budget] * (1 + 1e-9));
    t.deepEqual(violationsOf(lines, catalog, setting), [], `seed ${seed}`);
    const again = replay({name: 'log', lines}, problem);
    t.deepEqual(again.used, summary.used);
    t.is(again.value, summary.value);
    served += summary.requests - summary.served.none;
    retried += played.served.filter(({failure}) => failure !== undefined).length;
  }
  t.true(served > 200 && retried > 10, `${served} ${retried}`);
});
