/**
 * One road sign as a dash camera sees it: 48 x 48 pixels, red, green, blue. The same labels and seed give the same bytes
 * on every machine: all values come from +, -, *, /, square roots, floors and 32-bit integers, which are exact everywhere.
 */
import {blend, type Canvas, canvas, clamp, disc, grey, line, mix, type Rgb, size, times, tinted} from './canvas.js';
import {numberFigure, pictogramCount, pictogramFigure, toShape, toStrokes} from './figures.js';
import {noise, type Random, random} from './random.js';
import {paintScenery} from './scenery.js';
import {type Colour, type Labels, nameOf, type Shape, tasks} from './tasks.js';
import {fall, sampleWorld, type World} from './weather.js';

const paint: Readonly<Record<Colour, Rgb>> = {
  red: [0.75, 0.08, 0.1],
  blue: [0.08, 0.26, 0.66],
  yellow: [0.94, 0.74, 0.1],
  white: [0.9, 0.9, 0.88],
  green: [0.06, 0.46, 0.24],
};
const white: Rgb = [0.9, 0.9, 0.88];
const black: Rgb = [0.06, 0.06, 0.07];

/** Labels drawn uniformly. */
export const drawLabels = ({below}: Random): Labels => ({
  shape: below(tasks.shape.length),
  colour: below(tasks.colour.length),
  number: below(tasks.number.length),
  weather: below(tasks.weather.length),
});

/** Bytes of one image: row after row, pixel after pixel, red, green, blue. */
export function renderSign(labels: Labels, seed: number): Uint8Array {
  const dice = random(seed);
  const world = sampleWorld(nameOf('weather', labels.weather), dice);
  const picture = canvas();
  paintScenery(picture, world, dice);
  const where = place(dice);
  const surface = surfaceOf(labels, dice);
  paintSign(picture, where, surface, world, dice);
  if (dice.chance(0.25)) occlude(picture, where, world, dice);
  fall(picture, world, dice);
  return expose(blurred(picture, dice), world, dice);
}

/** The map from pixels to the plane of the sign: an affine part, then a perspective division. */
type Place = {
  readonly cx: number;
  readonly cy: number;
  /** Pixels for one unit of the sign. */
  readonly scale: number;
  readonly toSign: (x: number, y: number) => readonly [u: number, v: number, pixel: number];
};

function place({range, normal}: Random): Place {
  const scale = range(14, 21.5);
  const slack = Math.max(0, size / 2 - scale - 0.5);
  const [cx, cy] = [size / 2 - 0.5 + range(-slack, slack), size / 2 - 0.5 + range(-slack, slack)];
  // A rotation by the angle whose half has this tangent; within about 15 degrees.
  const half = clamp(0.05 * normal(), -0.13, 0.13);
  const cos = (1 - half * half) / (1 + half * half);
  const sin = (2 * half) / (1 + half * half);
  const [narrow, shear] = [range(0.78, 1.02), range(-0.1, 0.1)];
  const [px, py] = [range(-0.16, 0.16), range(-0.1, 0.1)];
  return {
    cx,
    cy,
    scale,
    toSign: (x, y) => {
      const dx = (x - cx) / scale;
      const dy = (y - cy) / scale;
      const depth = 1 + px * dx + py * dy;
      const u = (cos * dx + sin * dy) / (narrow * depth);
      const v = (cos * dy - sin * dx) / depth + shear * u;
      return [u, v, 1 / (scale * depth)];
    },
  };
}

/** What is printed on the sign: a colour, and how deep in the sign, for every point of its plane. */
type Surface = {
  readonly edge: (u: number, v: number) => number;
  readonly at: (u: number, v: number, edge: number, pixel: number) => Rgb;
};

