/** Which attempts at a task stay, and why: the front over accuracy and every cost. */
import {wilson} from '../statistics.js';
import type {Attempt} from './attempt.js';
import {frontOf, type Point} from './front.js';
import type {DecisiveCosts, Tried, TriedAccuracy} from './log.js';

/** In the order of the attempts, the first of which is `full`. `given`: networks that the user named, which stay. */
export function judge(task: string, attempts: readonly Attempt[], given: ReadonlySet<string>): readonly Tried[] {
  const full = attempts[0]!;
  const candidates = attempts.filter(({measured, dropped}) => measured !== null && dropped === null);
  const beaten = new Map(frontOf(candidates.map(pointOf)).map((by, i) => [candidates[i]!, by === null ? null : candidates[by]!]));
  return attempts.map((attempt): Tried => {
    const {recipe, from, measured, seconds} = attempt;
    const always = attempt === full ? 'the network as it is' : given.has(recipe) ? 'named by you' : null;
    const by = beaten.get(attempt);
    return {
      ...{task, recipe},
      ...(from !== null && {from}),
      kept: always !== null || by === null,
      reason: always ?? attempt.dropped ?? (by ? `${by.recipe} is as accurate and no dearer` : worthOf(attempt, full)),
      ...(measured && measured.right !== '' && {accuracy: accuracyOf(attempt, measured.right)}),
      ...(measured && {costs: measured.costs}),
      seconds: Number(seconds.toFixed(2)),
    };
  });
}

const pointOf = ({measured}: Attempt): Point => {
  const {right, costs} = measured!;
  const {cycles, loadBytes, arenaBytes, macs, ownMacs = macs, energy = {}} = costs;
  return {accuracy: count(right) / right.length, costs: {...energy, cycles, loadBytes, arenaBytes, ownMacs}};
};

const count = (right: string): number => right.split('1').length - 1;

const accuracyOf = ({loss, error}: Attempt, right: string): TriedAccuracy => ({
  n: right.length,
  value: Number(((100 * count(right)) / right.length).toFixed(2)),
  interval: wilson(count(right), right.length),
  loss: Number(loss.toFixed(2)),
  error: Number(error.toFixed(2)),
});

/** What a variant on the front is cheaper in than the network as it is. */
function worthOf({measured, loss}: Attempt, full: Attempt): string {
  const [was, is] = [full.measured!.costs, measured!.costs];
  const ratio = (cost: keyof DecisiveCosts): number => was[cost] / is[cost];
  const own = is.ownMacs;
  const saved = [
    ...gain(ratio('cycles'), 'fewer cycles'),
    ...gain(ratio('loadBytes'), 'smaller'),
    ...gain(ratio('arenaBytes'), 'less memory'),
    ...Object.entries(is.energy ?? {}).flatMap(([profile, joules]) =>
      gain((was.energy?.[profile] ?? 0) / joules, `less energy (${profile})`),
    ),
    ...(own === undefined ? gain(ratio('macs'), 'fewer MACs') : gain(was.macs / own, 'fewer MACs of its own')),
  ];
  const points = `${Math.abs(loss).toFixed(2)} points ${loss > 0 ? 'lost' : 'gained'}`;
  return [...saved, points].join(', ');
}

const gain = (ratio: number, what: string): readonly string[] => (ratio >= 1.05 ? [`${ratio.toPrecision(3)}x ${what}`] : []);
