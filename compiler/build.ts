/** The main job: tasks to a folder with C, weights, libraries and manifest, written as a whole or not at all. */
import {existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync} from 'node:fs';
import {dirname, join, relative, resolve} from 'node:path';
import {emitWeights, prefixOf} from '../codegen/c/module.js';
import {type Chooser, type Preference, preferences} from '../codegen/kernels/ways.js';
import {writeManifest} from '../codegen/manifest.js';
import {cmakeLists, libraryCommands, libraryFile, makefile} from '../codegen/project.js';
import type {Target} from '../codegen/targets/index.js';
import {fail} from '../ir/diagnostics.js';
import {print} from '../ir/print.js';
import {printPlan} from '../ir/print-plan.js';
import type {Granularity} from '../ir/segments.js';
import type {Module} from '../ir/types.js';
import type {PassReport} from '../passes/framework/manager.js';
import {load as loadBuild} from '../runtime/index.js';
import type {Calibration, ConfusionRow, Latency, Manifest, Quality, Split, Variant} from '../runtime/manifest.js';
import {logName, replaceDirectory} from './artifacts.js';
import {keepBytes, recallBytes} from './cache.js';
import {calibrationOf} from './calibrate.js';
import type {CatalogLog} from './catalog/log.js';
import {compilerVersion, runCommands, wasmCompiler} from './cc.js';
import {type Compiled, compile} from './compile.js';
import type {Labelled} from './data/dataset.js';
import {measureEnergy} from './energy/measure.js';
import type {DeviceProfile} from './energy/profile.js';
import type {Meter} from './energy/rapl.js';
import {accuracyFrom, answersOf, labelsOf, qualityOf} from './evaluate-variant.js';
import {collectHeaders} from './headers.js';
import {cpuModel, runsHere, targetsNamed} from './host.js';
import {type Loaded, loadTasks} from './load.js';
import {writeLoader} from './loader.js';
import {type ManifestFacts, manifestOf} from './manifest.js';
import {measureLatency} from './measure.js';
import {isNetworkFile} from './network-file.js';
import {confusionOf} from './per-class.js';
import type {RecipeReport} from './recipes/report.js';
import {shaOf} from './sha.js';
import {splitsOf} from './splits.js';
import {filesOf, type Task} from './tasks.js';
import {version} from './version.js';

export type BuildOptions = {
  readonly directory: string;
  /** The module's name; made a C identifier. */
  readonly name: string;
  /** Default: the best for this machine. */
  readonly targets?: readonly Target[];
  /** As a file (the default) or as a C array. */
  readonly weights?: 'blob' | 'c';
  /** What kernels are chosen for: time (the default), or memory that weights take. */
  readonly prefer?: Preference;
  /** Adds variants to the module before anything is fused, such as `applyRecipes` made. */
  readonly lossy?: (module: Module) => Module;
  /** What was decided for these variants, layer by layer: kept in the log. */
  readonly recipes?: readonly RecipeReport[];
  /** What was tried before: kept in the log. */
  readonly catalog?: CatalogLog;
  /** Adds heads to the optimized module, such as `retarget` fitted. */
  readonly extend?: (module: Module) => Module;
  /** How calls are computed, as `tune` found it; by default as `prefer` says. */
  readonly chooser?: Chooser;
  /** Sizes of symbolic dimensions; 1 where none is given. */
  readonly bind?: ReadonlyMap<string, number>;
  /** Whether models that prepare an input alike look at one, and compute once what they compute alike. Default: true. */
  readonly share?: boolean;
  /** Where segments begin and end: where tasks part (the default), or at every cut: places to split, to exit and to page at. */
  readonly cuts?: Granularity;
  /** Time each variant on this machine, once per library (kept in the user's cache). Default: true. */
  readonly measure?: boolean;
  /** Devices and clouds: what a call takes there, as their coefficients model it, goes into the manifest. */
  readonly profiles?: readonly DeviceProfile[];
  /** What a call of each variant takes on this machine is measured with it: three seconds each, remembered as times are. */
  readonly meter?: Meter;
  /** Further flags for the C compiler: -DDNNC_TRACE for step hooks, -O1 for quick throw-away builds. */
  readonly flags?: readonly string[];
  /** Whether the library is taken from the user's cache where the same text has been compiled before, and kept there: for networks that are built again and again. */
  readonly keepLibrary?: boolean;
  /** Labelled data by task: its accuracy goes into the manifest. */
  readonly evaluate?: ReadonlyMap<string, Labelled>;
  /** Labelled data by task that the network was not trained on: temperature and class frequencies go into the manifest. */
  readonly calibrate?: ReadonlyMap<string, Labelled>;
  /** Whether to write manifest.ts; throw-away builds do without. Default true. */
  readonly typed?: boolean;
  readonly observe?: (report: PassReport) => void;
  /** Says what is being done, for progress. */
  readonly progress?: (doing: string) => void;
};

