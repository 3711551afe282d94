/** Module to files, as a pure function: passes, lowering, memory, C and weights. No disk, no C compiler. */
import {createHash} from 'node:crypto';
import {emitModule, type ModuleText} from '../codegen/c/module.js';
import {type Chooser, cheapest} from '../codegen/kernels/ways.js';
import type {Target} from '../codegen/targets/index.js';
import {type Layout, layOut, packWeights, seal} from '../codegen/weights.js';
import type {Plan} from '../ir/plan.js';
import {type Granularity, type Segment, segmentsOf} from '../ir/segments.js';
import type {Module} from '../ir/types.js';
import {type PassReport, runPasses} from '../passes/framework/manager.js';
import {planMemory} from '../passes/plan-memory/index.js';
import {lower} from './lower/lower.js';
import {beforeFusion, exact} from './pipeline.js';
import {checkSupported} from './supported.js';
import {version} from './version.js';

export type Compiled = {
  /** After all passes. */
  readonly module: Module;
  /** As the plan has them. */
  readonly segments: readonly Segment[];
  readonly plan: Plan;
  readonly layout: Layout;
  readonly texts: ReadonlyMap<Target, ModuleText>;
  /** Sealed: ready to be opened by the code. */
  readonly weights: Uint8Array;
  /** 32 hex digits. */
  readonly hash: string;
};

export type CompileOptions = {
  readonly targets: readonly Target[];
  /** File names for the header comment. */
  readonly sources: readonly string[];
  readonly embedded?: boolean;
  /** How calls are computed; by default as cost models find fastest. */
  readonly chooser?: Chooser;
  /** Where segments begin and end; by default where tasks part. */
  readonly cuts?: Granularity;
  /**
   * Adds variants to the module before anything is fused: convolutions and activations are nodes of their own. What it returns
   * is optimized like any other.
   */
  readonly lossy?: (module: Module) => Module;
  /** Changes the optimized module; what it returns is optimized again. */
  readonly extend?: (module: Module) => Module;
  readonly observe?: (report: PassReport) => void;
};

export function compile(module: Module, options: CompileOptions): Compiled {
  const {targets, sources, embedded = false, chooser = cheapest, cuts, lossy, extend, observe} = options;
  const given = lossy ? lossy(runPasses(module, beforeFusion, observe)) : module;
  const plain = runPasses(given, exact, observe);
  const optimized = extend ? runPasses(extend(plain), exact, observe) : plain;
  checkSupported(optimized);
  const segments = segmentsOf(optimized, cuts);
  const plan = planMemory(lower(optimized, chooser.way, segments));
  const layout = layOut([plan]);
  const weights = packWeights(layout);
  const facts = {plan, layout, generator: `dnnc ${version}`, sources, embedded, chooseTile: chooser.tile};
  // The hash is of the code with a hash of zeros, and of the weights: it names this build, whatever the machine.
  const draft = targets.map(target => emitModule({...facts, target, hash: '0'.repeat(32)}));
  const digest = createHash('sha256').update(weights);
  for (const {source, header} of draft) digest.update(source).update(header);
  const hash = digest.digest('hex').slice(0, 32);
  seal(weights, hash);
  const texts = new Map(targets.map(target => [target, emitModule({...facts, target, hash})]));
  return {module: optimized, segments, plan, layout, texts, weights, hash};
}
