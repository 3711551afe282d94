/** `dnnc bench`: latency, beside onnxruntime in the same run if asked; per layer with GFLOP/s. */
import type {Command} from 'commander';
import {preferences} from '../../codegen/kernels/ways.js';
import {fail} from '../../ir/diagnostics.js';
import {cpuModel} from '../host.js';
import {interleave, peerInputs, ratioOf} from '../interleave.js';
import {type LayerReport, timeLayers} from '../layer-times.js';
import type {Percentiles} from '../measure.js';
import {openPeer, type Peer} from '../onnxruntime.js';
import {isFolder, modelOf, type Opened, open} from '../open.js';
import {bytesText, countText, printJson, progress, say, table, timeText} from '../output.js';
import {randomInput} from '../random-inputs.js';
import {resolveTasks} from '../tasks.js';
import {type Together, timeTogether} from '../together.js';
import {type Tuning, tune, tuningFacts, tuningText} from '../tune.js';
import {type JsonFlag, type ModelFlags, positive, type TuneFlag, withJson, withModelOptions, withTune} from './options.js';

type Flags = ModelFlags &
  TuneFlag &
  JsonFlag & {
    readonly against?: string;
    readonly perLayer?: boolean;
    readonly threads: number;
    readonly seconds: number;
    readonly target?: string;
  };

export function defineBench(program: Command): void {
  const command = program
    .command('bench')
    .description('median, p10 and p90 of the latency')
    .argument('<DIR|model.onnx...>', 'what dnnc build wrote, or models')
    .option('--against <PEER>', 'onnxruntime: interleaved in the same run, with the ratio')
    .option('--per-layer', 'time of each step')
    .option('--threads <N>', 'threads of the peer; ours run on one', positive, 1)
    .option('--seconds <N>', 'how long to measure each variant', positive, 2)
    .option('--target <T>', 'which library to run (default: the best for this CPU)');
  withJson(withTune(withModelOptions(command))).action(bench);
}

type Result = {
  readonly task: string;
  readonly variant: string;
  readonly target: string;
  readonly threads: number;
  readonly ours: Percentiles;
  readonly onnxruntime?: Percentiles;
  readonly ratio?: number;
};

async function bench(paths: readonly string[], flags: Flags): Promise<void> {
  if (flags.against !== undefined && flags.against !== 'onnxruntime')
    fail('usage', 'bench.against', flags.against, 'is not a known peer', '--against onnxruntime');
  if (flags.perLayer && flags.target === 'wasm32')
    fail('usage', 'bench.layers', flags.target, 'steps are timed in native code alone', 'leave out --per-layer, or the target');
  const show = progress();
  try {
    const tuning = flags.tune ? await tuned(paths, flags, show) : null;
    const opened = await open(paths, {...flags, ...(tuning && {chooser: tuning.chooser}), progress: show});
    const results: Result[] = [];
    for (const variant of opened.manifest.variants) {
      const {id, task} = variant;
      show(`${id}: measuring`);
      const model = modelOf(opened.tasks.find(({name}) => name === task)!, variant);
      const peer = flags.against === undefined || model === null ? null : await openPeer(model, {threads: flags.threads});
      results.push(await measure(opened, task, id, peer, flags));
    }
    const report = flags.perLayer
      ? await timeLayers(opened, tuning?.chooser ?? preferences[flags.prefer], flags.target ?? 'native', show)
      : null;
    show('measuring tasks together');
    const together = timeTogether(opened.session, flags.seconds);
    show.done();
    if (flags.json) printJson({host: cpuModel(), results, together, ...report, ...(tuning && {tuning: tuningFacts(tuning)})});
    else tell(results, together, report, tuning);
  } finally {
    show.done();
  }
}

/** A folder's kernels are chosen already. */
function tuned(paths: readonly string[], flags: Flags, show: (doing: string) => void): Promise<Tuning> {
  const folder = paths.find(isFolder);
  if (folder !== undefined) fail('usage', 'bench.tune', folder, 'is built already', 'name models, or use dnnc build --tune');
  const {tasks} = resolveTasks({models: paths, tasks: flags.task, config: flags.config});
  return tune(tasks, {prefer: flags.prefer, bind: flags.bind, progress: show});
}

async function measure(opened: Opened, task: string, variant: string, peer: Peer | null, flags: Flags): Promise<Result> {
  const entry = opened.session.entry(task, variant);
  const declared = entry.task.inputs;
  const inputs = declared.map((input, i) => randomInput(input, 1 + i));
  const timed = peer && {peer, inputs: peerInputs(opened.built, declared, inputs)};
  const times = await interleave([entry], inputs, timed, flags.seconds);
  const [ours] = times.ours;
  const result = {task, variant, target: opened.session.target, threads: 1, ours: ours!};
  return times.peer ? {...result, onnxruntime: times.peer, ratio: ratioOf(times.peer, ours!)} : result;
}

function tell(
  results: readonly Result[],
  together: readonly Together[],
  report: LayerReport | null,
  tuning: Tuning | null,
): void {
  const rows = results.map(({variant, target, ours, onnxruntime, ratio}) => [
    variant,
    target,
    timeText(ours.p50),
    timeText(ours.p10),
    timeText(ours.p90),
    ...(onnxruntime ? [timeText(onnxruntime.p50), `${ratio?.toFixed(2)}x`] : []),
  ]);
  const peer = results.some(({onnxruntime}) => onnxruntime) ? ['onnxruntime', 'ratio'] : [];
  say(table([['variant', 'target', 'median', 'p10', 'p90', ...peer], ...rows]));
  for (const {tasks, milliseconds, apart, dearest} of together)
    say(
      `\n${tasks.length} tasks together ${timeText(milliseconds)}, one by one ${timeText(apart)}, the dearest alone ${timeText(dearest)}: ${tasks.join(', ')}`,
    );
  if (tuning) say(`\n${tuningText(tuning)}`);
  if (report) tellLayers(report);
}

function tellLayers({peaks, layers}: LayerReport): void {
  const total = layers.reduce((sum, {microseconds}) => sum + microseconds, 0);
  const floor = layers.reduce((sum, {floorMicroseconds}) => sum + floorMicroseconds, 0);
  const lines = layers.map(({step, layer, microseconds, gflops, bound, ofPeak, way}) => [
    `${step}`,
    microseconds.toFixed(1),
    `${((100 * microseconds) / total).toFixed(1)}%`,
    gflops === null ? '' : gflops.toFixed(0),
    `${ofPeak.toFixed(0)}%`,
    bound,
    layer.slice(0, 80),
    way,
  ]);
  const memory = peaks.bandwidths.map(({bytes, perSecond}) => `${(perSecond / 1e9).toFixed(0)} GB/s from ${bytesText(bytes)}`);
  say(`\n${table([['step', 'us', 'share', 'GFLOP/s', 'of peak', 'bound', 'layer', 'how'], ...lines])}`);
  say(`${countText(layers.length)} steps, ${timeText(total / 1000)} in all; at the machine's peaks ${timeText(floor / 1000)}`);
  say(`one core reaches ${(peaks.flops / 1e9).toFixed(0)} GFLOP/s, and reads ${memory.join(', ')}`);
}
