/** What is behind the sign: sky, trees or houses, ground, road, cars. */
import {blend, type Canvas, clamp, disc, fill, grey, put, type Rgb, size, times} from './canvas.js';
import {clouds, noise, type Random} from './random.js';
import type {World} from './weather.js';

const leaves: readonly Rgb[] = [
  [0.1, 0.22, 0.08],
  [0.18, 0.28, 0.08],
  [0.3, 0.22, 0.08],
  [0.08, 0.16, 0.12],
];
const grounds: readonly Rgb[] = [
  [0.22, 0.32, 0.12],
  [0.36, 0.33, 0.18],
  [0.3, 0.26, 0.2],
  [0.16, 0.25, 0.1],
];
const walls: readonly Rgb[] = [
  [0.5, 0.3, 0.24],
  [0.6, 0.57, 0.5],
  [0.4, 0.4, 0.43],
  [0.66, 0.55, 0.36],
];
const paints: readonly Rgb[] = [
  [0.6, 0.06, 0.06],
  [0.08, 0.18, 0.45],
  [0.75, 0.75, 0.75],
  [0.08, 0.08, 0.09],
  [0.7, 0.6, 0.1],
  [0.1, 0.35, 0.2],
];

export function paintScenery(on: Canvas, world: World, random: Random): void {
  const {range, pick, chance, below} = random;
  const seed = below(1 << 30);
  const horizon = range(0.5, 0.9) * size;
  const treeHeight = chance(0.2) ? 0 : range(3, 30);
  const treeWidth = range(3, 12);
  const leaf = pick(leaves);
  const ground = blend(pick(grounds), grey(0.82), world.snowed);
  const vanish = range(-0.3, 1.3) * size;
  const lean = range(-1.5, 1.5);
  const roadWidth = range(0.6, 2.2);
  const tar = blend(grey(range(0.22, 0.36)), grey(0.75), world.snowed * 0.6);
  const wet = world.weather === 'rain' ? range(0.1, 0.5) : 0;
  const far = (colour: Rgb, depth: number): Rgb =>
    blend(times(colour, world.light), world.hazeColour, world.haze + (world.farHaze - world.haze) * depth);

  const crowns = Array.from({length: size}, (_, x) => treeHeight * clouds(seed + 7, x / treeWidth, 0.5) * 1.6);

  for (let y = 0; y < size; y++)
    for (let x = 0; x < size; x++) {
      let colour: Rgb;
      if (y < horizon) {
        if (horizon - y < (crowns[x] ?? 0)) {
          const lit = 0.5 + clouds(seed + 20, x / 3, y / 3);
          const white = world.snowed * 0.6 * clamp(3 * noise(seed + 40, x / 2, y / 2) - 1.4);
          colour = far(blend(times(leaf, lit), grey(0.85), white), 0.8);
        } else {
          const open = blend(world.skyTop, world.skyBottom, clamp(y / horizon));
          const cloud = world.cover * clamp(2.4 * clouds(seed + 60, x / 16, y / 8) - 0.9);
          const glow = world.weather === 'night' ? 0.05 : 0.85 * clamp(world.light + 0.15);
          colour = blend(blend(open, grey(glow), cloud), world.hazeColour, world.farHaze * 0.9);
        }
      } else {
        const near = (y - horizon + 0.5) / size;
        const off = x - vanish - lean * (y - horizon);
        const onRoad = Math.abs(off) < roadWidth * (y - horizon);
        const mark = Math.abs(Math.abs(off) - 0.9 * roadWidth * (y - horizon)) < 0.4 + near * 2 ? 0.75 * (1 - world.snowed) : 0;
        const rough = 0.75 + 0.5 * clouds(seed + 80, x / 2, y / 1.2);
        const plain = onRoad ? blend(blend(tar, grey(0.8), mark), world.skyBottom, wet) : ground;
        colour = far(times(plain, rough), clamp(1 - 2 * near));
      }
      put(on, x, y, colour);
    }
  if (chance(0.3)) house(on, far(pick(walls), 0.6), far(grey(0.15), 0.5), horizon, random);
  for (let k = below(3); k > 0; k--) {
    const [cx, cy, wide, high] = [range(0, size), horizon + range(-1, 4), range(2, 5), range(1.5, 3)];
    const car = far(pick(paints), 0.5);
    fill(on, [cx - wide - 1, cy - high - 1, cx + wide + 1, cy + high + 1], car, 0.95, (x, y) =>
      Math.max(Math.abs(x - cx) - wide, Math.abs(y - cy) - high),
    );
    disc(on, cx - wide * 0.7, cy, 0.7, world.weather === 'night' ? [0.9, 0.15, 0.1] : far([0.5, 0.1, 0.1], 0.3), 0.8);
  }
}

function house(on: Canvas, wall: Rgb, window: Rgb, horizon: number, {range}: Random): void {
  const [left, width, height] = [range(-10, size), range(8, 22), range(6, 26)];
  const top = horizon - height;
  fill(on, [left, top, left + width, horizon], wall, 1, (x, y) => Math.max(left - x, x - left - width, top - y, y - horizon));
  const [stepX, stepY] = [range(3, 6), range(4, 6)];
  fill(on, [left + 1, top + 1, left + width - 1, horizon - 1], window, 0.8, (x, y) =>
    Math.max(Math.abs(((x - left) % stepX) - stepX / 2) - stepX / 4, Math.abs(((y - top) % stepY) - stepY / 2) - stepY / 4),
  );
}
