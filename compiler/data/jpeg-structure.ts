/**
 * What a JPEG file claims, read marker by marker before a decoder sees it. jpeg-js trusts those claims: a few bytes of
 * sampling factors or a thousand progressive scans would keep it busy for hours. Only what is walked cleanly is decoded.
 */

export type JpegClaims = {
  readonly width: number;
  readonly height: number;
  readonly components: number;
  /** Bits of a sample. */
  readonly precision: number;
  /** Baseline, extended and progressive Huffman: 0, 1, 2. The rest (lossless, arithmetic) no common decoder reads. */
  readonly process: number;
  readonly scans: number;
};

/** The claims, or what is wrong. */
export function jpegClaims(bytes: Uint8Array): JpegClaims | string {
  const u16 = (at: number): number => (bytes[at] ?? 0) * 256 + (bytes[at + 1] ?? 0);
  if (u16(0) !== 0xffd8) return 'it does not start like a JPEG file';
  let frame: Omit<JpegClaims, 'scans'> | null = null;
  let scans = 0;
  for (let at = 2; at + 1 < bytes.length; ) {
    if (bytes[at] !== 0xff) return `byte ${at} should start a marker`;
    const marker = bytes[at + 1]!;
    if (marker === 0xff) {
      at++;
      continue;
    }
    if (marker === 0xd9) return frame && scans > 0 ? {...frame, scans} : 'it holds no picture';
    const content = at + 4;
    const end = at + 2 + u16(at + 2);
    if (end < content || end > bytes.length) return `the segment at byte ${at} ends beyond the file`;
    const isFrame = marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc;
    if (isFrame) {
      if (frame !== null) return 'it holds several pictures';
      const components = bytes[content + 5] ?? 0;
      if (end !== content + 6 + 3 * components || components < 1 || components > 4) return 'its frame header is damaged';
      for (let i = 0; i < components; i++) {
        const [across, down] = [bytes[content + 7 + 3 * i]! >> 4, bytes[content + 7 + 3 * i]! & 15];
        if (across < 1 || across > 4 || down < 1 || down > 4) return `a sampling factor of ${across} x ${down}`;
      }
      const [height, width] = [u16(content + 1), u16(content + 3)];
      frame = {width, height, components, precision: bytes[content]!, process: marker - 0xc0};
    } else if (marker === 0xdb) {
      if (!fits(content, end, spec => 1 + 64 * (1 + (bytes[spec]! >> 4)))) return 'its quantization tables are damaged';
    } else if (marker === 0xc4) {
      const size = (spec: number): number => 17 + bytes.subarray(spec + 1, spec + 17).reduce((sum, n) => sum + n, 0);
      if (!fits(content, end, size)) return 'its Huffman tables are damaged';
    } else if (marker === 0xda) {
      const selectors = bytes[content] ?? 0;
      if (frame === null || selectors < 1 || selectors > frame.components || end !== content + 4 + 2 * selectors)
        return 'a scan header is damaged';
      scans++;
      at = endOfScan(bytes, end);
      continue;
    } else if ((marker === 0xdd || marker === 0xdc) && end !== at + 6) return 'a segment has the wrong length';
    else if (marker < 0xc0 || (marker >= 0xd0 && marker <= 0xd8)) return `a marker ff${marker.toString(16)} out of place`;
    at = end;
  }
  return 'it ends early';
}

/** Whether tables of the given sizes fill a segment exactly. */
function fits(from: number, end: number, sizeAt: (at: number) => number): boolean {
  let at = from;
  while (at < end) at += sizeAt(at);
  return at === end;
}

/** Compressed data runs to the next marker; ff00 and the restart markers ffd0 to ffd7 belong to it. */
function endOfScan(bytes: Uint8Array, from: number): number {
  for (let at = from; at + 1 < bytes.length; at++) {
    const next = bytes[at + 1]!;
    if (bytes[at] === 0xff && next !== 0 && !(next >= 0xd0 && next <= 0xd7)) return at;
  }
  return bytes.length;
}
