/**
 * What is painted on a sign, as distances: a negative distance is inside. Coordinates have the middle of the sign at 0,0,
 * its edge about 1 away, and y downwards.
 */
import type {Shape} from './tasks.js';

export type Point = readonly [x: number, y: number];
/** A straight line: its start, its way, and one over its squared length. */
type Segment = {readonly x: number; readonly y: number; readonly dx: number; readonly dy: number; readonly over: number};

/** Distance to the nearest of some lines. */
export function toStrokes(x: number, y: number, strokes: readonly Segment[]): number {
  let nearest = Number.POSITIVE_INFINITY;
  for (const {x: ax, y: ay, dx, dy, over} of strokes) {
    const t = Math.min(1, Math.max(0, ((x - ax) * dx + (y - ay) * dy) * over));
    const ex = x - ax - t * dx;
    const ey = y - ay - t * dy;
    nearest = Math.min(nearest, ex * ex + ey * ey);
  }
  return Math.sqrt(nearest);
}

function path(...points: readonly Point[]): readonly Segment[] {
  return points.slice(1).map(([bx, by], index) => {
    const [x, y] = points[index] ?? [bx, by];
    const [dx, dy] = [bx - x, by - y];
    return {x, y, dx, dy, over: 1 / (dx * dx + dy * dy)};
  });
}

/** cos of sixteenths of a turn; a table, because engines need not agree on the last bit of Math.cos. */
const cosines = [1, 0.9238795325112867, Math.SQRT1_2, 0.3826834323650898, 0];
function cosine(sixteenth: number): number {
  const k = ((sixteenth % 16) + 16) % 16;
  const folded = k > 8 ? 16 - k : k;
  return folded <= 4 ? (cosines[folded] ?? 0) : -(cosines[8 - folded] ?? 0);
}

/** Points of an ellipse; angles in sixteenths of a turn, 0 to the right, 4 down. */
function arc(cx: number, cy: number, rx: number, ry: number, from: number, to: number): readonly Point[] {
  const step = Math.sign(to - from);
  return Array.from({length: Math.abs(to - from) + 1}, (_, index): Point => {
    const angle = from + step * index;
    return [cx + rx * cosine(angle), cy + ry * cosine(angle - 4)];
  });
}

/** Digits in a box 0.6 wide and 1 high whose corner is at 0,0. */
const digits: readonly (readonly Segment[])[] = [
  path(...arc(0.3, 0.5, 0.3, 0.5, 0, 16)),
  path([0.1, 0.22], [0.36, 0], [0.36, 1]),
  path(...arc(0.3, 0.29, 0.29, 0.29, 8, 17), [0.02, 1], [0.6, 1]),
  [...path(...arc(0.28, 0.26, 0.28, 0.26, 9, 20)), ...path(...arc(0.28, 0.75, 0.31, 0.25, -4, 7))],
  path([0.45, 1], [0.45, 0], [0, 0.68], [0.62, 0.68]),
  path([0.54, 0], [0.1, 0], [0.05, 0.46], ...arc(0.28, 0.69, 0.31, 0.31, -5, 7)),
  [...path(...arc(0.3, 0.69, 0.29, 0.31, 0, 16)), ...path([0.5, 0.02], [0.28, 0.16], [0.08, 0.42], [0.01, 0.69])],
  path([0, 0], [0.6, 0], [0.22, 1]),
  [...path(...arc(0.3, 0.25, 0.25, 0.25, 0, 16)), ...path(...arc(0.3, 0.75, 0.3, 0.25, 0, 16))],
  [...path(...arc(0.3, 0.31, 0.29, 0.31, 0, 16)), ...path([0.1, 0.98], [0.32, 0.84], [0.52, 0.58], [0.59, 0.31])],
];

