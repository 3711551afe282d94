/** Which variants of a build answer some questions about one picture at the least cost, each for itself or together. */
import type {Session, Variant} from 'dnnc/runtime';

/** What a build can run. */
type Compiled = Pick<Session, 'manifest' | 'target'>;

/** Multiply-accumulates, or milliseconds as the build measured them. */
export type Cost = 'operations' | 'time';

export type Wish = {
  readonly by: Cost;
  /** What several questions have in common is computed once. */
  readonly shared: boolean;
  /** Cascades may be chosen. */
  readonly specialized: boolean;
  /** Points of accuracy that a variant may have lost against the first one of its task. */
  readonly loss: number;
};

/** A part of the work: what it costs, and how many of the requests need it, from 0 to 1. */
type Piece = {readonly cost: number; readonly chance: number};
type Choice = {readonly variant: Variant; readonly pieces: ReadonlyMap<string, Piece>};

/** What each segment of a variant costs, and what is beside them, or the whole where it has none. */
export function piecesOf(
  {manifest, target}: Compiled,
  {id, path, macs, latency}: Variant,
  by: Cost,
): readonly (readonly [string, number])[] {
  const segments = path.flatMap(name => manifest.segments.find(segment => segment.id === name) ?? []);
  const costOf = (part: {readonly macs: number; readonly latency?: Variant['latency']}): number =>
    by === 'operations' ? part.macs : (part.latency?.[target]?.p50 ?? Number.POSITIVE_INFINITY);
  if (segments.length === 0) return [[id, costOf({macs, ...(latency && {latency})})]];
  const rest = by === 'operations' ? macs - segments.reduce((sum, segment) => sum + segment.macs, 0) : 0;
  return [...segments.map(segment => [segment.id, costOf(segment)] as const), [`${id} head`, rest]];
}

/** A cascade needs all of its first variant, and of its last one what the first leaves to it. */
function choiceOf(session: Compiled, variant: Variant, by: Cost): Choice {
  const {cascade} = variant;
  const find = (id: string): Variant => session.manifest.variants.find(each => each.id === id)!;
  const all = (of: Variant, chance: number) =>
    piecesOf(session, of, by).map(([name, cost]): readonly [string, Piece] => [name, {cost, chance}]);
  if (!cascade) return {variant, pieces: new Map(all(variant, 1))};
  const alone = cascade.estimates.find(({share}) => share === cascade.share)?.alone ?? 0;
  return {variant, pieces: new Map([...all(find(cascade.last), 1 - alone), ...all(find(cascade.first), 1)])};
}

/** Of a picture, on average: questions count as independent of each other. */
function costOf(choices: readonly Choice[], shared: boolean): number {
  const never = new Map<string, number>();
  let sum = 0;
  for (const [i, {pieces}] of choices.entries())
    for (const [name, {cost, chance}] of pieces) {
      const key = shared ? name : `${i} ${name}`;
      const before = never.get(key) ?? 1;
      never.set(key, before * (1 - chance));
      sum += cost * before * chance;
    }
  return sum;
}

/** A variant for each question, over all combinations. */
export function cheapest(session: Compiled, questions: readonly string[], wish: Wish): readonly Variant[] {
  const all = questions.map(task => session.manifest.variants.filter(variant => variant.task === task));
  const eligible = all.map(own => {
    const least = (own[0]!.quality?.value ?? 100) - wish.loss;
    const holds = ({cascade, quality}: Variant): boolean =>
      cascade ? wish.specialized : quality !== undefined && quality.value >= least;
    return own.filter((variant, i) => i === 0 || holds(variant)).map(variant => choiceOf(session, variant, wish.by));
  });
  let [best, least]: [readonly Choice[], number] = [eligible.map(own => own[0]!), Number.POSITIVE_INFINITY];
  const combine = (chosen: readonly Choice[]): void => {
    if (chosen.length < eligible.length) {
      for (const each of eligible[chosen.length]!) combine([...chosen, each]);
      return;
    }
    const cost = costOf(chosen, wish.shared);
    if (cost < least) [best, least] = [chosen, cost];
  };
  combine([]);
  return best.map(({variant}) => variant);
}
