/** `dnnc run`: runs compiled code on files. With --inputs and --outputs, on a folder of ONNX test data. */
import {existsSync, mkdirSync} from 'node:fs';
import {join} from 'node:path';
import type {Command} from 'commander';
import {fail} from '../../ir/diagnostics.js';
import type {Tensor} from '../../ir/tensor.js';
import {writeNpy} from '../data/npy.js';
import {readTensorFile, writeTensorFile} from '../onnx/tensor-file.js';
import {type Opened, open} from '../open.js';
import {printJson, progress, say, timeText} from '../output.js';
import {exactTensor, readInputs} from '../samples.js';
import {collect, type JsonFlag, type ModelFlags, withJson, withModelOptions} from './options.js';

type Flags = Omit<ModelFlags, 'task'> &
  JsonFlag & {
    readonly input: readonly string[];
    readonly inputs?: string;
    readonly outputs?: string;
    readonly output?: string;
    readonly task: readonly string[];
    readonly variant?: string;
    readonly target?: string;
  };

export function defineRun(program: Command): void {
  const command = program
    .command('run')
    .description('runs compiled code on .npy, .npz, .pb and image files')
    .argument('<DIR|model.onnx>', 'what dnnc build wrote, or a model')
    .option('--input <[NAME=]FILE>', 'an input; repeatable, in the order of the inputs', collect, [])
    .option('--inputs <DIR>', 'a folder with input_N.pb (ONNX test data)')
    .option('--outputs <DIR>', 'where to write output_N.pb')
    .option('--output <DIR>', 'where to write each output as NAME.npy')
    .option('--variant <ID>', 'a variant of the task')
    .option('--target <T>', 'which library to run (default: the best for this CPU)');
  withJson(withModelOptions(command)).action(run);
}

async function run(path: string, flags: Flags): Promise<void> {
  const show = progress();
  const isModel = flags.inputs !== undefined;
  // A throw-away build for one run: quick to compile rather than fast.
  const options = {
    ...flags,
    task: flags.task.filter(task => task.includes('=')),
    ...(isModel && {flags: ['-O1'], target: flags.target ?? 'generic'}),
    progress: show,
  };
  const opened = await open([path], options).finally(show.done);
  if (flags.inputs !== undefined) {
    runFolder(opened, flags.inputs, flags.outputs);
    return;
  }
  const names = Object.keys(opened.manifest.tasks);
  const wanted = flags.task.filter(task => !task.includes('='));
  const tasks = wanted.length > 0 ? wanted : names;
  const answers = tasks.map(task => runTask(opened, task, flags));
  if (flags.json) printJson({results: answers});
  else
    for (const {task, label, index, score, milliseconds} of answers)
      say(`${task}: ${label ?? `class ${index}`} (output ${index}, score ${score.toPrecision(4)}) in ${timeText(milliseconds)}`);
}

function runTask({session, manifest}: Opened, task: string, flags: Flags) {
  const entry = session.entry(task, flags.variant);
  const inputs = readInputs(flags.input, entry.task.inputs);
  const outputs = entry.newOutputs();
  const started = performance.now();
  entry.call(
    inputs.map(({data}) => data),
    outputs,
  );
  const milliseconds = performance.now() - started;
  if (flags.output !== undefined) {
    mkdirSync(flags.output, {recursive: true});
    entry.task.outputs.forEach(({name, dtype, shape}, i) => {
      writeNpy(join(flags.output!, `${name.replace(/[^\w.-]/g, '_')}.npy`), {dtype, shape, data: outputs[i] as Tensor['data']});
    });
  }
  const scores = Array.from(outputs[0] ?? [], Number);
  const index = scores.reduce((best, score, i) => (score > scores[best]! ? i : best), 0);
  const label = manifest.tasks[task]?.labels?.[index - (entry.task.labelOffset ?? 0)] ?? null;
  return {
    task,
    variant: entry.variant.id,
    label,
    index,
    score: scores[index] ?? Number.NaN,
    milliseconds: Number(milliseconds.toFixed(4)),
  };
}

/** The contract of ONNX test data: input_N.pb is the N-th graph input without initializer, output_N.pb the N-th output. */
function runFolder({session, tasks, built}: Opened, inputs: string, outputs: string | undefined): void {
  if (outputs === undefined || built === null || tasks.length !== 1)
    fail(
      'usage',
      'run.folder',
      'run',
      '--inputs goes with one .onnx model and --outputs',
      'dnnc run MODEL.onnx --inputs DIR --outputs DIR',
    );
  const entry = session.entry(tasks[0]!.name);
  const order = built.loaded.module.graph.inputs;
  const values = entry.task.inputs.map(input => {
    const place = order.findIndex(value => value.name === input.name);
    const file = join(inputs, `input_${place}.pb`);
    if (!existsSync(file))
      return fail(
        'input',
        'run.missing',
        file,
        `there is no such file; it holds input "${input.name}"`,
        'give one input_N.pb per graph input',
      );
    return exactTensor(readTensorFile(file), input, file).data;
  });
  const results = entry.newOutputs();
  entry.call(values, results);
  mkdirSync(outputs, {recursive: true});
  entry.task.outputs.forEach(({name, dtype, shape}, i) => {
    writeTensorFile(join(outputs, `output_${i}.pb`), {dtype, shape, data: results[i] as Tensor['data']}, name);
  });
}
