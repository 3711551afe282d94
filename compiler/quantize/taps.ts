/** Throw-away builds in which a task's head returns values from inside its network besides its own. */
import {join} from 'node:path';
import {invariant} from '../../ir/diagnostics.js';
import {editor} from '../../ir/edit.js';
import {headOf, valueAt} from '../../ir/graph.js';
import type {Builder} from '../../ir/op.js';
import {concat} from '../../ir/ops/concat/index.js';
import {reshape} from '../../ir/ops/reshape/index.js';
import {elements} from '../../ir/tensor.js';
import type {Graph, Module, Value, ValueId} from '../../ir/types.js';
import {type Entry, load, type TypedArray} from '../../runtime/index.js';
import {build} from '../build.js';
import {targetsNamed} from '../host.js';
import {temporaryFolder} from '../open.js';
import type {Task} from '../tasks.js';

/** How a build reads the models: the same in all builds of a recipe, so that they have the same values. */
export type Reading = {
  /** Sizes of symbolic dimensions. */
  readonly bind: ReadonlyMap<string, number>;
  /** As in `BuildOptions`. */
  readonly share?: boolean;
  readonly progress?: (doing: string) => void;
  /** What earlier steps of a recipe made of the module. */
  readonly before?: (module: Module) => Module;
};

/** Values that a task returns besides its own outputs; all are f32. */
export type Taps = {readonly task: string; readonly ids: readonly ValueId[]};

/** A module, and what is tapped: several lists may be of one task. */
export type Tapped = {readonly module: Module; readonly taps: readonly Taps[]};

/** A task's code, and what it gives of one list of values tapped: views of its outputs, which the next call overwrites. */
export type TappedEntry = {readonly entry: Entry; tapsOf(outputs: readonly TypedArray[]): readonly Float32Array[]};

/**
 * Builds the tasks in portable C, so that scales are the same on every machine and compile fast; `change` says what is tapped, and there is an entry for each of its lists. Heads that are
 * not a task's own are left out.
 */
export async function openTapped(
  tasks: readonly Task[],
  {bind, share = true, progress = () => {}, before = module => module}: Reading,
  change: (module: Module) => Tapped,
): Promise<readonly TappedEntry[]> {
  const directory = join(temporaryFolder(), 'taps');
  const lists: {readonly task: string; readonly sizes: readonly number[]}[] = [];
  const lossy = (given: Module): Module => {
    const {module, taps} = change(before(given));
    for (const {task, ids} of taps) lists.push({task, sizes: ids.map(id => elements(valueAt(module.graph, id).type.shape))});
    const named = tasks.map(({name}) => ({name, ids: taps.flatMap(({task, ids}) => (task === name ? ids : []))}));
    // Copies that are tapped hang on heads of their own, which go last.
    const all = named.reduce((tapped, {name, ids}) => (ids.length === 0 ? tapped : withTaps(tapped, name, ids)), module);
    return withoutOthers(all, tasks);
  };
  await build(tasks, {
    ...{directory, name: 'taps', targets: targetsNamed(['generic']), bind, share},
    ...{lossy, measure: false, typed: false, progress, flags: ['-O2']},
  });
  const session = load(directory);
  return lists.map(({task, sizes}, i) => {
    const before = lists.slice(0, i).flatMap(list => (list.task === task ? list.sizes : []));
    const first = before.reduce((sum, size) => sum + size, 0);
    const tapsOf = (outputs: readonly TypedArray[]): readonly Float32Array[] => {
      const all = floats(outputs.at(-1)!);
      let begin = first;
      return sizes.map(size => {
        begin += size;
        return all.subarray(begin - size, begin);
      });
    };
    return {entry: session.entry(task), tapsOf};
  });
}

/** The module with the heads that are tasks, and no others: variants cost time to compile. */
export const withoutOthers = (module: Module, tasks: readonly Task[]): Module => ({
  ...module,
  heads: module.heads.filter(({name}) => tasks.some(task => task.name === name)),
});

/** One more output with all taps, one behind the other: entries take few outputs, networks have many layers. */
function withTaps(module: Module, task: string, ids: readonly ValueId[]): Module {
  const edit = editor(module, 'taps');
  const all = inOneRow(edit.atEnd(`${task}.taps`), ids, module.graph);
  const head = headOf(module, task);
  const names = [...head.outputs.map((_, i) => `output.${i}`), 'taps'];
  edit.addHead({...head, outputs: [...head.outputs, all.id], attrs: {...head.attrs, outputs: names}});
  const {heads, ...rest} = edit.finish();
  return {...rest, heads: heads.filter(({name}, i) => name !== task || i === heads.length - 1)};
}

/** All values, one behind the other. */
export function inOneRow({emit}: Builder, ids: readonly ValueId[], graph: Graph): Value {
  const rows = ids.map(id => {
    const value = valueAt(graph, id);
    return emit(reshape, [value], {shape: [1, elements(value.type.shape)]})[0];
  });
  return emit(concat, rows, {axis: 1})[0];
}

/** What is tapped is f32: of other types nothing becomes bytes. */
export function floats(values: TypedArray): Float32Array {
  invariant(values instanceof Float32Array, 'int8.tap', 'int8', 'a value that is not f32 was tapped');
  return values;
}
