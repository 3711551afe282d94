/** Pictures of a day as SVG text: curves, and shares that stack up to a whole. The page brings the colours. */

/** Values per slice of the day; NaN is a gap. `tone` is the position of its colour. */
export type Series = {readonly name: string; readonly values: readonly number[]; readonly tone: number};

type Axis = {readonly least: number; readonly most: number; readonly unit: string};

const size = {width: 860, height: 170, left: 46, right: 8, top: 8, bottom: 22};
const inner = {width: size.width - size.left - size.right, height: size.height - size.top - size.bottom};
const across = (i: number, count: number): number => size.left + (inner.width * i) / count;
const up = (value: number, {least, most}: Axis): number =>
  size.top + inner.height * (1 - (value - least) / Math.max(1e-12, most - least));
const short = (value: number): string => Number(value.toFixed(1)).toString();

/** Slices without a connection as a darker ground; `outages` has the part of each slice that was off, NaN where unknown. */
export function curves(series: readonly Series[], axis: Axis, hours: number, outages: readonly number[]): string {
  const lines = series.map(({values, tone}) => {
    let isDown = true;
    const path = values.map((value, i) => {
      if (Number.isNaN(value)) {
        isDown = true;
        return '';
      }
      const step = `${isDown ? 'M' : 'L'}${short(across(i + 0.5, values.length))} ${short(up(value, axis))}`;
      isDown = false;
      return step;
    });
    return `<path class="line t${tone}" d="${path.join('')}"/>`;
  });
  return plot(axis, hours, ground(outages) + lines.join(''));
}

export function stack(series: readonly Series[], axis: Axis, hours: number, outages: readonly number[]): string {
  const count = series[0]?.values.length ?? 0;
  const below = new Float64Array(count);
  const areas = series.map(({values, tone}) => {
    const bars = values.map((value, i) => {
      if (!(value > 0)) return '';
      const [from, to] = [up(below[i]!, axis), up(below[i]! + value, axis)];
      below[i]! += value;
      return `M${short(across(i, count))} ${short(from)}H${short(across(i + 1, count))}V${short(to)}H${short(across(i, count))}Z`;
    });
    return `<path class="area t${tone}" d="${bars.join('')}"/>`;
  });
  return plot(axis, hours, areas.join('') + ground(outages));
}

const ground = (outages: readonly number[]): string =>
  outages
    .map((off, i) =>
      off > 0.5
        ? `<rect class="off" x="${short(across(i, outages.length))}" y="${size.top}" width="${short(inner.width / outages.length)}" height="${inner.height}"/>`
        : '',
    )
    .join('');

function plot(axis: Axis, hours: number, content: string): string {
  const {least, most, unit} = axis;
  const levels = [least, (least + most) / 2, most].map(
    level =>
      `<line class="grid" x1="${size.left}" x2="${size.width - size.right}" y1="${up(level, axis)}" y2="${up(level, axis)}"/>` +
      `<text x="${size.left - 6}" y="${up(level, axis) + 4}" text-anchor="end">${short(level)}${unit}</text>`,
  );
  const times = Array.from({length: 6}, (_, i) => {
    const anchor = i === 0 ? 'start' : i === 5 ? 'end' : 'middle';
    return `<text x="${across(i, 5)}" y="${size.height - 6}" text-anchor="${anchor}">${short((hours * i) / 5)} h</text>`;
  });
  return `<svg viewBox="0 0 ${size.width} ${size.height}" role="img">${content}${levels.join('')}${times.join('')}</svg>`;
}

export const legend = (series: readonly Series[]): string =>
  `<p class="legend">${series.map(({name, tone}) => `<span><i class="t${tone}"></i>${escaped(name)}</span>`).join(' ')}</p>`;

export const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
