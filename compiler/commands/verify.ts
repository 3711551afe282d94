/** `dnnc verify`: compiled code against onnxruntime and against the reference evaluator; per layer on request. */
import {existsSync} from 'node:fs';
import type {Command} from 'commander';
import {costOfHead} from '../../ir/cost.js';
import {DnncError, fail} from '../../ir/diagnostics.js';
import {evaluate} from '../../ir/evaluate.js';
import {headOf} from '../../ir/graph.js';
import type {Tensor} from '../../ir/tensor.js';
import type {Module} from '../../ir/types.js';
import {type Difference, difference, noDifference, worse} from '../compare.js';
import {loadTasks} from '../load.js';
import {hasOnnxruntime} from '../onnxruntime.js';
import {type Opened, open} from '../open.js';
import {printJson, progress, say, table} from '../output.js';
import {againstItself, type Itself, isAsNear, isRoundedAsByPeer, peerResults, worstOf} from '../peer-difference.js';
import {compareLayers, type LayerDifference} from '../per-layer.js';
import {randomInput} from '../random-inputs.js';
import type {Task} from '../tasks.js';
import {type JsonFlag, type ModelFlags, positive, withJson, withModelOptions} from './options.js';

type Flags = ModelFlags &
  JsonFlag & {
    readonly perLayer?: boolean;
    readonly samples: number;
    readonly tolerance?: string;
    readonly reference?: boolean;
    readonly target?: string;
  };

/** Larger models are compared with the reference evaluator only when asked to: it takes about a second per 20 M MACs. */
const referenceLimit = 100e6;

export function defineVerify(program: Command): void {
  const command = program
    .command('verify')
    .description('compares compiled code with onnxruntime (if installed) and with the reference evaluator')
    .argument('<DIR|model.onnx...>', 'what dnnc build wrote, or models')
    .option('--per-layer', 'also compare after each layer, to see where error enters')
    .option('--samples <N>', 'how many seeded random inputs', positive, 2)
    .option(
      '--tolerance <X>',
      'largest difference, relative to the largest value of the output (default: 1e-4; where the model rounds to integers 2e-2, or as near to onnxruntime as it is to itself without optimizations, and near ties as it has them)',
    )
    .option('--reference', `compare with the reference evaluator also above ${referenceLimit / 1e6} M MACs`)
    .option('--target <T>', 'which library to run (default: the best for this CPU)');
  withJson(withModelOptions(command)).action(verify);
}

type Result = {
  readonly task: string;
  readonly variant: string;
  readonly against: string;
  /** Where it is farther from onnxruntime than the tolerance: what right answers differ by there. */
  readonly itself?: Itself;
  /** Near ties fall otherwise than in the reference evaluator, and as in onnxruntime. */
  readonly excused?: boolean;
} & Difference;

async function verify(paths: readonly string[], flags: Flags): Promise<void> {
  const show = progress();
  try {
    const opened = await open(paths, {...flags, progress: show});
    const module = opened.built?.loaded.module ?? originalOf(opened);
    const peer = await hasOnnxruntime();
    const results: Result[] = [];
    const rounds = roundsToIntegers(module);
    const tolerance = flags.tolerance === undefined ? (rounds ? oneStep : 1e-4) : Number(flags.tolerance);
    // Other recipes answer otherwise on purpose.
    for (const variant of opened.manifest.variants.filter(({recipe}) => recipe === 'full')) {
      const task = opened.tasks.find(({name}) => name === variant.task)!;
      const inputs = Array.from({length: flags.samples}, (_, i) =>
        opened.manifest.tasks[task.name]!.inputs.map((input, at) => randomInput(input, 1 + i * 16 + at)),
      );
      show(`${variant.id}: running`);
      const ours = inputs.map(sample => runEntry(opened, task, variant.id, sample));
      if (peer) {
        const theirs = await peerResults(opened, module, task, inputs, 'all');
        const found = worstOf(ours, theirs);
        // A tolerance that was asked for is kept to.
        const doubtful = rounds && flags.tolerance === undefined && !(found.maxRelative <= tolerance);
        const itself = doubtful ? await againstItself(opened, module, task, inputs, ours, theirs) : null;
        results.push({task: task.name, variant: variant.id, against: 'onnxruntime', ...found, ...(itself && {itself})});
      }
      const macs = costOfHead(module.graph, headOf(module, task.name)).macs;
      if (flags.reference || macs <= referenceLimit) {
        show(`${variant.id}: reference evaluator`);
        const found = againstReference(opened, module, task, inputs.slice(0, 1), ours);
        const byPeer = results.find(each => each.variant === variant.id && each.against === 'onnxruntime');
        const excused = rounds && flags.tolerance === undefined && isRoundedAsByPeer(found, byPeer, tolerance);
        results.push({task: task.name, variant: variant.id, against: 'reference', ...found, ...(excused && {excused})});
      }
    }
    const layers = flags.perLayer ? await compareLayers(opened.tasks, opened.bound, flags.prefer, show) : [];
    show.done();
    report(results, layers, tolerance, flags, peer);
  } finally {
    show.done();
  }
}

