/** Activations as bytes, for the way from one place to another: one byte per element, over a range that is known before. */
import type {Split} from './manifest.js';

type Range = Pick<Split, 'low' | 'step'>;

/** Each element x as round((x - low) / step), held to 0..255. Deflated, it is what `bytes` of a split counts. */
export function toWire(activation: Float32Array, {low, step}: Range): Uint8Array {
  const bytes = new Uint8ClampedArray(activation.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = (activation[i]! - low) / step;
  return new Uint8Array(bytes.buffer);
}

/** The nearest activation that such bytes stand for: at most half a step off, within the range. */
export const fromWire = (bytes: Uint8Array, {low, step}: Range): Float32Array =>
  Float32Array.from(bytes, byte => low + step * byte);
