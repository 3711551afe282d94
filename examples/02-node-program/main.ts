/**
 * Names what is on rendered road signs. `manifest` is what `dnnc build` wrote for the networks, so the compiler knows the
 * tasks, what they take, and every label that they can give.
 */

import {readFileSync} from 'node:fs';
import {load} from 'dnnc/runtime';
import {manifest} from './dnnc-out/signs/manifest.js';

// The manifest is data; the library and the weights lie in the folder that it came from.
const session = load(manifest, {directory: process.argv[3] ?? 'dnnc-out/signs'});

const picture = {width: 48, height: 48, channels: 3, data: readFileSync(process.argv[2] ?? 'picture.rgb')} as const;

// An image is prepared as the network was trained: 'rgb', (x - 127.5) / 127.5, one plane per colour.
const {label: number} = session.run('number', picture); // 'none' | '20' | '30' | ... | '120'
const {label: weather, scores} = session.run('weather', picture); // 'clear' | 'rain' | 'fog' | 'night' | 'snow'

/** No default: with a weather missing here, or one that the network does not know, this file does not compile. */
function advice(weather: Weather): string {
  switch (weather) {
    case 'clear':
      return 'enjoy the view';
    case 'rain':
    case 'snow':
      return 'keep your distance';
    case 'fog':
    case 'night':
      return 'lights on';
  }
}
type Weather = (typeof manifest.tasks.weather.labels)[number];

// @ts-expect-error: the network has no such label.
if (weather === 'hail') throw new Error('unreachable');
// @ts-expect-error: there is no such task.
const misspelt = (): unknown => session.run('wether', picture);
void misspelt;

// Raw numbers, typed by the output's type: logits here.
const exponentials = Array.from(scores, score => Math.exp(score - Math.max(...scores)));
const sure = Math.max(...exponentials) / exponentials.reduce((sum, each) => sum + each, 0);

// The same on the thread pool; calls of several tasks may overlap.
const [shape, colour] = await Promise.all([session.runAsync('shape', picture), session.runAsync('colour', picture)]);

console.log(
  `a ${colour.label} ${shape.label}, number ${number}, in ${weather} (${(100 * sure).toFixed(0)}% sure): ${advice(weather)}`,
);
