/** Layers by their sizes alone: what they cost, and how they are written. */
import type {Builder} from '../../ir/op.js';
import {conv2d} from '../../ir/ops/conv2d/index.js';
import {linear} from '../../ir/ops/linear/index.js';
import {elements} from '../../ir/tensor.js';
import type {Value} from '../../ir/types.js';
import type {Layer} from './layers.js';

/** A layer, or a part of one. */
export type Stage = {
  /** [outputs][channels per group][rows][columns]; of fully connected layers [outputs][inputs] */
  readonly shape: readonly number[];
  readonly strides: readonly [number, number];
  readonly dilations: readonly [number, number];
  /** top, left, bottom, right */
  readonly pads: readonly [number, number, number, number];
  readonly groups: number;
};

/** 1 x 1, or fully connected. */
export const pointStage = (shape: readonly number[]): Stage => ({
  ...{shape, strides: [1, 1], dilations: [1, 1], pads: [0, 0, 0, 0], groups: 1},
});

/** The layer as it is. */
export function wholeStage({window, weights, channels}: Layer): Stage {
  if (!window) return pointStage([weights.rows, weights.columns]);
  const {strides, dilations, pads, kernel} = window;
  return {
    shape: [weights.rows, channels, ...kernel],
    strides: [strides[0]!, strides[1]!],
    dilations: [dilations[0]!, dilations[1]!],
    pads: [pads[0]!, pads[1]!, pads[2]!, pads[3]!],
    groups: 1,
  };
}

/** What stages read, one after the other. */
export function inputShapesOf({inputShape}: Layer, stages: readonly Stage[]): readonly (readonly number[])[] {
  const shapes = [inputShape];
  for (const stage of stages) shapes.push(outputShapeOf(stage, shapes.at(-1)!));
  return shapes.slice(0, -1);
}

function outputShapeOf({shape, strides, dilations, pads}: Stage, input: readonly number[]): readonly number[] {
  if (shape.length === 2) return [...input.slice(0, -1), shape[0]!];
  const across = (axis: 0 | 1): number =>
    Math.floor((input[2 + axis]! + pads[axis] + pads[axis + 2]! - dilations[axis] * (shape[2 + axis]! - 1) - 1) / strides[axis]) +
    1;
  return [input[0]!, shape[0]!, across(0), across(1)];
}

export const stageMacs = (stage: Stage, input: readonly number[]): number =>
  (elements(outputShapeOf(stage, input)) / stage.shape[0]!) * elements(stage.shape);

/** Of stages in turn, which stand for the layer. */
export function macsOfStages(layer: Layer, stages: readonly Stage[]): number {
  const inputs = inputShapesOf(layer, stages);
  return stages.reduce((sum, stage, i) => sum + stageMacs(stage, inputs[i]!), 0);
}

/** Of weights, and of the bias of the last one. */
export const bytesOfStages = (stages: readonly Stage[]): number =>
  4 * stages.reduce((sum, {shape}) => sum + elements(shape), stages.at(-1)?.shape[0] ?? 0);

/** A stage on what it reads, its weights and perhaps a bias. */
export function emitStage(
  build: Builder,
  {shape, strides, dilations, pads, groups}: Stage,
  operands: readonly (Value | null)[],
): Value {
  if (shape.length === 2) return build.emit(linear, operands, {epilogue: ''})[0];
  return build.emit(conv2d, operands, {strides, dilations, pads, groups, epilogue: ''})[0];
}
