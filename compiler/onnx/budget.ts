/**
 * How much one ONNX file may ask of us. A message of two bytes becomes an object of hundreds, so a hostile file of a few
 * megabytes could otherwise fill the memory; every limit is far above what any real model holds.
 */
import {fail} from '../../ir/diagnostics.js';

const limits = {
  nodes: 200_000,
  attributes: 2_000_000,
  tensors: 500_000,
  'value infos': 1_000_000,
  functions: 10_000,
  names: 20_000_000,
  'numbers in attributes': 16_000_000,
  'bytes of types': 32 * 2 ** 20,
} as const;

/** Subgraphs within subgraphs: If in Loop in If ... */
const deepest = 64;

type Countable = keyof typeof limits;

/** Counts what was decoded so far; `spend` refuses what exceeds a limit. */
export type Budget = {readonly file: string; spend(what: Countable, count: number): void};

/** A fresh budget for one file. Error: input onnx.count. */
export function budgetOf(file: string): Budget {
  const spent = new Map<Countable, number>();
  return {
    file,
    spend(what, count) {
      const total = (spent.get(what) ?? 0) + count;
      if (total > limits[what])
        fail(
          'input',
          'onnx.count',
          file,
          `more than ${limits[what]} ${what}`,
          'check where the file comes from; no real model is like this',
        );
      spent.set(what, total);
    },
  };
}

/** Error: input onnx.nesting. */
export function checkDepth(depth: number, file: string): void {
  if (depth > deepest)
    fail(
      'input',
      'onnx.nesting',
      file,
      `subgraphs are nested more than ${deepest} deep`,
      'flatten the If and Loop nodes of the model',
    );
}
