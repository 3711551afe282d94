/** What the table holds, and its means. */
import type {Percentiles} from '../../compiler/measure.js';
import type {FirstResult} from './first-result.js';

export type Row = {
  readonly model: string;
  readonly target: string;
  readonly macs: number;
  readonly weightBytes: number;
  /** Weights as they are packed for the kernels. */
  readonly packedBytes: number;
  /** Milliseconds that the layers take at this machine's measured peaks, each done as it is defined. */
  readonly floor: number;
  /** Milliseconds. */
  readonly ours: Percentiles;
  readonly onnxruntime?: Percentiles;
  /** onnxruntime's median over ours. */
  readonly ratio?: number;
  /** In fresh processes, of the last target only. */
  readonly first?: {readonly ours: FirstResult; readonly onnxruntime: FirstResult | null};
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
  readonly least: number;
};

const isQuantized = ({model}: Row): boolean => /\.(qdq|qoperator|int8)\.onnx$/.test(model);

/** Geometric means of the ratios, apart for float and quantized models and for each target. */
export function meansOf(rows: readonly (Row | Failure)[]): readonly Mean[] {
  const compared = rows.filter(isRow).filter(row => row.ratio !== undefined);
  const targets = [...new Set(compared.map(row => row.target))];
  return targets.flatMap(target =>
    (['float', 'quantized'] as const).flatMap((models): readonly Mean[] => {
      const its = compared.filter(row => row.target === target && isQuantized(row) === (models === 'quantized'));
      const ratios = its.map(row => row.ratio!);
      return its.length === 0 ? [] : [{models, target, count: its.length, ratio: meanOf(ratios), least: Math.min(...ratios)}];
    }),
  );
}

/** The geometric mean, three digits after the point. */
export const meanOf = (ratios: readonly number[]): number =>
  Number(Math.exp(ratios.reduce((sum, ratio) => sum + Math.log(ratio), 0) / ratios.length).toFixed(3));

export type Change = {readonly model: string; readonly target: string; readonly before: number; readonly now: number};

/** Rows of both tables, with the ratios of both. */
export function changesOf(before: readonly (Row | Failure)[], now: readonly (Row | Failure)[]): readonly Change[] {
  const keyOf = ({model, target}: Row): string => `${model} ${target}`;
  const earlier = new Map(before.filter(isRow).map(row => [keyOf(row), row.ratio]));
  return now.filter(isRow).flatMap(row => {
    const ratio = earlier.get(keyOf(row));
    return ratio === undefined || row.ratio === undefined
      ? []
      : [{model: row.model, target: row.target, before: ratio, now: row.ratio}];
  });
}
