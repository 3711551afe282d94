/** The frame of a picture: a ground, lines and texts along two axes. What is inside is drawn by whoever knows it. */
import {type Axis, along} from './axis.js';
import {type Html, html, type Part} from './html.js';

/** In units of the drawing, which is scaled to the width that it gets. */
export type Frame = {
  readonly width: number;
  readonly height: number;
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
};

export type Plot = {
  readonly frame: Frame;
  readonly x: Axis;
  readonly y: Axis;
  /** What is to be seen, for those who do not see it. */
  readonly says: string;
};

/** Of a letter of the texts in pictures, on the safe side of what typefaces take. */
export const letterWidth = 6.8;

/** A coordinate: a tenth is finer than any screen. */
export const short = (value: number): string => Number(value.toFixed(1)).toString();

export const innerWidth = ({width, left, right}: Frame): number => width - left - right;
export const innerHeight = ({height, top, bottom}: Frame): number => height - top - bottom;
export const across = ({frame, x}: Plot, value: number): number => frame.left + innerWidth(frame) * along(x, value);
export const up = ({frame, y}: Plot, value: number): number => frame.top + innerHeight(frame) * (1 - along(y, value));

/** `below` is under the lines of the grid. */
export function plot(picture: Plot, content: Part, below: Part = null): Html {
  const {frame, x, y, says} = picture;
  const {width, height, left, right} = frame;
  const levels = y.marks.map(mark => {
    const at = short(up(picture, mark));
    return html`<path class="grid" d="M${left} ${at}H${width - right}"/><text x="${left - 6}" y="${at}" dy="4" text-anchor="end">${y.text(mark)}</text>`;
  });
  const marks = x.marks.map(mark => {
    const part = along(x, mark);
    const anchor = part <= 0 ? 'start' : part > 0.96 ? 'end' : 'middle';
    return html`<text x="${short(across(picture, mark))}" y="${height - frame.bottom + 16}" text-anchor="${anchor}">${x.text(mark)}</text>`;
  });
  return html`<svg class="plot" viewBox="0 0 ${width} ${height}" role="img" aria-label="${says}">${below}${levels}${marks}${content}</svg>`;
}
