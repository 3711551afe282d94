/** The text form of a plan: what is called, on which bytes. For people; nothing reads it back. */
import {type Entry, everyEntry, type Plan, type Root, readsOf, type View, type Work} from './plan.js';
import {printScalar} from './scalar/text.js';
import {widthOf} from './tensor.js';

export function printPlan(plan: Plan): string {
  const entries = everyEntry(plan).map((entry, i) => printEntry(entry, plan.memory?.offsets[i] ?? []));
  const arena = plan.memory
    ? `  arena ${plan.memory.bytes}   // bytes; at least ${plan.memory.lowerBound} are alive at once\n\n`
    : '';
  return `dnnc-plan 1\n\nplan @${plan.name} {\n${arena}${entries.join('\n')}}\n`;
}

function printEntry(entry: Entry, offsets: readonly (number | null)[]): string {
  const name = (root: number): string => `%${entry.roots[root]?.name ?? root}`;
  const place = (view: View): string => {
    const start = view.offset * widthOf(view.dtype);
    const root = entry.roots[view.root]!;
    return `${rootText(root, name(view.root), offsets[view.root] ?? null)}${start ? `+${start}` : ''}`;
  };
  const lines = entry.steps.map(({work, value}) => {
    const reads = readsOf(work).map(place).join(', ');
    const target = value === '' ? '' : `%${value} = `;
    return `    ${target}${callText(work, offsets)} (${reads}) -> ${writeText(work, place, offsets)}\n`;
  });
  const signature = `(${entry.inputs.map(name).join(', ')}) -> (${entry.outputs.map(name).join(', ')})`;
  return `  entry @${entry.name}${signature} {\n${lines.join('')}  }\n`;
}

function rootText(root: Root, name: string, offset: number | null): string {
  switch (root.kind) {
    case 'arena':
      return `arena[${offset ?? '?'}, ${root.bytes}]`;
    case 'weights':
      return `weights(${name})`;
    case 'input':
    case 'output':
      return `${root.kind}(${name})`;
    default:
      return root satisfies never;
  }
}

function callText(work: Work, offsets: readonly (number | null)[]): string {
  if (work.kind === 'border') {
    const {top, left, bottom, right, value} = work.border;
    return `border {rows = ${work.rows}, columns = ${work.columns}, width = ${work.width}, border = [${top},${left},${bottom},${right}]${value === 0 ? '' : `, value = ${value}`}} at ${offsets[work.root] ?? '?'}`;
  }
  if (work.kind === 'loop') return `loop {domain = [${work.domain.join(',')}], expression = ${printScalar(work.expression)}}`;
  const fields = Object.entries(work.fields).map(([key, value]) => `${key} = ${value}`);
  const epilogue = work.epilogue && work.epilogue.kind !== 'arg' ? ` epilogue ${printScalar(work.epilogue)}` : '';
  return `${work.contract} {${fields.join(', ')}}${epilogue}`;
}

function writeText(work: Work, place: (view: View) => string, offsets: readonly (number | null)[]): string {
  if (work.kind === 'loop') return place(work.write);
  if (work.kind === 'border') return `arena[${offsets[work.root] ?? '?'}]`;
  return work.params.flatMap(({role, view}) => (role === 'write' && view ? [place(view)] : [])).join(', ');
}
