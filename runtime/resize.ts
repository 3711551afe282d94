/** Resampling of one plane of pixels. Pixels are areas: the centre of pixel i is at i + 0.5, in source and target alike. */

type Size = {readonly height: number; readonly width: number};

/** Whole pixels give whole pixels, as networks see them that were trained on resized images. */
export type Method = {readonly how: 'bilinear' | 'nearest'; readonly whole: boolean};

/**
 * Bilinear without antialiasing, or the pixel that holds the centre. Edges repeat; the aspect ratio is not kept.
 * Whole pixels: as OpenCV's INTER_LINEAR on 8 bits, weights in 1/2048 and a rounded result. Others: as TensorFlow's resize
 * and PyTorch's interpolate(align_corners=False).
 */
export function resizePlane(plane: Float32Array, from: Size, to: Size, {how, whole}: Method): Float32Array<ArrayBuffer> {
  const rows = taps(from.height, to.height, how, whole);
  const columns = taps(from.width, to.width, how, whole);
  const result = new Float32Array(to.height * to.width);
  let at = 0;
  for (const row of rows) {
    const [above, below] = [row.low * from.width, row.high * from.width];
    for (const {low, high, part} of columns) {
      const top = plane[above + low]! * (1 - part) + plane[above + high]! * part;
      const bottom = plane[below + low]! * (1 - part) + plane[below + high]! * part;
      const value = top * (1 - row.part) + bottom * row.part;
      result[at++] = whole ? Math.round(value) : value;
    }
  }
  return result;
}

/** The two source pixels of a target pixel, and the weight of the second one. */
type Tap = {readonly low: number; readonly high: number; readonly part: number};

function taps(from: number, to: number, how: Method['how'], whole: boolean): Tap[] {
  return Array.from({length: to}, (_, i) => {
    const centre = ((i + 0.5) * from) / to;
    if (how === 'nearest') {
      const only = Math.min(from - 1, Math.floor(centre));
      return {low: only, high: only, part: 0};
    }
    const position = Math.min(from - 1, Math.max(0, centre - 0.5));
    const low = Math.floor(position);
    return {low, high: Math.min(from - 1, low + 1), part: whole ? Math.round((position - low) * 2048) / 2048 : position - low};
  });
}
