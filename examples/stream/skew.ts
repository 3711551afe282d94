/**
 * `npm run stream:skew`: three questions about a stream that mostly shows a few kinds of signs. What computing the common trunk once
 * saves, what specialization saves, and both, by the general networks and by the cheapest variants that the build has: right answers,
 * CPU time, and energy as the stream's profile models it.
 */
import {Command} from 'commander';
import {type Frequencies, frequenciesIn, load, type Session, type Variant} from 'dnnc/runtime';
import {nameOf, type Task, tasks} from '../signs/tasks.js';
import {type Cost, cheapest, piecesOf} from './choices.js';
import {context, drawn, type Frame, share} from './frames.js';
import {buildOnce} from './network.js';

const flags = new Command('skew')
  .description('sharing and specialization on a skewed stream')
  .option('--frames <N>', 'how many pictures', Number, 1000)
  .option(
    '--build <DIR>',
    'a build of the example, such as one with --catalog (default: dnnc-out/stream, built if it is not there)',
  )
  .option('--loss <POINTS>', 'that a cheaper variant may have lost', Number, 1)
  .option('--json', 'print one document')
  .parse()
  .opts<{readonly frames: number; readonly build?: string; readonly loss: number; readonly json?: boolean}>();

/** Joules per 10^9 multiply-accumulates, as in the stream's profile. */
const joulesPerGmac = 1.5;
/** The other stream, so that these pictures are new. */
const seed = 42;
/** Pictures that each way answers before the next one does, so that all have the same machine. */
const turn = 20;

const questions = Object.keys(context) as readonly (keyof typeof context)[];

type Way = {
  readonly name: string;
  readonly shared: boolean;
  /** The general networks, their cascades, or what costs least: of all that lost little, and the cascades where specialized. */
  readonly uses: 'general' | 'cascade' | Cost;
  /** Cascades, and answers corrected by how often each class is asked for. */
  readonly specialized: boolean;
};

const cheap = (uses: Cost): readonly Way[] =>
  [false, true].flatMap(specialized =>
    [false, true].map((shared): Way => {
      const how = specialized ? (shared ? 'both' : 'specialized') : shared ? 'shared' : 'each for itself';
      return {name: `${uses === 'time' ? 'least time' : 'fewest operations'}, ${how}`, shared, uses, specialized};
    }),
  );

const ways: readonly Way[] = [
  {name: 'each for itself', shared: false, uses: 'general', specialized: false},
  {name: 'shared trunk', shared: true, uses: 'general', specialized: false},
  {name: 'specialized', shared: false, uses: 'cascade', specialized: true},
  {name: 'both', shared: true, uses: 'cascade', specialized: true},
  {name: 'shared trunk, with the prior', shared: true, uses: 'general', specialized: true},
  ...cheap('operations'),
  ...cheap('time'),
];

type Sum = {right: number; microseconds: number; macs: number};

function priorOf(task: keyof typeof context): Frequencies {
  const all: readonly string[] = tasks[task];
  return frequenciesIn(
    context[task].map(name => all.indexOf(name)),
    share,
    all.length,
  );
}

/** The variant of each question. */
function chosenBy(session: Session, {uses, shared, specialized}: Way): readonly Variant[] {
  if (uses === 'operations' || uses === 'time')
    return cheapest(session, questions, {by: uses, shared, specialized, loss: flags.loss});
  const all = questions.map(task => session.manifest.variants.filter(variant => variant.task === task));
  return all.map(own => (uses === 'cascade' && own.find(({cascade}) => cascade)) || own[0]!);
}

/** The variant of a question, and multiply-accumulates of the segments that an answer by `answeredBy` ran. */
function plan(session: Session, task: Task, chosen: Variant) {
  const own = session.manifest.variants.filter(variant => variant.task === task);
  const work = (answeredBy: string): ReadonlyMap<string, number> => {
    const ran = new Map<string, number>();
    const variants = chosen.cascade && answeredBy !== chosen.cascade.first ? [chosen.cascade.first, answeredBy] : [answeredBy];
    for (const id of variants) {
      const variant = own.find(each => each.id === id)!;
      for (const [piece, macs] of piecesOf(session, variant, 'operations')) ran.set(piece, macs);
    }
    return ran;
  };
  // A cascade has the prior of its context in it.
  const prior = chosen.cascade ? undefined : priorOf(task as keyof typeof context);
  return {task, variant: chosen.id, work, ...(prior && {prior})};
}

