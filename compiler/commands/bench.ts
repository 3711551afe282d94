/** `dnnc bench`: latency, beside onnxruntime in the same run if asked; per layer with GFLOP/s. */
import {join} from 'node:path';
import type {Command} from 'commander';
import type {Preference} from '../../codegen/kernels/ways.js';
import {fail} from '../../ir/diagnostics.js';
import {load} from '../../runtime/index.js';
import {build} from '../build.js';
import {cpuModel, targetsNamed} from '../host.js';
import {interleave, peerInputs, ratioOf} from '../interleave.js';
import {type Percentiles, percentiles} from '../measure.js';
import {openPeer, type Peer} from '../onnxruntime.js';
import {type Opened, open, temporaryFolder} from '../open.js';
import {countText, printJson, progress, say, table, timeText} from '../output.js';
import {randomInput} from '../random-inputs.js';
import {type JsonFlag, type ModelFlags, positive, withJson, withModelOptions} from './options.js';

type Flags = ModelFlags &
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
  withJson(withModelOptions(command)).action(bench);
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
  const show = progress();
  try {
    const opened = await open(paths, {...flags, progress: show});
    const results: Result[] = [];
    for (const {id, task} of opened.manifest.variants) {
      show(`${id}: measuring`);
      const model = opened.tasks.find(({name}) => name === task)!.model;
      const peer = flags.against === undefined ? null : await openPeer(model, {threads: flags.threads});
      results.push(await measure(opened, task, id, peer, flags));
    }
    const layers = flags.perLayer ? await timeLayers(opened, flags.prefer, show) : [];
    show.done();
    if (flags.json) printJson({host: cpuModel(), results, ...(flags.perLayer && {layers})});
    else tell(results, layers);
  } finally {
    show.done();
  }
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

type LayerTime = {
  readonly task: string;
  readonly step: number;
  readonly layer: string;
  readonly microseconds: number;
  readonly gflops: number | null;
};

async function timeLayers(
  {tasks, bound}: Opened,
  prefer: Preference,
  show: (doing: string) => void,
): Promise<readonly LayerTime[]> {
  const directory = join(temporaryFolder(), 'traced');
  const built = await build(tasks, {
    directory,
    name: 'traced',
    targets: targetsNamed(['native']),
    weights: 'blob',
    bind: bound,
    prefer,
    measure: false,
    typed: false,
    flags: ['-DDNNC_TRACE'],
    progress: show,
  });
  const session = load(directory);
  return built.compiled.plan.entries.flatMap(({task, steps}) => {
    const entry = session.entry(task);
    const trace = entry.trace ?? fail('bug', 'bench.trace', task, 'the library has no trace entry');
    const inputs = entry.task.inputs.map((input, i) => randomInput(input, 1 + i).data);
    // Medians over rounds: one interruption of the machine must not become a layer's time.
    const [rounds, iterations] = [15, 5];
    const outputs = entry.newOutputs();
    const samples = Array.from({length: rounds}, () => trace(inputs, outputs, steps.length, iterations, 2));
    return steps.map(({text, work, macs}, step): LayerTime => {
      const microseconds = percentiles(samples.map(sums => sums[step] ?? 0)).p50 / iterations / 1000;
      const layer = text === '' ? (work.kind === 'loop' ? 'copy' : work.kind) : text;
      return {
        task,
        step,
        layer,
        microseconds: Number(microseconds.toFixed(2)),
        gflops: macs > 0 ? Number(((2 * macs) / microseconds / 1000).toFixed(1)) : null,
      };
    });
  });
}

function tell(results: readonly Result[], layers: readonly LayerTime[]): void {
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
  if (layers.length === 0) return;
  const total = layers.reduce((sum, {microseconds}) => sum + microseconds, 0);
  const lines = layers.map(({step, layer, microseconds, gflops}) => [
    `${step}`,
    microseconds.toFixed(1),
    `${((100 * microseconds) / total).toFixed(1)}%`,
    gflops === null ? '' : gflops.toFixed(0),
    layer.slice(0, 90),
  ]);
  say(
    `\n${table([['step', 'us', 'share', 'GFLOP/s', 'layer'], ...lines])}\n${countText(layers.length)} steps, ${timeText(total / 1000)} in all`,
  );
}