function report(
  results: readonly Result[],
  layers: readonly LayerDifference[],
  tolerance: number,
  flags: Flags,
  peer: boolean,
): void {
  if (results.length === 0)
    fail('usage', 'verify.nothing', 'verify', 'there is nothing to compare with', 'install onnxruntime-node, or use --reference');
  const wrong = results.filter(
    each => !(each.maxRelative <= tolerance || each.excused || (each.itself && isAsNear(each, each.itself, tolerance))),
  );
  const ok = wrong.length === 0;
  if (flags.json) printJson({ok, tolerance, results, ...(flags.perLayer && {layers})});
  else {
    const rows = results.map(each => [
      each.variant,
      each.against,
      each.maxAbsolute.toExponential(2),
      each.maxRelative.toExponential(2),
      each.sameLabel ? 'yes' : 'NO',
      percentOf(each),
    ]);
    say(table([['variant', 'against', 'max absolute', 'max relative', 'same label', 'identical'], ...rows]));
    if (layers.length > 0) {
      const worst = layers.map(({task, value, op, maxAbsolute, maxRelative}) => [
        task,
        value,
        op,
        maxAbsolute.toExponential(2),
        maxRelative.toExponential(2),
      ]);
      say(`\n${table([['task', 'value', 'op', 'max absolute', 'max relative'], ...worst])}`);
    }
    for (const {variant, itself} of results)
      if (itself)
        say(
          `${variant}: onnxruntime without its optimizations is ${itself.apart.maxRelative.toExponential(2)} from itself (${percentOf(itself.apart)} identical), ours ${itself.plain.maxRelative.toExponential(2)} from that (${percentOf(itself.plain)} identical)`,
        );
    for (const {variant, excused} of results)
      if (excused)
        say(`${variant}: near ties are rounded as onnxruntime rounds them; the reference evaluator, node by node, differs there`);
    if (!peer) say('onnxruntime-node is not installed: not compared with it (npm install onnxruntime-node)');
    if (ok)
      say(
        results.some(({itself}) => itself)
          ? `all within ${tolerance}, or as near to onnxruntime as it is to itself`
          : `all within ${tolerance}`,
      );
  }
  if (ok) return;
  throw new DnncError(
    'check',
    wrong.map(({variant, against, maxRelative}) => ({
      code: 'verify.difference',
      where: variant,
      says: `differs from ${against} by ${maxRelative.toExponential(2)}, more than ${tolerance}`,
      cure: 'dnnc verify --per-layer shows where it enters',
    })),
  );
}

/** One step of 8-bit rounding is what two right implementations may differ by. */
const oneStep = 2e-2;

const roundsToIntegers = (module: Module): boolean => module.graph.nodes.some(node => /quantize/.test(node.op));

const percentOf = ({identical, elements}: Difference): string => `${((100 * identical) / Math.max(1, elements)).toFixed(1)}%`;

function originalOf({tasks, bound, manifest}: Opened): Module {
  for (const {model} of tasks)
    if (!existsSync(model))
      fail('input', 'verify.model', model, 'the model of this build is not there', 'verify the .onnx file, or put it back');
  return loadTasks(tasks, {name: manifest.name, bind: bound}).module;
}

function runEntry({session}: Opened, task: Task, variant: string, sample: readonly Tensor[]): readonly Tensor[] {
  const entry = session.entry(task.name, variant);
  const outputs = entry.newOutputs();
  entry.call(
    sample.map(({data}) => data),
    outputs,
  );
  return entry.task.outputs.map(({dtype, shape}, i) => ({dtype, shape, data: outputs[i] as Tensor['data']}));
}

function againstReference(
  opened: Opened,
  module: Module,
  task: Task,
  inputs: readonly (readonly Tensor[])[],
  ours: readonly (readonly Tensor[])[],
): Difference {
  const head = headOf(module, task.name);
  const declared = opened.manifest.tasks[task.name]!.inputs;
  let total = noDifference;
  inputs.forEach((sample, i) => {
    const named = new Map(declared.map((input, at) => [input.name, sample[at]!]));
    for (const value of module.graph.inputs)
      if (!named.has(value.name)) named.set(value.name, randomInput({name: value.name, ...value.type}, 1));
    const values = evaluate(module, named, {heads: [head.name]});
    head.outputs.forEach((id, at) => {
      total = worse(total, difference(ours[i]![at]!, values.get(id)!));
    });
  });
  return total;
}
