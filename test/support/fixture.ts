/** A module as the text of a fixture, which needs no bytes from elsewhere: large constants become seeded ones. */
import {print} from '../../ir/print.js';
import type {Module} from '../../ir/types.js';

export function printConstantsWhole(module: Module): string {
  // Equal bytes stay equal.
  const seeds = [...new Set(module.graph.constants.map(({blob}) => blob.hash))];
  return print(module)
    .replace(/ = blob (h[0-9a-f]+)/g, (_, hash: string) => ` = random(${seeds.indexOf(hash) + 1})`)
    .replace(/ @ (text|pass|onnx)\(.*$/gm, '');
}
