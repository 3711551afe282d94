/**
 * The low IR: kernel calls over roots (one arena, the caller's inputs and outputs, the weights). A value of the module has
 * become a view: a root, an offset and strides in elements. Everything here is data; C is printed from it and nothing else.
 */
import type {Scalar} from './scalar/expression.js';
import type {Blob, DType, Loc, TensorType} from './types.js';

/** Every buffer of the arena begins at a multiple of this many bytes: a cache line, and the widest vector. */
export const alignment = 64;

/** Elements kept around an image, all of one value: rows above and below, columns left and right. */
export type Border = {
  readonly top: number;
  readonly left: number;
  readonly bottom: number;
  readonly right: number;
  readonly value: number;
};
export const noBorder: Border = {top: 0, left: 0, bottom: 0, right: 0, value: 0};

/** How a weight lies in the blob. `panels`: 16 output channels side by side (codegen/kernels/CONTRACT.md). */
export type Packing =
  | {readonly kind: 'plain'}
  /** [o][i][kh][kw] (or [o][i]) -> [group][o/16][kh][kw][i][16]; of i4 two per byte */
  | {readonly kind: 'panels'; readonly groups: number}
  /**
   * [o][i][kh][kw] whole numbers -> [group][o/16][kh][kw][i/4][16][4] bytes; with `rows`, kernel rows are runs:
   * [group][o/16][kh][kw*i/4][16][4]. `again`: which groups of four get a second one behind all others, for what bytes cannot hold.
   */
  | {readonly kind: 'byte-panels'; readonly groups: number; readonly rows: boolean; readonly again: readonly Four[]}
  /** [c][1][kh][kw] -> [c/16][kh][kw][16] */
  | {readonly kind: 'depthwise-panels'}
  /**
   * [c][1][kh][kw] whole numbers -> [c/64][kh/4][kw][4][4][4][4] bytes, and [c] -> [c/64][4][4][4], both in the order that
   * codegen/kernels/depthwise_u8.h states; channels that fill 64 if they come several times do so
   */
  | {readonly kind: 'depthwise-byte-panels'}
  | {readonly kind: 'depthwise-byte-bias'}
  /**
   * [o][i][3][3] -> [(tile + 2)^2][o/16][i][16], [o][i][1][3] and [o][i][3][1] -> [tile + 2][o/16][i][16], transformed for tiles of
   * that side (codegen/kernels/winograd_f32.h)
   */
  | {readonly kind: 'winograd-panels'; readonly tile: 2 | 4}
  /** [o] -> [group][o/16 * 16]; a missing bias (blob null) is zeros */
  | {readonly kind: 'bias-panels'; readonly groups: number};

/** Four neighbours in a run of the sum: the run, and the first of them. */
export type Four = {readonly run: number; readonly first: number};

export type Weight = {readonly name: string; readonly blob: Blob | null; readonly type: TensorType; readonly packing: Packing};

export type Root =
  | {readonly kind: 'arena'; readonly name: string; readonly bytes: number}
  | {readonly kind: 'input' | 'output'; readonly name: string; readonly type: TensorType}
  | {readonly kind: 'weights'; readonly name: string; readonly weight: Weight};

/** `root` is a place in the entry's list of roots; offset and strides count elements. */
export type View = {
  readonly root: number;
  readonly dtype: DType;
  readonly offset: number;
  readonly shape: readonly number[];
  readonly strides: readonly number[];
};

/** A pointer parameter under the name that the kernel gives it; an absent one is a null pointer. */
export type Param = {readonly name: string; readonly role: 'read' | 'write'; readonly view: View | null};

/** One call of a C kernel: `fn(reads..., writes... in `params` order, struct of literal fields, epilogue)`. */
export type KernelCall = {
  readonly kind: 'kernel';
  /** What is computed, such as `conv2d_f32`; a target turns it into a function (codegen/kernels/inventory.ts). */
  readonly contract: string;
  /** Header below the op's folder for kernels with one implementation; null for those of the inventory. */
  readonly header: string | null;
  /** C type of the literal shape, and its fields. */
  readonly struct: string;
  readonly fields: Readonly<Record<string, number>>;
  /** Pointers in the order of the C parameters. */
  readonly params: readonly Param[];
  /** Applied to each result: x0 is the accumulator, x1 and x2 the extra operands. null: the kernel takes none. */
  readonly epilogue: Scalar | null;
};

/** A generated loop nest: write[i...] = expression(reads[i...]) for every i of the domain. */
export type Loop = {
  readonly kind: 'loop';
  readonly domain: readonly number[];
  readonly expression: Scalar;
  readonly reads: readonly View[];
  readonly write: View;
};

/** Fills the border of a padded image buffer, before its interior is first written. */
export type FillBorder = {
  readonly kind: 'border';
  readonly root: number;
  readonly dtype: DType;
  /** Of the whole buffer: images, rows and columns without border, elements per column. */
  readonly images: number;
  readonly rows: number;
  readonly columns: number;
  readonly width: number;
  readonly border: Border;
};

export type Work = KernelCall | Loop | FillBorder;

export type Step = {
  readonly work: Work;
  /** The IR line that the step computes; '' for copies and borders. */
  readonly text: string;
  /** The value that is complete after this step, by name; '' where none is. */
  readonly value: string;
  readonly loc: Loc;
  readonly macs: number;
  /** Roots read here whose memory the written root may take over: they lie alike, and element by element is safe. */
  readonly mayTake: readonly number[];
};

/** A task, or a segment of one: its roots, and steps in order. */
export type Entry = {
  readonly name: string;
  readonly roots: readonly Root[];
  readonly inputs: readonly number[];
  readonly outputs: readonly number[];
  readonly steps: readonly Step[];
};

export type Plan = {
  readonly name: string;
  /** One per task, from its inputs to its outputs. */
  readonly entries: readonly Entry[];
  /** What tasks share and what each has for itself, by the names of their segments; empty where nothing is shared. */
  readonly segments: readonly Entry[];
  /** Null before memory is planned. */
  readonly memory: Memory | null;
};

/** All that is compiled: tasks first. */
export const everyEntry = ({entries, segments}: Plan): readonly Entry[] => [...entries, ...segments];

export type Memory = {
  /** Per entry of `everyEntry`, per root: byte offset in the arena, null for roots that are not in it. */
  readonly offsets: readonly (readonly (number | null)[])[];
  /** Of the whole arena, which is that of the largest entry. */
  readonly bytes: number;
  /** In the order of `everyEntry`. */
  readonly entryBytes: readonly {readonly bytes: number; readonly lowerBound: number}[];
  /** No plan of these lifetimes can need less: the most bytes alive at one step. */
  readonly lowerBound: number;
};

export const readsOf = (work: Work): readonly View[] => {
  if (work.kind === 'loop') return work.reads;
  if (work.kind === 'border') return [];
  return work.params.flatMap(({role, view}) => (role === 'read' && view ? [view] : []));
};

/** The roots that a step writes. */
export const writesOf = (work: Work): readonly number[] => {
  if (work.kind === 'loop') return [work.write.root];
  if (work.kind === 'border') return [work.root];
  return work.params.flatMap(({role, view}) => (role === 'write' && view ? [view.root] : []));
};