/** What a sign without a number may show instead. */
const pictograms: readonly (readonly Segment[])[] = [
  [],
  path([-0.5, 0], [0.5, 0]),
  path([0, 0.5], [0, -0.5], [-0.3, -0.15], [0, -0.5], [0.3, -0.15]),
  [...path([0, -0.5], [0, 0.12]), ...path([0, 0.42], [0, 0.46])],
  path([-0.3, -0.45], [0.15, 0], [-0.3, 0.45]),
  path([-0.4, -0.4], [0.4, 0.4], [0, 0], [-0.4, 0.4], [0.4, -0.4]),
];
export const pictogramCount = pictograms.length;

/** Where a shape has room for a number: middle, width and height. */
const room: Readonly<Record<Shape, readonly [y: number, width: number, height: number]>> = {
  triangle: [0.26, 0.98, 0.58],
  circle: [0, 1.22, 0.78],
  diamond: [0, 1.16, 0.66],
  octagon: [0, 1.24, 0.8],
  'inverted triangle': [-0.26, 0.98, 0.58],
  square: [0, 1.24, 0.88],
};

const placed = (strokes: readonly Segment[], left: number, top: number, scale: number): readonly Segment[] =>
  strokes.map(({x, y, dx, dy, over}) => ({
    x: left + x * scale,
    y: top + y * scale,
    dx: dx * scale,
    dy: dy * scale,
    over: over / (scale * scale),
  }));

export type Figure = {readonly strokes: readonly Segment[]; readonly height: number};

/** The strokes of a number, as large as the shape has room for; `fill` <= 1 makes them smaller. */
export function numberFigure(text: string, shape: Shape, fill: number): Figure {
  const [middle, width, height] = room[shape];
  const advance = 0.86;
  const wide = 0.6 + advance * (text.length - 1);
  const scale = fill * Math.min(height, width / wide);
  const strokes = [...text].flatMap((digit, index) =>
    placed(digits[Number(digit)] ?? [], (index * advance - wide / 2) * scale, middle - scale / 2, scale),
  );
  return {strokes, height: scale};
}

export function pictogramFigure(index: number, shape: Shape, fill: number): Figure {
  const [middle, , height] = room[shape];
  return {strokes: placed(pictograms[index] ?? [], 0, middle, fill * height), height: fill * height};
}

const corners: Readonly<Record<Exclude<Shape, 'circle'>, readonly Point[]>> = {
  triangle: [
    [0, -1.02],
    [1.02, 0.74],
    [-1.02, 0.74],
  ],
  diamond: [
    [0, -1.08],
    [1.08, 0],
    [0, 1.08],
    [-1.08, 0],
  ],
  octagon: [
    [0.381, -0.92],
    [0.92, -0.381],
    [0.92, 0.381],
    [0.381, 0.92],
    [-0.381, 0.92],
    [-0.92, 0.381],
    [-0.92, -0.381],
    [-0.381, -0.92],
  ],
  'inverted triangle': [
    [-1.02, -0.74],
    [1.02, -0.74],
    [0, 1.02],
  ],
  square: [
    [-0.84, -0.84],
    [0.84, -0.84],
    [0.84, 0.84],
    [-0.84, 0.84],
  ],
};
const edges: Readonly<Record<Exclude<Shape, 'circle'>, readonly Segment[]>> = {
  triangle: path(...corners.triangle, [0, -1.02]),
  diamond: path(...corners.diamond, [0, -1.08]),
  octagon: path(...corners.octagon, [0.381, -0.92]),
  'inverted triangle': path(...corners['inverted triangle'], [-1.02, -0.74]),
  square: path(...corners.square, [-0.84, -0.84]),
};

/** Distance to the edge of a shape. All corners are listed clockwise as seen, so inside is to the right of every edge. */
export function toShape(x: number, y: number, shape: Shape): number {
  if (shape === 'circle') return Math.sqrt(x * x + y * y) - 0.95;
  let inside = true;
  const sides = edges[shape];
  for (const side of sides) if (side.dx * (y - side.y) - side.dy * (x - side.x) < 0) inside = false;
  const distance = toStrokes(x, y, sides);
  return inside ? -distance : distance;
}
