/** The paper's models as catalogs for the scheduler: one frame for four face tasks, or one for each; and all variants. */
import {readFileSync} from 'node:fs';
import {type Catalog, type CatalogVariant, type RequestKind, readCatalog} from 'dnnc/schedule';
import type {Outages} from 'dnnc/simulate';

export type Row = {
  readonly id: string;
  /** As the paper has it: two to a multiply-accumulate. */
  readonly megaflops?: number;
  readonly megabytes: number;
  readonly accuracy: number;
  readonly deviceJoules: number;
  readonly deviceMilliseconds: number;
  readonly loadJoules: number;
  readonly loadMilliseconds?: number;
  readonly cloudMilliseconds: number;
  readonly cloudLoadMilliseconds?: number;
  /** Accuracies where seven classes hold a part of the requests, from the smallest part on: [part, percent]. */
  readonly special?: readonly (readonly [number, number])[];
};

type Models = {
  readonly source: string;
  readonly face: readonly Row[];
  readonly object: readonly Row[];
  readonly scene: readonly Row[];
  readonly video: readonly Row[];
  /** Specialized face networks, which answer or say that it is another face. */
  readonly special: readonly Row[];
  readonly attributes: {readonly [task: string]: {readonly [variant: string]: number}};
  readonly outages: {readonly s1: Outages; readonly s2: Outages; readonly s3: Outages};
};

export const models: Models = JSON.parse(readFileSync(new URL('../../../examples/mcdnn/models.json', import.meta.url), 'utf8'));

/** Dollars per millisecond of a cloud GPU, and bytes of a JPEG: the simulator of the authors. */
export const price = 1.8e-7;
const frameBytes = 10_000;
/** Joules to send a frame: what the simulator of the authors has. Figure 12 of the paper has 0.1 to 0.5. */
export const cheapTransmit = 0.0038;

export const shapes = ['share', 'separate', 'rich'] as const;
/** `share`: one frame, four tasks, one trunk. `separate`: each task for itself. `rich`: all face and object variants. */
export type CatalogShape = (typeof shapes)[number];

export type Choices = {readonly transmit?: number; readonly sceneRate?: number};

export function catalogOf(shape: CatalogShape, {transmit = cheapTransmit, sceneRate = 0.01}: Choices = {}): Catalog {
  const segments = new Map<string, Catalog['segments'][number]>();
  const variant = (kind: string, row: Row, accuracy: readonly number[]): CatalogVariant => {
    const id = `${kind}/${row.id}`;
    segments.set(id, {
      id,
      bytes: Math.round(row.megabytes * 1e6),
      loadEnergy: row.loadJoules,
      loadLatency: row.loadMilliseconds ?? 0,
    });
    return {
      ...{id, accuracy, device: {energy: row.deviceJoules, latency: row.deviceMilliseconds, segments: [id]}},
      cloud: {
        ...{money: row.cloudMilliseconds * price, latency: row.cloudMilliseconds, bytes: frameBytes, energy: transmit},
        loadLatency: row.cloudLoadMilliseconds ?? 0,
      },
    };
  };
  const alone = (name: string, rate: number, rows: readonly Row[]): RequestKind => ({
    ...{name, rate, tasks: [{name}]},
    variants: rows.map(row => variant(name, row, [row.accuracy])),
  });
  const attributes = Object.keys(models.attributes);
  // Only for these the paper has attribute accuracies.
  const shared = models.face.filter(({id}) => models.attributes[attributes[0]!]?.[id] !== undefined);
  const accuracyOf = (task: string, row: Row): number => models.attributes[task]?.[row.id] ?? row.accuracy;
  const tasks = ['face', ...attributes];
  const scene = alone('scene', sceneRate, models.scene);
  const requests: Readonly<Record<CatalogShape, () => readonly RequestKind[]>> = {
    share: () => [
      {
        ...{name: 'frame', rate: 0.2, tasks: tasks.map(name => ({name}))},
        variants: shared.map(row =>
          variant(
            'frame',
            row,
            tasks.map(task => accuracyOf(task, row)),
          ),
        ),
      },
      scene,
    ],
    separate: () => [
      ...tasks.map(task =>
        alone(
          task,
          0.2,
          shared.map(row => ({...row, accuracy: accuracyOf(task, row)})),
        ),
      ),
      scene,
    ],
    rich: () => [alone('face', 0.2, models.face), alone('object', 0.5, models.object), scene],
  };
  const chosen = requests[shape]();
  const used = new Set(chosen.flatMap(({variants}) => variants.map(({id}) => id)));
  return readCatalog({
    ...{
      schema: 1,
      name: `mcdnn-${shape}`,
      source: models.source,
      segments: [...segments.values()].filter(({id}) => used.has(id)),
    },
    requests: chosen,
  });
}