function surfaceOf(labels: Labels, dice: Random): Surface {
  const {range, chance, below, normal} = dice;
  const shape: Shape = nameOf('shape', labels.shape);
  const colour = nameOf('colour', labels.colour);
  const text = nameOf('number', labels.number);
  const worn = range(0, 1) * range(0.05, 0.55);
  const aged = (rgb: Rgb): Rgb => {
    const [r, g, b] = blend(rgb, grey(0.55), worn);
    return [r * (1 + 0.05 * normal()), g * (1 + 0.05 * normal()), b * (1 + 0.05 * normal())];
  };
  const own = aged(paint[colour]);
  const dark = aged(black);
  const pale = aged(white);
  // A coloured rim around white, or a coloured field with a thin line around it.
  const rimmed = colour !== 'white' && chance(0.5);
  const bright = colour === 'yellow' || colour === 'white';
  const field = rimmed ? pale : own;
  const ink = rimmed || bright ? dark : pale;
  const rim = rimmed ? own : bright ? dark : pale;
  const [rimFrom, rimTo] = rimmed ? [0, range(0.14, 0.24)] : [range(0.02, 0.05), range(0.06, 0.11)];
  const figure =
    text === 'none' ? pictogramFigure(below(pictogramCount), shape, range(0.6, 1)) : numberFigure(text, shape, range(0.86, 1.02));
  const stroke = figure.height * range(0.075, 0.11);
  const dirt = below(1 << 30);
  const dirty = chance(0.3) ? range(0, 0.35) : 0;
  return {
    edge: (u, v) => toShape(u, v, shape),
    at: (u, v, edge, pixel) => {
      const onRim = clamp(0.5 + (-edge - rimFrom) / pixel) * clamp(0.5 + (rimTo + edge) / pixel);
      const inked = figure.strokes.length ? clamp(0.5 + (stroke - toStrokes(u, v, figure.strokes)) / pixel) : 0;
      const outside = rimFrom > 0 ? own : rim;
      const base = blend(-edge < rimFrom ? outside : field, rim, onRim);
      const clean = blend(base, ink, inked * clamp(0.5 + (-edge - rimTo) / pixel));
      return blend(clean, [0.3, 0.26, 0.2], dirty * noise(dirt, u * 3, v * 3));
    },
  };
}

function paintSign(on: Canvas, where: Place, surface: Surface, world: World, {range, chance}: Random): void {
  const metal = times(grey(range(0.3, 0.6)), world.signLight);
  line(
    on,
    where.cx + range(-1, 1),
    where.cy + where.scale * 0.5,
    range(-2, 2),
    size,
    range(1.2, 3),
    blend(metal, world.hazeColour, world.haze),
    1,
  );
  const warm: Rgb = world.weather === 'night' ? [1, range(0.78, 1), range(0.5, 1)] : [1, range(0.92, 1.02), range(0.82, 1.1)];
  const [slopeX, slopeY] = [range(-0.22, 0.22), range(-0.22, 0.22)];
  // Tree shadow on a sunny day, falloff of the headlights at night, a cap of snow.
  const shadow = world.weather === 'clear' && chance(0.3) ? range(0.2, 0.5) : 0;
  const [shadowSeed, shadowSize] = [Math.floor(range(0, 1 << 30)), range(1, 2.5)];
  const falloff = world.weather === 'night' ? range(0.1, 0.5) : 0;
  const cap = world.weather === 'snow' && chance(0.5) ? range(0.05, 0.3) : 0;
  for (let y = 0; y < size; y++)
    for (let x = 0; x < size; x++) {
      const [u, v, pixel] = where.toSign(x, y);
      if (pixel <= 0 || Math.abs(u) > 1.3 || Math.abs(v) > 1.3) continue;
      const edge = surface.edge(u, v);
      const share = clamp(0.5 - edge / pixel);
      if (share === 0) continue;
      const dark = shadow * clamp(4 * noise(shadowSeed, u * shadowSize, v * shadowSize) - 1.6);
      const light = world.signLight * (1 + slopeX * u + slopeY * v) * (1 - dark) * (1 - falloff * clamp((u * u + v * v) * 0.6));
      const printed = surface.at(u, v, edge, pixel);
      const capped = cap
        ? blend(printed, grey(0.92), clamp((cap * (0.6 + 0.8 * noise(shadowSeed, u * 4, 0)) - 0.9 - v) * 8))
        : printed;
      mix(on, x, y, blend(tinted(times(capped, light), warm), world.hazeColour, world.haze), share);
    }
}

