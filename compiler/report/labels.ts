/** Names beside points: each at the first place around its point where nothing is in the way, or nowhere. */
import {type Frame, letterWidth} from '../page/plot.js';

type At = {readonly x: number; readonly y: number};
export type Label = At & {readonly text: string};
type Box = {readonly left: number; readonly right: number; readonly top: number; readonly bottom: number};
export type PlacedLabel = Label & {readonly anchor: 'start' | 'end'};

/** Of a line of text. */
const height = 12;

export function placeLabels(frame: Frame, labels: readonly Label[], points: readonly At[]): readonly PlacedLabel[] {
  const taken = points.map(({x, y}): Box => ({left: x - 6, right: x + 6, top: y - 6, bottom: y + 6}));
  return labels.flatMap(({x, y, text}) => {
    const places: readonly PlacedLabel[] = [
      {x: x + 6, y: y - 8, anchor: 'start', text},
      {x: x - 6, y: y - 8, anchor: 'end', text},
      {x: x + 9, y: y + 4, anchor: 'start', text},
      {x: x - 9, y: y + 4, anchor: 'end', text},
      {x: x + 6, y: y + 16, anchor: 'start', text},
      {x: x - 6, y: y + 16, anchor: 'end', text},
    ];
    const place = places.find(each => isInside(frame, boxOf(each)) && !taken.some(box => meet(box, boxOf(each))));
    if (!place) return [];
    taken.push(boxOf(place));
    return [place];
  });
}

function boxOf({x, y, text, anchor}: PlacedLabel): Box {
  const long = text.length * letterWidth;
  const left = anchor === 'start' ? x : x - long;
  return {left, right: left + long, top: y - height + 3, bottom: y + 3};
}

const isInside = (frame: Frame, box: Box): boolean =>
  box.left >= frame.left && box.right <= frame.width && box.top >= 0 && box.bottom <= frame.height - frame.bottom;

const meet = (a: Box, b: Box): boolean => a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
