/** Exits: one head for all classes at each cut of the general network, fitted once; contexts enter as priors. */
import {exitFile} from '../../codegen/exit.js';
import {elements} from '../../ir/tensor.js';
import type {Manifest, Segment, Variant} from '../../runtime/manifest.js';
import {type Place, widthOf} from '../fit/features.js';
import type {FittedHead} from '../fit/head.js';
import {shaOf} from '../sha.js';

export type NewExit = {
  readonly place: Place;
  readonly fitted: FittedHead;
  readonly file: string;
  readonly bytes: Uint8Array;
  readonly variant: Variant;
};

/** The head as a file and a variant of the manifest. `lacks`: output indices that its samples had none of. */
export function exitOf(
  manifest: Manifest,
  general: Variant,
  place: Place,
  fitted: FittedHead,
  lacks: readonly number[],
): NewExit {
  const {cut, grid, number, macs: trunkMacs} = place;
  const [, channels = 1, rows = 1, columns = 1] = cut.shape.length === 4 ? cut.shape : [1, elements(cut.shape)];
  const {weights, bias, classes} = fitted.linear;
  const shape = {channels, rows, columns, grid, classes, channelsLast: cut.layout === 'channels-last'};
  const softmax = manifest.tasks[general.task]!.scores === 'probabilities';
  const bytes = exitFile({...shape, softmax}, weights, bias, manifest.buildHash);
  const file = `${manifest.name}.${general.task}_${number}.exit`;
  const path = general.path.slice(0, number);
  const segments = manifest.segments.filter(({id}) => path.includes(id));
  const sum = (of: (segment: Segment) => number): number => segments.reduce((total, segment) => total + of(segment), 0);
  const weightBytes = sum(segment => segment.weightBytes) + 4 * (weights.length + bias.length);
  const loadBytes = sum(segment => segment.weights?.bytes ?? segment.weightBytes) + bytes.byteLength;
  const arenaBytes = Math.max(...segments.map(segment => segment.arenaBytes));
  const recipe = `exit@${number}`;
  const sha256 = shaOf(bytes);
  const exit = {cut: cut.id, file, sha256, bytes: bytes.byteLength, ...(lacks.length > 0 && {lacks})};
  const variant: Variant = {
    ...{id: `${general.task}/${recipe}`, task: general.task, recipe, exit, path},
    ...{macs: trunkMacs + widthOf(place) * classes, weightBytes, arenaBytes, arenaLowerBound: arenaBytes, loadBytes},
  };
  return {place, fitted, file, bytes, variant};
}
