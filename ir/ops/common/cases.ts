/** Calls of an op that its tests run: every folder lists its own, the awkward shapes by name. */
import type {Attrs, TensorType} from '../../types.js';

export type OpCase = {readonly name: string; readonly attrs: Attrs; readonly inputs: readonly (TensorType | null)[]};
