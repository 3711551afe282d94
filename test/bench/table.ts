/**
 * One table of what every model costs, beside onnxruntime in the same run:
 *
 *     npm run bench -- [models or folders...] [--json] [--seconds N] [--target T,T] [--compare EARLIER.json]
 */
import {mkdtempSync, readFileSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join, relative} from 'node:path';
import {Command} from 'commander';
import type {Target} from '../../codegen/targets/index.js';
import {build} from '../../compiler/build.js';
import {compilerVersion} from '../../compiler/cc.js';
import {commaList, positive} from '../../compiler/commands/options.js';
import {floorOfEntry} from '../../compiler/floors.js';
import {cpuModel, runsHere, targetsNamed} from '../../compiler/host.js';
import {interleave, peerInputs, ratioOf} from '../../compiler/interleave.js';
import {hasOnnxruntime, openPeer} from '../../compiler/onnxruntime.js';
import {printJson, progress} from '../../compiler/output.js';
import {measurePeaks, type Peaks} from '../../compiler/peaks.js';
import {randomInput} from '../../compiler/random-inputs.js';
import {resolveTasks} from '../../compiler/tasks.js';
import {fail} from '../../ir/diagnostics.js';
import {load} from '../../runtime/index.js';
import {codeBytes} from './elf.js';
import {firstResults} from './first-result.js';
import {defaultModels, modelsIn} from './models.js';
import {changesOf, type Failure, meansOf, type Row} from './rows.js';
import {tell} from './tell.js';

const command = new Command('bench')
  .description('size and speed of models, beside onnxruntime in the same run if it is installed')
  .argument('[models...]', 'ONNX files and folders of them (default: the examples, and ../shared/models if it is there)')
  .option('--json', 'print one JSON document and nothing else')
  .option('--seconds <N>', 'how long to measure each model', positive, 2)
  .option('--compare <FILE>', 'an earlier --json document: what moved since')
  .option('--target <T[,T]>', 'targets (default: native)', commaList, [])
  .parse();
const flags = command.opts<{json?: boolean; seconds: number; target: readonly string[]; compare?: string}>();
const earlier = flags.compare === undefined ? null : readEarlier(flags.compare);

const targets = targetsNamed(flags.target.length === 0 ? ['native'] : flags.target);
const foreign = targets.find(target => !runsHere(target));
if (foreign) fail('usage', 'bench.target', foreign.name, 'does not run on this CPU', 'leave it out');
const show = progress();
show('measuring the machine');
const peaks = new Map<Target, Peaks>();
for (const target of targets) peaks.set(target, await measurePeaks(target));
const peer = await hasOnnxruntime();
const host = {cpu: cpuModel(), node: process.version, compiler: compilerVersion(), date: new Date().toISOString()};
const files = command.args.length === 0 ? defaultModels() : command.args.flatMap(modelsIn);

const rows: (Row | Failure)[] = [];
for (const [i, file] of files.entries()) {
  show(`${i + 1} of ${files.length}: ${file}`);
  rows.push(...(await measureModel(file)));
}
show.done();
const changes = earlier && changesOf(earlier, rows);
if (flags.json) printJson({host, seconds: flags.seconds, results: rows, means: meansOf(rows), ...(changes && {changes})});
else tell({host, rows, peer, changes: changes && {since: flags.compare ?? '', changes}});
process.exitCode = rows.length === 0 ? 2 : 0;

async function measureModel(file: string): Promise<readonly (Row | Failure)[]> {
  const directory = mkdtempSync(join(tmpdir(), 'dnnc-bench-'));
  const model = relative(process.cwd(), file);
  try {
    return await measured(file, model, join(directory, 'model'));
  } catch (error) {
    return [{model, error: (error instanceof Error ? error.message : String(error)).split('\n')[0]!}];
  } finally {
    rmSync(directory, {recursive: true, force: true});
  }
}

/** A row per target; they are measured together. */
async function measured(file: string, model: string, directory: string): Promise<readonly Row[]> {
  const {tasks} = resolveTasks({models: [file]});
  const started = performance.now();
  let compiling = started;
  const built = await build(tasks.slice(0, 1), {
    directory,
    name: 'model',
    targets,
    measure: false,
    typed: false,
    progress: doing => {
      if (doing.startsWith('compiling') && compiling === started) compiling = performance.now();
    },
  });
  const ended = performance.now();
  const variant = built.manifest.variants[0]!;
  const entries = targets.map(target => load(directory, {target: target.name}).entry(variant.task, variant.id));
  const declared = entries[0]!.task.inputs;
  const inputs = declared.map((input, i) => randomInput(input, 1 + i));
  const timed = peer ? {peer: await openPeer(file), inputs: peerInputs(built, declared, inputs)} : null;
  const times = await interleave(entries, inputs, timed, flags.seconds);
  await timed?.peer.close();
  const scratch = join(directory, '..');
  const last = targets.at(-1)!;
  const first = firstResults(
    scratch,
    {place: directory, target: last.name, inputs},
    timed && {place: file, inputs: timed.inputs},
  );
  const {macs, weightBytes, loadBytes, arenaBytes, arenaLowerBound} = variant;
  const library = (target: Target): string => built.manifest.libraries.find(each => each.target === target.name)!.file;
  return targets.map((target, i) => ({
    model,
    target: target.name,
    macs,
    weightBytes,
    packedBytes: loadBytes,
    floor: Number(floorOfEntry(built.compiled.plan, 0, loadBytes, peaks.get(target)!).toPrecision(4)),
    ours: times.ours[i]!,
    ...(times.peer && {onnxruntime: times.peer, ratio: ratioOf(times.peer, times.ours[i]!)}),
    ...(target === last && {first}),
    arenaBytes,
    arenaLowerBound,
    codeBytes: codeBytes(join(directory, library(target))),
    buildSeconds: Number(((ended - started) / 1000).toFixed(2)),
    compileSeconds: Number(((ended - compiling) / 1000).toFixed(2)),
  }));
}

function readEarlier(file: string): readonly (Row | Failure)[] {
  try {
    return (JSON.parse(readFileSync(file, 'utf8')) as {results: readonly (Row | Failure)[]}).results;
  } catch (error) {
    return fail('input', 'bench.compare', file, `cannot be read: ${(error as Error).message}`, 'give what --json printed');
  }
}
