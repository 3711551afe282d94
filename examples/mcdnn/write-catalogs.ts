/** Writes the paper's catalogs as files for `dnnc simulate`: `node build/examples/mcdnn/write-catalogs.js`. */
import {writeFileSync} from 'node:fs';
import {catalogOf, shapes} from './catalogs.js';

for (const shape of shapes) {
  const file = new URL(`../../../examples/mcdnn/${shape}.json`, import.meta.url);
  writeFileSync(file, `${JSON.stringify(catalogOf(shape), null, 1)}\n`);
}
