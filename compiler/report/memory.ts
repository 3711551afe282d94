/** The arena while a variant runs: a rectangle for each buffer, from its first step to its last, at its place. */
import {preferences} from '../../codegen/kernels/ways.js';
import type {Plan} from '../../ir/plan.js';
import type {Module} from '../../ir/types.js';
import {planMemory} from '../../passes/plan-memory/index.js';
import type {Manifest} from '../../runtime/manifest.js';
import {lower} from '../lower/lower.js';
import {variantIdOf} from '../manifest.js';
import {buffersOf, type PlacedBuffer} from '../memory-map.js';
import {type Axis, axisAround} from '../page/axis.js';
import {type Html, html, raw} from '../page/html.js';
import {across, type Frame, letterWidth, type Plot, plot, short, up} from '../page/plot.js';
import {fitting} from './fitting.js';
import {bytes, counted, mark} from './words.js';

const frame: Frame = {width: 900, height: 260, left: 62, right: 12, top: 16, bottom: 26};

/** Of the variant `id`, which is entry `at` of the plan. */
export function memoryOf(id: string, plan: Plan, at: number): Html {
  const entry = plan.entries[at]!;
  const buffers = buffersOf(entry, plan.memory!.offsets[at]!);
  const steps = Math.max(1, entry.steps.length);
  const {bytes: peak, lowerBound} = plan.memory!.entryBytes[at]!;
  const over = lowerBound > 0 ? (100 * (peak - lowerBound)) / lowerBound : 0;
  const says = `${id}: ${bytes(peak)} at its peak; at least ${bytes(lowerBound)} are alive at once (+${over.toFixed(1)}%); ${counted(buffers.length, 'buffer')} over ${counted(steps, 'step')}`;
  const picture: Plot = {
    frame,
    x: stepsAxis(steps),
    y: axisAround([0, peak], mark(bytes), {from: 0}),
    says,
  };
  const bound = short(up(picture, lowerBound));
  const lines = html`<path class="bound" d="M${frame.left} ${bound}H${frame.width - frame.right}"/><text x="${frame.width - frame.right}" y="${short(up(picture, lowerBound) - 4)}" text-anchor="end">at least ${bytes(lowerBound)}</text>`;
  const drawn = html`<g class="marks">${buffers.map(buffer => boxOf(picture, buffer))}</g>${lines}`;
  return html`<details class="memory"${at === 0 ? raw(' open') : null}><summary>${id} <small>${says.slice(id.length + 2)}</small></summary>${plot(picture, drawn)}</details>`;
}

/** Whole steps, about a dozen of them marked. */
function stepsAxis(steps: number): Axis {
  const stride = Math.ceil(steps / 12);
  const marks = Array.from({length: Math.floor(steps / stride) + 1}, (_, i) => i * stride);
  return {least: 0, most: steps, logarithmic: false, marks, text: step => `step ${step}`};
}

function boxOf(picture: Plot, {name, offset, size, first, last}: PlacedBuffer): Html {
  const [left, right] = [across(picture, first), across(picture, last + 1)];
  const [top, bottom] = [up(picture, offset + size), up(picture, offset)];
  const text = bottom - top < 13 ? undefined : [name, bytes(size)].find(each => right - left >= (each.length + 1) * letterWidth);
  const label = text === undefined ? null : html`<text x="${short(left + 4)}" y="${short(top + 11)}">${text}</text>`;
  return html`<g><title>%${name}: ${bytes(size)} at ${offset}, steps ${first} to ${last}</title><rect x="${short(left)}" y="${short(top)}" width="${short(right - left)}" height="${short(bottom - top)}"/>${label}</g>`;
}

/** Of the variants that are entries of the module; those of `full` first. */
export function memorySection(manifest: Manifest, module: Module, room: number): Html {
  const {plan, isOwn} = planFor(manifest, module);
  const ids = module.heads.map(variantIdOf);
  const entries = ids.map((id, at) => ({id, at}));
  const sorted = [...entries.filter(({id}) => id.endsWith('/full')), ...entries.filter(({id}) => !id.endsWith('/full'))];
  const {drawn, left} = fitting(sorted, ({id, at}) => memoryOf(id, plan, at), room);
  const other = isOwn
    ? null
    : html`<p class="note">Kernels were chosen otherwise when this was built: sizes differ from those of the manifest.</p>`;
  const rest =
    left > 0
      ? html`<p class="note">${counted(left, 'more variant')} would make this page large: see <code>dnnc inspect --plan</code>.</p>`
      : null;
  return html`${other}${drawn}${rest}`;
}

/** The plan as the build made it, found by the sizes that the manifest has: what the kernels were chosen for is not written down. */
function planFor({variants}: Manifest, module: Module): {readonly plan: Plan; readonly isOwn: boolean} {
  const sizes = new Map(variants.map(({id, arenaBytes}) => [id, arenaBytes]));
  const isOwn = ({memory}: Plan): boolean =>
    module.heads.every((head, at) => (sizes.get(variantIdOf(head)) ?? -1) === memory!.entryBytes[at]!.bytes);
  const plans = Object.values(preferences).map(
    ({way}) =>
      () =>
        planMemory(lower(module, way, [])),
  );
  for (const make of plans) {
    const plan = make();
    if (isOwn(plan)) return {plan, isOwn: true};
  }
  return {plan: plans[0]!(), isOwn: false};
}