type Complete = BuildOptions & Required<Pick<BuildOptions, 'targets' | 'weights' | 'measure' | 'prefer'>>;

export type Built = {
  readonly directory: string;
  readonly name: string;
  readonly loaded: Loaded;
  readonly compiled: Compiled;
  readonly manifest: Manifest;
};

/** Throws DnncError; the folder is then as it was before. */
export async function build(tasks: readonly Task[], given: BuildOptions): Promise<Built> {
  const options = {
    targets: targetsNamed(['native']),
    weights: 'blob' as const,
    prefer: 'speed' as const,
    bind: new Map(),
    measure: true,
    ...given,
  };
  const {directory, targets, bind, share = true, progress = () => {}} = options;
  const name = prefixOf(options.name);
  if (targets.some(({format}) => format === 'wasm')) wasmCompiler(); // a missing one is told before the work
  progress('reading models');
  const loaded = loadTasks(tasks, {name, bind, share});
  progress('optimizing');
  const sources = filesOf(tasks);
  const embedded = options.weights === 'c';
  const compiled = compile(loaded.module, {
    ...{targets, sources, embedded},
    chooser: options.chooser ?? preferences[options.prefer],
    ...(options.cuts && {cuts: options.cuts}),
    ...(options.lossy && {lossy: options.lossy}),
    ...(options.extend && {extend: options.extend}),
    ...(options.observe && {observe: options.observe}),
  });
  const manifest = await replaceDirectory(directory, folder => writeBuild(folder, tasks, name, compiled, loaded, options));
  return {directory, name, loaded, compiled, manifest};
}

/** Compiles a library unless the same commands have made one of the same texts. */
async function once(file: string, texts: readonly string[], compile: () => Promise<void>): Promise<void> {
  const key = [compilerVersion(), ...texts].join('\0');
  const known = recallBytes('libraries', key);
  if (known) return writeFileSync(file, known, {mode: 0o755});
  await compile();
  keepBytes('libraries', key, readFileSync(file));
}

async function writeBuild(
  folder: string,
  tasks: readonly Task[],
  name: string,
  compiled: Compiled,
  loaded: Loaded,
  options: Complete,
): Promise<Manifest> {
  const {targets, progress = () => {}} = options;
  const embedded = options.weights === 'c';
  progress('writing C');
  const write = (file: string, content: string | Uint8Array): void => {
    mkdirSync(join(folder, dirname(file)), {recursive: true});
    writeFileSync(join(folder, file), content);
  };
  const texts = targets.map(target => ({
    target,
    file: targets.length === 1 ? `${name}.c` : `${name}.${target.name}.c`,
    text: compiled.texts.get(target)!,
  }));
  write(`${name}.h`, texts[0]!.text.header);
  for (const {file, text} of texts) write(file, text.source);
  const headers = collectHeaders(texts.flatMap(({text}) => text.headers));
  for (const [file, text] of headers) write(join('kernels', file), text);
  const shared = embedded ? [`${name}_weights.c`] : [];
  if (embedded) write(`${name}_weights.c`, emitWeights(name, compiled.weights, `dnnc ${version}`));
  else write(`${name}.weights`, compiled.weights);
  const project = {name, sources: texts, shared};
  write('Makefile', makefile(project));
  write('CMakeLists.txt', cmakeLists(project));
  write(`${name}.ir`, print(compiled.module));
  write(`${name}.plan`, printPlan(compiled.plan));
  for (const {file, target, text} of texts) {
    progress(`compiling for ${target.name}`);
    const commands = libraryCommands(name, file, target, shared, options.flags ?? []);
    const compile = (): Promise<void> => runCommands(commands, folder, target.format);
    if (!options.keepLibrary) await compile();
    else
      await once(
        join(folder, libraryFile(name, target)),
        // The module's own header has the hash of the weights that the library runs with.
        [...commands.runs.flat(), text.source, text.header, ...headers.values()],
        compile,
      );
  }
  await writeLoader(folder);
  const log = {
    dnnc: version,
    compiler: compilerVersion(),
    ...(targets.some(({format}) => format === 'wasm') && {wasmCompiler: compilerVersion('wasm')}),
    name,
    weights: options.weights,
    targets: targets.map(target => target.name),
    tasks: tasks.flatMap(({name: task, model, output, others}) => [
      {task, ...sourceOf(model, options.directory), output},
      ...others
        .filter(other => !isNetworkFile(other.model))
        .map(other => ({task, recipe: other.recipe, ...sourceOf(other.model, options.directory), output: other.output})),
    ]),
    bound: Object.fromEntries(loaded.bound),
    ...(options.recipes && {recipes: options.recipes}),
    ...(options.catalog && {catalog: options.catalog}),
  };
  write(logName, `${JSON.stringify(log, null, 2)}\n`);
  const {prefer, profiles = []} = options;
  const facts = {name, tasks, compiled, loaded, targets, embedded, prefer, profiles, files: hashesOf(folder)};
  const manifest = observed(folder, manifestOf(facts), facts, options);
  if (options.typed !== false) {
    const {ts, json} = await writeManifest(manifest);
    write('manifest.ts', ts);
    write('manifest.json', json);
  } else write('manifest.json', `${JSON.stringify(manifest)}\n`);
  return manifest;
}

