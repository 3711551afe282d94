/** A contact sheet of the family, one row per weather: `node build/examples/signs/sheet.js signs.png [columns] [seed]` */
import {writeFileSync} from 'node:fs';
import {PNG} from 'pngjs';
import {size} from './canvas.js';
import {dataset, splits} from './data.js';
import {tasks} from './tasks.js';

const [file = 'signs.png', columns = '5', seed = String(splits.evaluate)] = process.argv.slice(2);
const across = Number(columns);
const step = size + 2;
const png = new PNG({width: across * step - 2, height: tasks.weather.length * step - 2});
png.data.fill(255);
tasks.weather.forEach((weather, row) => {
  const skew = {task: 'weather', classes: [weather], share: 1} as const;
  [...dataset({seed: Number(seed), count: across, skew})].forEach(({image}, column) => {
    for (let at = 0; at < size * size; at++) {
      const [x, y] = [column * step + (at % size), row * step + Math.floor(at / size)];
      png.data.set(image.subarray(3 * at, 3 * at + 3), 4 * (y * png.width + x));
    }
  });
});
writeFileSync(file, PNG.sync.write(png, {colorType: 2}));