/** A branch, a post or a sticker over a part of the sign, mostly near its edge. */
function occlude(on: Canvas, {cx, cy, scale}: Place, world: World, {range, chance, pick, below}: Random): void {
  const lit = (rgb: Rgb): Rgb => blend(times(rgb, world.light), world.hazeColour, world.haze * 0.7);
  const side = pick([-1, 1]);
  if (chance(0.55)) {
    const [x, y] = [cx + side * scale * range(0.5, 1.1), cy - scale * range(-0.9, 1.1)];
    const leaf = pick<Rgb>([
      [0.12, 0.24, 0.08],
      [0.25, 0.25, 0.1],
      [0.2, 0.14, 0.08],
    ]);
    for (let k = 4 + below(7); k > 0; k--)
      disc(on, x + range(-5, 5), y + range(-5, 5), range(0.8, 2.4), lit(times(leaf, range(0.7, 1.4))), 0.95);
  } else if (chance(0.5)) {
    line(on, cx + side * scale * range(0.55, 1), -2, range(-3, 3), size + 4, range(1, 3.5), lit(grey(range(0.15, 0.5))), 1);
  } else {
    disc(
      on,
      cx + scale * range(-0.6, 0.6),
      cy + scale * range(-0.6, 0.6),
      range(1, 2.4),
      lit([range(0.1, 0.9), range(0.1, 0.9), range(0.1, 0.9)]),
      0.95,
    );
  }
}

/** Motion of the car and the focus of the lens: for every pixel an average along a line, then of its four neighbours. */
function blurred(from: Canvas, {range, chance}: Random): Canvas {
  const moved = chance(0.45) ? smeared(from, range(-2.6, 2.6), range(-1.2, 1.2)) : from;
  const soft = range(0, 0.68);
  const focused = canvas();
  const last = size - 1;
  for (let y = 0; y < size; y++)
    for (let x = 0; x < size; x++)
      for (let channel = 0; channel < 3; channel++) {
        const at = (y * size + x) * 3 + channel;
        const left = moved[x > 0 ? at - 3 : at] ?? 0;
        const right = moved[x < last ? at + 3 : at] ?? 0;
        const above = moved[y > 0 ? at - 3 * size : at] ?? 0;
        const below = moved[y < last ? at + 3 * size : at] ?? 0;
        const own = moved[at] ?? 0;
        focused[at] = own + ((left + right + above + below) / 4 - own) * soft;
      }
  return focused;
}

function smeared(from: Canvas, dx: number, dy: number): Canvas {
  const moved = canvas();
  const last = size - 1;
  for (const step of [-0.5, -0.25, 0, 0.25, 0.5]) {
    const [right, down] = [Math.floor(step * dx), Math.floor(step * dy)];
    const [across, along] = [step * dx - right, step * dy - down];
    for (let y = 0; y < size; y++)
      for (let x = 0; x < size; x++) {
        const [left, next] = [clamp(x + right, 0, last) * 3, clamp(x + right + 1, 0, last) * 3];
        const [top, under] = [clamp(y + down, 0, last) * size * 3, clamp(y + down + 1, 0, last) * size * 3];
        const at = (y * size + x) * 3;
        for (let channel = 0; channel < 3; channel++) {
          const upper = (from[top + left + channel] ?? 0) * (1 - across) + (from[top + next + channel] ?? 0) * across;
          const lower = (from[under + left + channel] ?? 0) * (1 - across) + (from[under + next + channel] ?? 0) * across;
          moved[at + channel] = (moved[at + channel] ?? 0) + (upper * (1 - along) + lower * along) / 5;
        }
      }
  }
  return moved;
}

/** Exposure, white balance, vignette, noise; then whole bytes. */
function expose(from: Canvas, world: World, {range, normal}: Random): Uint8Array {
  const gain = range(0.78, 1.22);
  const balance = [gain * range(0.88, 1.12), gain, gain * range(0.88, 1.12)];
  const lift = range(0, 0.05);
  const corner = range(0, 0.25);
  const bytes = new Uint8Array(from.length);
  for (let at = 0; at < bytes.length; at++) {
    const dx = (2 * (Math.floor(at / 3) % size)) / (size - 1) - 1;
    const dy = (2 * Math.floor(at / (3 * size))) / (size - 1) - 1;
    const light = 1 - corner * 0.5 * (dx * dx + dy * dy);
    const seen = lift + (1 - lift) * (from[at] ?? 0) * (balance[at % 3] ?? 1) * light + world.noise * normal();
    bytes[at] = Math.floor(clamp(seen) * 255 + 0.5);
  }
  return bytes;
}
