/** `dnnc inspect`: the IR, what each layer costs and where it came from, cuts, the plan and its memory, a drawing. */
import {readFileSync, statSync} from 'node:fs';
import {basename, join} from 'node:path';
import type {Command} from 'commander';
import {costOf, costOfHead} from '../../ir/cost.js';
import {type Cut, cutsOf} from '../../ir/cuts.js';
import {fail, showLoc} from '../../ir/diagnostics.js';
import {nodesFor} from '../../ir/graph.js';
import {hashOf} from '../../ir/hash.js';
import type {Plan} from '../../ir/plan.js';
import {print, printType} from '../../ir/print.js';
import {printPlan} from '../../ir/print-plan.js';
import type {Head, Module, Node} from '../../ir/types.js';
import {runPasses} from '../../passes/framework/manager.js';
import {planMemory} from '../../passes/plan-memory/index.js';
import {logName} from '../artifacts.js';
import {requireBuild} from '../build.js';
import {writeWhole} from '../data/files.js';
import {drawSvg} from '../draw.js';
import {loadTasks} from '../load.js';
import {lower} from '../lower/lower.js';
import {memoryMap} from '../memory-map.js';
import {bytesText, countText, printJson, say, table} from '../output.js';
import {exact} from '../pipeline.js';
import {readIr} from '../read-ir.js';
import {checkSupported} from '../supported.js';
import {resolveTasks} from '../tasks.js';
import {type JsonFlag, type ModelFlags, withJson, withModelOptions} from './options.js';

type Flags = ModelFlags &
  JsonFlag & {readonly ir?: boolean; readonly plan?: boolean; readonly svg?: string; readonly raw?: boolean};

export function defineInspect(program: Command): void {
  const command = program
    .command('inspect')
    .description('prints layers with shape, cost and origin; cuts; memory; with flags the IR, the plan, a drawing')
    .argument('<DIR|model.onnx|file.ir...>', 'what to look at')
    .option('--ir', 'print the IR text')
    .option('--plan', 'print the plan: kernel calls over the arena')
    .option('--svg <FILE>', 'draw the graph')
    .option('--raw', 'as imported, before any pass');
  withJson(withModelOptions(command)).action(inspect);
}

async function inspect(paths: readonly string[], flags: Flags): Promise<void> {
  const imported = loadAny(paths, flags);
  const module = flags.raw ? imported : runPasses(imported, exact);
  if (flags.svg !== undefined) writeWhole(flags.svg, await drawSvg(module));
  if (flags.ir) return say(print(module).trimEnd());
  const plan = flags.raw ? null : planOf(module);
  if (flags.plan)
    return say(
      plan ? printPlan(plan).trimEnd() : fail('usage', 'inspect.plan', '--plan', 'does not go with --raw', 'leave one out'),
    );
  const heads = module.heads.map((head, i) => ({head, cuts: cutsOf(module, head), memory: plan?.memory?.entryBytes[i] ?? null}));
  if (flags.json)
    return printJson({name: module.name, heads: heads.map(({head, cuts, memory}) => document(module, head, cuts, memory))});
  for (const {head, cuts} of heads) tell(module, head, cuts);
  if (plan) say(memoryMap(plan));
}

function loadAny(paths: readonly string[], flags: Flags): Module {
  const [first] = paths;
  if (first?.endsWith('.ir')) return readIr(first);
  if (first !== undefined && statSync(first, {throwIfNoEntry: false})?.isDirectory()) {
    requireBuild(first);
    const log = JSON.parse(readFileSync(join(first, logName), 'utf8')) as {
      tasks: {task: string; model: string; output: string | null}[];
      bound: Record<string, number>;
    };
    const flagged = log.tasks.map(
      ({task, model, output}) => `${task}=${join(first, model)}${output === null ? '' : `:${output}`}`,
    );
    const {tasks} = resolveTasks({models: [], tasks: flagged, config: flags.config});
    return loadTasks(tasks, {name: basename(first), bind: new Map(Object.entries(log.bound))}).module;
  }
  const {name, tasks} = resolveTasks({models: paths, tasks: flags.task, config: flags.config});
  return loadTasks(tasks, {name: name ?? tasks[0]!.name, bind: flags.bind}).module;
}

function planOf(module: Module): Plan {
  checkSupported(module);
  return planMemory(lower(module));
}

const originOf = (node: Node): string => {
  const origins = showLoc(node.loc).match(/node "([^"]*)"/g) ?? [];
  return [...new Set(origins.map(text => text.slice(6, -1)))].join(' + ');
};

function document(module: Module, head: Head, cuts: readonly Cut[], memory: {bytes: number; lowerBound: number} | null) {
  const nodes = nodesFor(module.graph, head.outputs);
  return {
    task: head.name,
    hash: head.outputs.map(id => hashOf(module.graph, id)).join(' '),
    ...costOfHead(module.graph, head),
    ...(memory && {arenaBytes: memory.bytes, arenaLowerBound: memory.lowerBound}),
    layers: nodes.map(node => ({
      value: node.outputs[0].name,
      op: node.op,
      type: printType(node.outputs[0].type),
      ...costOf(module.graph, node),
      origin: originOf(node),
    })),
    cuts: cuts.map(({value, bytes, depth}) => ({value: value.name, type: printType(value.type), bytes, depth})),
  };
}

function tell(module: Module, head: Head, cuts: readonly Cut[]): void {
  const nodes = nodesFor(module.graph, head.outputs);
  const total = costOfHead(module.graph, head);
  const cutAfter = new Set(cuts.map(cut => cut.after));
  say(
    `task ${head.name}: ${countText(total.macs)} MACs, ${bytesText(total.bytesOfWeights)} of weights, ${nodes.length} layers\n`,
  );
  const rows = nodes.map((node, i) => {
    const cost = costOf(module.graph, node);
    const share = total.macs > 0 ? `${((100 * cost.macs) / total.macs).toFixed(1)}%` : '';
    const epilogue = 'epilogue' in node.attrs && node.attrs.epilogue !== '' ? ` + ${node.attrs.epilogue}` : '';
    return [
      `${i}`,
      `${node.op}${epilogue}`,
      printType(node.outputs[0].type),
      countText(cost.macs),
      share,
      bytesText(cost.bytesOfWeights),
      cutAfter.has(node) ? 'cut' : '',
      shorten(originOf(node)),
    ];
  });
  say(table([['', 'layer', 'result', 'MACs', 'share', 'weights', '', 'from'], ...rows]));
  say('');
}

const shorten = (text: string): string => (text.length > 60 ? `${text.slice(0, 57)}...` : text);
