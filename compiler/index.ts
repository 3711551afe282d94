/**
 * dnnc as a library: from ONNX files to a folder with C, weights, libraries and a manifest, or any part of the way.
 *
 *     import {build, resolveTasks} from 'dnnc';
 *     const {tasks} = resolveTasks({models: ['age.onnx']});
 *     const {manifest} = await build(tasks, {directory: 'dnnc-out/age', name: 'age'});
 *
 * Every function throws DnncError with a kind and a list of problems, and nothing else on purpose. What `build` wrote is run
 * with `load` of 'dnnc/runtime'.
 */

/** The instruction sets that can be built for, from plain to special, and the best one whose features are all there. */
export {bestTarget, type Target, targets} from '../codegen/targets/index.js';
/** What a node, or all that a task needs, costs: multiply-accumulates, bytes of weights and activations. */
export {costOf, costOfHead} from '../ir/cost.js';
/** Where one tensor separates all that is before from all that is after: places to split, share and exit at. */
export {type Cut, cutsOf} from '../ir/cuts.js';
/** Errors: a kind, which is also the exit code of the command line, and problems that name rule, place, values and cure. */
export {DnncError, exitCodes, type Kind, type Problem} from '../ir/diagnostics.js';
/** The reference evaluator: every op in plain TypeScript, the meaning that compiled code is compared with. */
export {evaluate} from '../ir/evaluate.js';
/** The ops of the IR, with their rules, evaluators and ONNX spellings. */
export {ops} from '../ir/ops/index.js';
/** The IR as text and back. Constants of more than a few numbers are named by hash; `parse` asks for their bytes. */
export {type ParseOptions, parse} from '../ir/parse.js';
/** The low IR: kernel calls over one arena, with the memory that each tensor has. */
export type {Plan} from '../ir/plan.js';
export {print} from '../ir/print.js';
export {printPlan} from '../ir/print-plan.js';
/** Tensors: an element type, a shape and a typed array. */
export {bytesOfTensor, elements, type Tensor, tensorFrom, tensorOf, zeros} from '../ir/tensor.js';
/** The IR: a graph of values, constants and nodes, with a head for each task. All of it is immutable. */
export type {
  Attr,
  Attrs,
  Blob,
  Constant,
  Cost,
  DType,
  Graph,
  Head,
  Loc,
  Module,
  Node,
  Quant,
  TensorType,
  Value,
  ValueId,
} from '../ir/types.js';
/** Runs passes over a module, checks what each of them promises, and reports it. */
export {type PassReport, runPasses} from '../passes/framework/manager.js';
export {definePass, type Pass, type PassContext} from '../passes/framework/pass.js';
/** What a build wrote, as data. */
export type {Manifest} from '../runtime/manifest.js';
/** The main job: tasks to a folder, which is written as a whole or not at all. */
export {type BuildOptions, type Built, build, isBuild} from './build.js';
/** A build of every variant worth having: a search over jobs that are kept by content, in this process or in several. */
export {buildCatalog, type CatalogBuildOptions, type CatalogBuilt} from './catalog/build.js';
export {type ServeOptions, type StoreServer, serveStore} from './catalog/http/server.js';
export type {CatalogOptions} from './catalog/index.js';
export type {CatalogLog, Tried, TriedAccuracy, TriedCosts} from './catalog/log.js';
export {type QueueOptions, startQueue} from './catalog/queue/send.js';
export {type AtWork, type WorkOptions, work} from './catalog/queue/work.js';
export {here, type Workers} from './catalog/runner.js';
export {openStore, type Store} from './catalog/store.js';
export {startWorkers, type WorkerOptions} from './catalog/workers.js';
/** Module to C and weights in memory: no disk, no C compiler. */
export {type Compiled, type CompileOptions, compile} from './compile.js';
/** Devices and clouds as coefficients with sources, and what a call takes there: what `build` writes where it is given `profiles`. */
export {energyOf, priceOf, timeOf, type Work, workOf} from './energy/model.js';
export {type DeviceProfile, openDeviceProfile, profileNames} from './energy/profile.js';
/** What this machine's processor counts; `build` measures with it where it is given as `meter`. */
export {type Found, findRapl, type Meter} from './energy/rapl.js';
/** This machine, and targets by name; `native` is the best that it runs. */
export {cpuFeatures, cpuModel, runsHere, targetsNamed} from './host.js';
/** ONNX files to one module, unoptimized: each task becomes a head. */
export {type Loaded, type LoadOptions, loadTasks} from './load.js';
/** The passes that every build runs, in order; exact up to rounding. */
export {exact} from './pipeline.js';
/** Smaller, lossy variants of tasks, found out on samples; `build` takes what it returns as it is. */
export {type Applied, applyRecipes, type RecipeOptions} from './recipes/apply.js';
export type {LayerReport, RecipeReport} from './recipes/report.js';
/** What is in a build, as one HTML page that opens from disk. */
export {report} from './report/index.js';
/** Heads of other tasks on the first one's network; `build` takes what it returns as `extend`. */
export {type Retargeted, type Retargeting, type RetargetOptions, retarget} from './retarget/index.js';
/** Exits and a cascade for a context, added to a build; its library is all that runs them. */
export {type Specialized, type SpecializeOptions, specialize} from './specialize/index.js';
/** Answers by the prior of what is asked for lately; a thread fits cascades for contexts, which the session takes in. */
export {type Live, type LiveOptions, specializeLive} from './specialize/live/index.js';
/** Tasks from models, `NAME=FILE[:OUTPUT]` and a configuration, as the command line takes them. */
export {resolveTasks, type Task, type TaskOptions, type Tasks} from './tasks.js';
/** Chooses kernels by timing them in the network on this machine; `build` takes the chooser. */
export {type TuneOptions, type Tuning, tune} from './tune.js';
/** Of the package. */
export {version} from './version.js';
