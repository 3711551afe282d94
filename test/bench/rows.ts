/** What the table holds, and its means. */
import type {Percentiles} from '../../compiler/measure.js';

export type Row = {
  readonly model: string;
  readonly target: string;
  readonly macs: number;
  readonly weightBytes: number;
  /** Milliseconds. */
  readonly ours: Percentiles;
  readonly onnxruntime?: Percentiles;
  /** onnxruntime's median over ours. */
  readonly ratio?: number;
  readonly arenaBytes: number;
  readonly arenaLowerBound: number;
  /** Of the library's machine code. */
  readonly codeBytes: number;
  readonly buildSeconds: number;
  /** Of these, by the C compiler. */
  readonly compileSeconds: number;
};

/** A model that could not be built or run, and why. */
export type Failure = {readonly model: string; readonly error: string};

export const isRow = (row: Row | Failure): row is Row => !('error' in row);

export type Mean = {
  readonly models: 'float' | 'quantized';
  readonly target: string;
  readonly count: number;
  readonly ratio: number;
};

const isQuantized = ({model}: Row): boolean => /\.(qdq|qoperator|int8)\.onnx$/.test(model);

/** Geometric means of the ratios, apart for float and quantized models and for each target. */
export function meansOf(rows: readonly (Row | Failure)[]): readonly Mean[] {
  const compared = rows.filter(isRow).filter(row => row.ratio !== undefined);
  const targets = [...new Set(compared.map(row => row.target))];
  return targets.flatMap(target =>
    (['float', 'quantized'] as const).flatMap((models): readonly Mean[] => {
      const its = compared.filter(row => row.target === target && isQuantized(row) === (models === 'quantized'));
      const mean = Math.exp(its.reduce((sum, row) => sum + Math.log(row.ratio!), 0) / its.length);
      return its.length === 0 ? [] : [{models, target, count: its.length, ratio: Number(mean.toFixed(3))}];
    }),
  );
}
