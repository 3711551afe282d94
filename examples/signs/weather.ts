/** What weather and time of day do: to the light, to what is far away, and what falls between the sign and the camera. */
import {blend, type Canvas, clamp, disc, get, grey, line, mix, type Rgb, size, times} from './canvas.js';
import type {Random} from './random.js';
import type {Weather} from './tasks.js';

export type World = {
  readonly weather: Weather;
  /** Light on the landscape and on the sign; 1 is a bright day. */
  readonly light: number;
  readonly signLight: number;
  /** Share of the haze colour at the sign and far away. */
  readonly haze: number;
  readonly farHaze: number;
  readonly hazeColour: Rgb;
  readonly skyTop: Rgb;
  readonly skyBottom: Rgb;
  /** Cloud cover, and how white the ground is. */
  readonly cover: number;
  readonly snowed: number;
  /** Deviation of the noise of the camera. */
  readonly noise: number;
  /** How much falls, 0..1. */
  readonly strength: number;
};

export function sampleWorld(weather: Weather, random: Random): World {
  const {range, chance, unit} = random;
  const strength = unit();
  const pale = range(0.55, 0.8);
  const overcast = {skyTop: times([0.62, 0.66, 0.72], range(0.75, 1.15)), skyBottom: grey(pale)};
  const shared = {weather, strength, noise: range(0.006, 0.03), hazeColour: grey(pale), snowed: 0};
  switch (weather) {
    case 'clear': {
      const blue: World['skyTop'] = blend([0.22, 0.42, 0.75], [0.45, 0.62, 0.85], unit());
      const light = chance(0.15) ? range(0.4, 0.65) : range(0.65, 1.05);
      const sky = chance(0.25) ? overcast : {skyTop: blue, skyBottom: blend(blue, [0.85, 0.85, 0.85], range(0.2, 0.8))};
      return {
        ...shared,
        ...sky,
        light,
        signLight: light * range(0.7, 1.05),
        haze: range(0, 0.08),
        farHaze: range(0, 0.35),
        cover: range(0, 0.6),
      };
    }
    case 'rain': {
      const light = range(0.4, 0.8);
      return {
        ...shared,
        ...overcast,
        light,
        signLight: light * range(0.8, 1.1),
        haze: range(0.02, 0.2),
        farHaze: range(0.2, 0.7),
        cover: range(0.3, 0.9),
      };
    }
    case 'fog': {
      const light = range(0.6, 1);
      const haze = 0.26 + 0.34 * strength;
      return {
        ...shared,
        ...overcast,
        light,
        signLight: light,
        haze,
        farHaze: clamp(haze + range(0.25, 0.45), 0, 0.97),
        hazeColour: grey(range(0.55, 0.85)),
        cover: range(0, 0.2),
      };
    }
    case 'night': {
      const light = range(0.03, 0.2);
      const sky = times([0.5, 0.6, 1], range(0.02, 0.18));
      return {
        ...shared,
        light,
        signLight: range(0.28, 0.85),
        haze: range(0, 0.04),
        farHaze: range(0, 0.3),
        hazeColour: times(sky, 1.3),
        skyTop: sky,
        skyBottom: times(sky, range(1, 1.8)),
        cover: range(0, 0.5),
        noise: range(0.012, 0.05),
      };
    }
    case 'snow': {
      const light = range(0.55, 1);
      return {
        ...shared,
        ...overcast,
        light,
        signLight: light * range(0.75, 1.05),
        haze: range(0.03, 0.25),
        farHaze: range(0.2, 0.75),
        hazeColour: grey(range(0.65, 0.85)),
        cover: range(0.1, 0.5),
        snowed: range(0.1, 1),
      };
    }
    default:
      return weather satisfies never;
  }
}

/** Rain, flakes, lamps: what is between the sign and the camera. */
export function fall(on: Canvas, world: World, random: Random): void {
  const {range, below, chance} = random;
  if (world.weather === 'rain') {
    const slant = range(-0.5, 0.5);
    const streaks = 14 + Math.floor(world.strength * 50);
    for (let k = 0; k < streaks; k++) {
      const length = range(4, 13);
      line(
        on,
        range(-6, size + 6),
        range(-10, size),
        slant * length,
        length,
        range(0.3, 0.9),
        grey(range(0.65, 0.95)),
        range(0.12, 0.42),
      );
    }
    for (let k = below(5); k > 0; k--) drop(on, range(0, size), range(0, size), range(1.2, 3.2));
  }
  if (world.weather === 'snow') {
    const flakes = 16 + Math.floor(world.strength * 60);
    const [dx, dy] = [range(-1.6, 1.6), range(0.2, 2)];
    for (let k = 0; k < flakes; k++) {
      const [x, y, radius] = [range(0, size), range(0, size), range(0.35, 1.3)];
      line(on, x, y, dx * radius, dy * radius, 2 * radius, grey(range(0.85, 1)), range(0.45, 0.95));
    }
  }
  if (world.weather === 'night' && chance(0.6)) {
    for (let k = 1 + below(3); k > 0; k--) {
      const [x, y, radius] = [range(0, size), range(size * 0.35, size * 0.9), range(0.6, 1.6)];
      const lamp = random.pick<Rgb>([
        [1, 0.9, 0.65],
        [1, 0.95, 0.9],
        [0.9, 0.1, 0.08],
      ]);
      disc(on, x, y, radius * 2.2, lamp, 0.25);
      disc(on, x, y, radius, lamp, 0.9);
    }
  }
}

/** A drop on the windscreen shows the scene upside down, a little brighter. */
function drop(on: Canvas, cx: number, cy: number, radius: number): void {
  const before = on.slice();
  for (let y = Math.floor(cy - radius); y <= cy + radius; y++)
    for (let x = Math.floor(cx - radius); x <= cx + radius; x++) {
      const inside = radius - Math.sqrt((x - cx) * (x - cx) + (y - cy) * (y - cy));
      const seen = get(before, Math.floor(cx - 2 * (x - cx)), Math.floor(cy - 2 * (y - cy)));
      mix(on, x, y, blend(seen, [0.9, 0.92, 0.95], 0.2), clamp(inside) * 0.8);
    }
}