/** The manifest with what running the build on this machine tells: latency, and accuracy where there is data. */
function observed(
  folder: string,
  plain: Manifest,
  facts: ManifestFacts,
  {measure = true, evaluate, calibrate, meter, progress = () => {}}: BuildOptions,
): Manifest {
  const target = facts.targets.findLast(runsHere) ?? facts.targets.find(({format}) => format === 'wasm');
  if (!target || (!measure && !evaluate && !calibrate && !meter)) return plain;
  writeFileSync(join(folder, 'manifest.json'), JSON.stringify(plain));
  const session = loadBuild(folder, {target: target.name});
  const latencies = new Map<string, Latency>();
  const qualities = new Map<string, Quality>();
  const confusions = new Map<string, readonly ConfusionRow[]>();
  const calibrations = new Map<string, Calibration>();
  const energies = new Map<string, NonNullable<Variant['energy']>>();
  for (const {id, task} of plain.variants) {
    const entry = session.entry(task, id);
    const labelled = evaluate?.get(task);
    if (labelled) {
      progress(`evaluating ${id}`);
      const answers = answersOf(entry, labelled.data);
      qualities.set(id, qualityOf(accuracyFrom(answers, labelled.data, entry.task.labelOffset ?? 0), labelled));
      confusions.set(id, confusionOf(answers, labelsOf(entry.task, labelled.data)));
    }
    const held = calibrate?.get(task);
    if (held) {
      progress(`calibrating ${id}`);
      calibrations.set(id, calibrationOf(entry, held));
    }
    progress(`measuring ${id}`);
    const key = `${facts.compiled.hash} ${target.name} ${id}`;
    if (measure) latencies.set(id, measureLatency(entry, cpuModel(), key, session.unload));
    const energy = meter && measureEnergy(meter, entry, cpuModel(), key);
    if (energy) energies.set(id, {[target.name]: energy});
  }
  const splits = new Map<string, readonly Split[]>();
  for (const variant of plain.variants) {
    const [held, labelled] = [calibrate?.get(variant.task), evaluate?.get(variant.task)];
    if (!held || !labelled || variant.path.length < 2) continue;
    const show = (done: number): void => progress(`splitting ${variant.id}: ${done} of ${labelled.data.count}`);
    splits.set(variant.id, splitsOf(session, variant, {calibrate: held.data, evaluate: labelled, progress: show}));
  }
  const segmentLatencies = new Map<string, Latency>();
  for (const {name: id} of measure ? facts.compiled.segments : []) {
    progress(`measuring ${id}`);
    const key = `${facts.compiled.hash} ${target.name} segment ${id}`;
    segmentLatencies.set(id, measureLatency(session.segment(id), cpuModel(), key));
  }
  const found = {latencies, energies, segmentLatencies, qualities, confusions, calibrations, splits};
  return manifestOf({...facts, ...found, latencyTarget: target});
}

const sourceOf = (model: string, directory: string) => ({
  model: relative(resolve(directory), model),
  sha256: shaOf(readFileSync(model)),
});

/** Of every file but the manifest itself, by name relative to the folder. */
function hashesOf(folder: string): Readonly<Record<string, string>> {
  const files = readdirSync(folder, {recursive: true, encoding: 'utf8'}).filter(
    file => !file.startsWith('manifest.') && statSync(join(folder, file)).isFile(),
  );
  return Object.fromEntries(files.sort().map(file => [file, shaOf(readFileSync(join(folder, file)))]));
}

/** Whether a path is a folder that `build` wrote. */
export const isBuild = (path: string): boolean => existsSync(join(path, 'manifest.json')) && existsSync(join(path, logName));

/** Error: input open.foreign, where it is none. */
export function requireBuild(path: string): void {
  if (!isBuild(path))
    fail('input', 'open.foreign', path, 'is not a folder that dnnc build wrote', 'name such a folder, or an .onnx file');
}