/** A picture as the networks take it: preparing it is not what is compared. */
type Ready = {readonly pixels: Float32Array; readonly labels: Frame['labels']};

const ready = ({image, labels}: Frame): Ready => ({
  pixels: Float32Array.from(channelsFirst(image.data), byte => byte / 127.5 - 1),
  labels,
});

function channelsFirst(data: ArrayLike<number>): Uint8Array {
  const count = data.length / 3;
  return Uint8Array.from({length: data.length}, (_, i) => data[3 * (i % count) + Math.floor(i / count)]!);
}

type Plan = ReturnType<typeof plan>;

/** All questions about one picture, on the thread pool; what ran. */
async function ask(session: Session, {shared, specialized}: Way, plans: readonly Plan[], {pixels, labels}: Ready, sum: Sum) {
  const frame = session.frame(pixels);
  const ran = new Map<string, number>();
  for (const [i, {task, variant, work, prior}] of plans.entries()) {
    const {label, answeredBy} = await (shared ? frame : session.frame(pixels)).run(task, {
      variant,
      ...(specialized && prior && {prior}),
    });
    if (labels && label === nameOf(task, labels[task])) sum.right++;
    // Segments by id: once each where they are shared, once per question where not.
    for (const [id, macs] of work(answeredBy ?? variant)) ran.set(shared ? id : `${i} ${id}`, macs);
  }
  for (const macs of ran.values()) sum.macs += macs;
}

type Planned = {readonly way: Way; readonly plans: readonly Plan[]};

/** A build with few variants has the same ones in several ways. */
const isSame = (a: Planned, b: Planned): boolean =>
  a.way.shared === b.way.shared &&
  a.way.specialized === b.way.specialized &&
  a.plans.every(({variant}, i) => variant === b.plans[i]!.variant);

async function run(): Promise<void> {
  const session = load(flags.build ?? buildOnce());
  const all = ways
    .map(way => ({
      way,
      sum: {right: 0, microseconds: 0, macs: 0},
      plans: chosenBy(session, way).map((variant, i) => plan(session, questions[i]!, variant)),
    }))
    .filter(({way, plans}, i, every) => !every.slice(0, i).some(before => isSame(before, {way, plans})));
  const frames = drawn(seed);
  for (const each of all)
    await ask(session, each.way, each.plans, ready(drawn(seed).next().value), {right: 0, microseconds: 0, macs: 0});
  for (let done = 0; done < flags.frames; done += turn) {
    const some = Array.from({length: Math.min(turn, flags.frames - done)}, () => ready(frames.next().value));
    for (const {way, sum, plans} of all) {
      const started = process.cpuUsage();
      for (const frame of some) await ask(session, way, plans, frame, sum);
      const {user, system} = process.cpuUsage(started);
      sum.microseconds += user + system;
    }
  }
  const rows = all.map(({way, sum, plans}) => ({
    way: way.name,
    variants: plans.map(({variant}) => variant),
    accuracy: (100 * sum.right) / (flags.frames * questions.length),
    cpuMicroseconds: sum.microseconds / flags.frames,
    megamacs: sum.macs / flags.frames / 1e6,
    millijoules: ((sum.macs / flags.frames) * joulesPerGmac) / 1e6,
  }));
  if (flags.json) process.stdout.write(`${JSON.stringify({frames: flags.frames, questions, share, rows}, null, 2)}\n`);
  else tell(rows);
}

type Row = {
  readonly way: string;
  readonly variants: readonly string[];
  readonly accuracy: number;
  readonly cpuMicroseconds: number;
  readonly megamacs: number;
  readonly millijoules: number;
};

function tell(rows: readonly Row[]): void {
  const say = (line: string): void => void process.stdout.write(`${line}\n`);
  say(
    `${flags.frames} pictures, ${questions.join(', ')}; ${100 * share}% of each show ${questions.map(task => context[task].join(' or ')).join('; ')}\n`,
  );
  say('way                                 right  CPU time       MACs  energy (modelled), and variants');
  for (const {way, variants, accuracy, cpuMicroseconds, megamacs, millijoules} of rows)
    say(
      `${way.padEnd(34)} ${accuracy.toFixed(2)}%  ${cpuMicroseconds.toFixed(0).padStart(5)} us  ${megamacs.toFixed(2).padStart(7)} M  ${millijoules.toFixed(2).padStart(5)} mJ  ${variants.join(', ')}`,
    );
}

await run();
