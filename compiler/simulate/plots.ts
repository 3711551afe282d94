/** Pictures of a day as SVG: curves, and shares that stack up to a whole. The page brings the colours. */
import {type Axis, evenAxis} from '../page/axis.js';
import {type Html, html} from '../page/html.js';
import {across, type Frame, innerHeight, innerWidth, type Plot, plot, short, up} from '../page/plot.js';

/** Values per slice of the day; NaN is a gap. `tone` is the position of its colour. */
export type Series = {readonly name: string; readonly values: readonly number[]; readonly tone: number};

/** A day of so many hours. `outages` has the part of each slice without a connection, drawn as a darker ground. */
export type Day = {readonly hours: number; readonly outages: readonly number[]};

const frame: Frame = {width: 860, height: 170, left: 46, right: 8, top: 8, bottom: 22};

export const percents = evenAxis(0, 100, 2, value => `${value}%`);

export function curves(says: string, series: readonly Series[], y: Axis, day: Day): Html {
  const picture = pictureOf(says, y, day);
  const lines = series.map(({values, tone}) => {
    let isDown = true;
    const path = values.map((value, i) => {
      if (Number.isNaN(value)) {
        isDown = true;
        return '';
      }
      const step = `${isDown ? 'M' : 'L'}${at(picture, i + 0.5, values.length)} ${short(up(picture, value))}`;
      isDown = false;
      return step;
    });
    return html`<path class="line t${tone}" d="${path.join('')}"/>`;
  });
  return plot(picture, lines, ground(picture, day));
}

export function stack(says: string, series: readonly Series[], y: Axis, day: Day): Html {
  const picture = pictureOf(says, y, day);
  const count = series[0]?.values.length ?? 0;
  const below = new Float64Array(count);
  const areas = series.map(({values, tone}) => {
    const bars = values.map((value, i) => {
      if (!(value > 0)) return '';
      const [from, to] = [up(picture, below[i]!), up(picture, below[i]! + value)];
      below[i]! += value;
      return `M${at(picture, i, count)} ${short(from)}H${at(picture, i + 1, count)}V${short(to)}H${at(picture, i, count)}Z`;
    });
    return html`<path class="area t${tone}" d="${bars.join('')}"/>`;
  });
  return plot(picture, ground(picture, day), areas);
}

const pictureOf = (says: string, y: Axis, {hours}: Day): Plot => ({
  ...{frame, y, says},
  x: evenAxis(0, hours, 5, value => `${short(value)} h`),
});

/** Where slice `i` of `count` begins. */
const at = (picture: Plot, i: number, count: number): string => short(across(picture, (picture.x.most * i) / count));

const ground = (picture: Plot, {outages}: Day): readonly Html[] =>
  outages.flatMap((off, i) =>
    off > 0.5
      ? [
          html`<rect class="off" x="${at(picture, i, outages.length)}" y="${frame.top}" width="${short(innerWidth(frame) / outages.length)}" height="${innerHeight(frame)}"/>`,
        ]
      : [],
  );
