/** Accuracy against what it costs: a point with its interval for each contender, and the front as a stair. */
import {type Axis, axisAround} from '../page/axis.js';
import {type Html, html} from '../page/html.js';
import {across, type Frame, type Plot, plot, short, up} from '../page/plot.js';
import {accuracyOf, type Contender, fullAmong, isComparable} from './contenders.js';
import {frontOf} from './front.js';
import {placeLabels} from './labels.js';
import type {Measure} from './measures.js';
import {shapeAt, shapeOf, type Tones, toneClass} from './shapes.js';
import {mark, percent} from './words.js';

const frame: Frame = {width: 440, height: 280, left: 48, right: 14, top: 12, bottom: 26};

export type Point = {
  readonly contender: Contender;
  readonly cost: number;
  readonly accuracy: number;
  readonly interval: readonly [low: number, high: number];
  readonly range: readonly [low: number, high: number];
  /** Whether it was judged on the samples of the others. */
  readonly isComparable: boolean;
};

/** Those of whom both are known. */
export function pointsOf(contenders: readonly Contender[], measure: Measure): readonly Point[] {
  const full = fullAmong(contenders)?.variant ?? undefined;
  return contenders.flatMap(contender => {
    const [accuracy, cost] = [accuracyOf(contender), measure.of(contender)];
    if (!accuracy || cost === null) return [];
    const range = measure.range?.(contender) ?? [cost, cost];
    const {value, interval} = accuracy;
    return [{contender, cost, accuracy: value, interval, range, isComparable: isComparable(contender, full)}];
  });
}

/** Of what is in the build. */
export const frontAmong = (points: readonly Point[]): readonly Point[] =>
  frontOf(points.filter(point => point.contender.variant !== null && point.isComparable));

export function paretoPlot(points: readonly Point[], measure: Measure, tones: Tones): Html {
  const y = accuracies(points);
  const x = axisAround(
    points.flatMap(({range}) => range),
    mark(measure.text),
    {from: 0, powers: true},
  );
  const front = frontAmong(points);
  const says = `Accuracy against ${measure.name}: ${points.length} variants, on the front ${front.map(({contender}) => contender.recipe).join(', ')}`;
  const picture: Plot = {frame, x, y, says};
  const low = points.filter(({accuracy}) => accuracy < y.least);
  // What matters most is drawn last, on top.
  const layers = [
    points.filter(({contender}) => contender.variant === null),
    points.filter(point => point.contender.variant !== null && !front.includes(point)),
    front,
  ];
  const drawn = layers.flatMap(layer =>
    layer.toSorted((a, b) => a.cost - b.cost).map(point => pointAt(picture, point, front.includes(point), measure, tones)),
  );
  const named = points.filter(point => point.contender.recipe === 'full' || front.includes(point));
  const labels = placeLabels(
    frame,
    named.map(point => ({...placeOf(picture, point), text: point.contender.recipe})),
    points.map(point => placeOf(picture, point)),
  );
  const texts = labels.map(
    ({x: at, y: height, anchor, text}) =>
      html`<text class="label" x="${short(at)}" y="${short(height)}" text-anchor="${anchor}">${text}</text>`,
  );
  return html`<figure><figcaption>Accuracy against <b>${measure.name}</b>${measure.place === undefined ? null : ` on ${measure.place}`}${x.logarithmic ? ' (by powers)' : null}</figcaption>
${plot(picture, [stair(picture, front), html`<g class="marks">${drawn}</g>`, texts])}
${low.length > 0 ? html`<p class="note">Below the plot, marked by arrows: ${low.map(({contender, accuracy}) => `${contender.recipe} (${percent(accuracy)})`).join(', ')}.</p>` : null}</figure>`;
}

/** How much more than what is kept the plot may show of what was dropped: a collapse would press all else together. */
const mostBelow = 3;

function accuracies(points: readonly Point[]): Axis {
  const text = mark(value => `${Number(value.toFixed(3))}%`);
  const kept = points.filter(({contender}) => contender.variant !== null);
  const those = kept.length > 0 ? kept : points;
  const [low, high] = [Math.min(...those.map(({interval}) => interval[0])), Math.max(...points.map(({interval}) => interval[1]))];
  const floor = low - mostBelow * (high - low);
  const values = points.flatMap(({interval}) => interval).filter(value => value >= floor);
  return axisAround(values, text, {from: 0, to: 100});
}

const placeOf = (picture: Plot, {cost, accuracy}: Point): {readonly x: number; readonly y: number} => ({
  x: across(picture, cost),
  y: Math.min(up(picture, accuracy), frame.height - frame.bottom),
});

function pointAt(picture: Plot, point: Point, isFront: boolean, measure: Measure, tones: Tones): Html {
  const {contender, cost, accuracy, interval, range} = point;
  const {x, y} = placeOf(picture, point);
  const [at, height] = [short(x), short(y)];
  const isBelow = accuracy < picture.y.least;
  const title = `${contender.recipe}: ${percent(accuracy)} (${percent(interval[0])} to ${percent(interval[1])}), ${measure.text(cost)}`;
  const least = Math.max(interval[0], picture.y.least);
  const bars = isBelow
    ? `M${at} ${short(y - 14)}v14m-4-5l4 5l4-5`
    : `M${at} ${short(up(picture, interval[1]))}V${short(up(picture, least))}` +
      (range[0] < range[1] ? `M${short(across(picture, range[0]))} ${height}H${short(across(picture, range[1]))}` : '');
  const shape = shapeOf(contender, isFront);
  return html`<g class="${toneClass(tones, contender.recipe)} ${isFront ? 'best' : null}" data-row="v${contender.number}"><title>${title}</title><path class="bar" d="${bars}"/>${isBelow ? null : shapeAt(shape, at, height)}<circle class="hit" cx="${at}" cy="${height}" r="9"/></g>`;
}

/** For any budget, the best accuracy that it buys. */
function stair(picture: Plot, front: readonly Point[]): Html {
  const [first, ...rest] = front;
  if (!first) return html``;
  const steps = rest.map(point => `H${short(across(picture, point.cost))}V${short(up(picture, point.accuracy))}`).join('');
  const start = `M${short(across(picture, first.cost))} ${short(up(picture, first.accuracy))}`;
  return html`<path class="stair" d="${start}${steps}H${frame.width - frame.right}"/>`;
}
