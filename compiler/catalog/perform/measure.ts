/** What a network is worth: built alone, run on labelled samples, timed. */
import {rmSync} from 'node:fs';
import {join} from 'node:path';
import {cyclesOf} from '../../../codegen/kernels/cycles.js';
import {type Entry, load} from '../../../runtime/index.js';
import {build} from '../../build.js';
import type {Dataset} from '../../data/dataset.js';
import {labelsOf, largestOf, scoredInput} from '../../evaluate-variant.js';
import {cpuModel, targetsNamed} from '../../host.js';
import {measureLatency} from '../../measure.js';
import {temporaryFolder} from '../../open.js';
import {inputTensor} from '../../samples.js';
import {same} from '../front.js';
import type {Measured, MeasureJob} from '../jobs.js';
import {type DecisiveCosts, decisiveCosts} from '../log.js';
import {evaluationOrder, isHopeless} from '../order.js';
import type {Store} from '../store.js';
import {labelledOf, taskOf} from './task.js';

export async function measure(job: MeasureJob, store: Store, progress: (doing: string) => void): Promise<Measured> {
  const {question, network, data, target, profiles, against, above} = job;
  const task = taskOf(question, store.fileOf(network));
  const directory = join(temporaryFolder(), 'measure');
  const targets = targetsNamed([target]);
  const {manifest, compiled} = await build([task], {
    ...{directory, name: 'measure', targets, bind: new Map()},
    ...{measure: false, typed: false, profiles, progress},
  });
  const session = load(directory, {target});
  const entry = session.entry(task.name);
  const [variant] = manifest.variants as readonly [(typeof manifest.variants)[number]];
  const {p50, p90, cold} = measureLatency(entry, cpuModel(), `${compiled.hash} ${target} ${variant.id}`, session.unload);
  const {macs, weightBytes, arenaBytes, loadBytes} = variant;
  const energy = Object.entries(variant.energy ?? {}).map(([profile, {millijoules}]) => [profile, millijoules] as const);
  const costs = {
    ...{
      macs,
      weightBytes,
      arenaBytes,
      loadBytes,
      cycles: Math.round(cyclesOf(compiled.plan.entries[0]!.steps, targets[0]!.features)),
    },
    ...{p50, p90},
    ...(cold !== undefined && {cold}),
    ...(energy.length > 0 && {energy: Object.fromEntries(energy)}),
  };
  const dear = above !== null && !isCheaper(costs, above);
  const right = dear ? '' : answersRight(entry, labelledOf(data, task).data, against, progress);
  // The library stays open, but its files are not needed any more.
  rmSync(directory, {recursive: true, force: true});
  return {right, costs};
}

/** In some cost, by more than costs differ that count as equal. */
const isCheaper = (costs: DecisiveCosts, above: DecisiveCosts): boolean =>
  decisiveCosts.some(name => costs[name] < (1 - same) * above[name]);

/** Part by part, and no further than needed. */
function answersRight(entry: Entry, data: Dataset, against: MeasureJob['against'], progress: (doing: string) => void): string {
  const input = scoredInput(entry, data);
  const labels = labelsOf(entry.task, data);
  const outputs = entry.newOutputs();
  let right = '';
  for (const part of evaluationOrder(data.count)) {
    for (const i of part) {
      if (right.length % 64 === 0) progress(`evaluating: ${right.length} of ${data.count}`);
      entry.call([inputTensor(data.sample(i), input, data.where(i)).data], outputs);
      right += largestOf(outputs[0]!) === labels[i] ? '1' : '0';
    }
    if (against && isHopeless(against.right, right, against.points)) break;
  }
  return right;
}
