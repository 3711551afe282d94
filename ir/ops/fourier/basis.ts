/** The coefficients of discrete Fourier transforms as matrices of real numbers. */

export type Transform = {
  /** The period of the lowest frequency, in samples. */
  readonly length: number;
  readonly inverse: boolean;
  /** Inverse, of the first half of a spectrum: the other half is its mirror image. */
  readonly mirrored: boolean;
};

/**
 * What part `from` (0 real, 1 imaginary) of element `tap` adds to part `to` of element `at`:
 * y[at] = sum x[tap] * e^(-2 pi i * at * tap / length), or with the other sign and divided by the length.
 */
export function coefficient({length, inverse, mirrored}: Transform, at: number, to: number, tap: number, from: number): number {
  // Modulo first: the angle is then exact for long signals.
  const angle = (2 * Math.PI * ((at * tap) % length)) / length;
  const turn = inverse ? -Math.sin(angle) : Math.sin(angle);
  const part = to === from ? Math.cos(angle) : to === 0 ? turn : -turn;
  const twice = mirrored && tap > 0 && 2 * tap < length;
  return inverse ? ((twice ? 2 : 1) * part) / length : part;
}
