/** A square picture of linear RGB values, about 0..1, before the camera turns it into bytes. */
export const size = 48;

export type Rgb = readonly [red: number, green: number, blue: number];
export type Canvas = Float64Array;

export const canvas = (): Canvas => new Float64Array(size * size * 3);

export const blend = (a: Rgb, b: Rgb, share: number): Rgb => [
  a[0] + (b[0] - a[0]) * share,
  a[1] + (b[1] - a[1]) * share,
  a[2] + (b[2] - a[2]) * share,
];
export const times = (a: Rgb, by: number): Rgb => [a[0] * by, a[1] * by, a[2] * by];
export const tinted = (a: Rgb, b: Rgb): Rgb => [a[0] * b[0], a[1] * b[1], a[2] * b[2]];
export const grey = (value: number): Rgb => [value, value, value];
export const clamp = (value: number, low = 0, high = 1): number => Math.min(high, Math.max(low, value));

export function put(on: Canvas, x: number, y: number, colour: Rgb): void {
  const at = (y * size + x) * 3;
  on[at] = colour[0];
  on[at + 1] = colour[1];
  on[at + 2] = colour[2];
}

export function get(on: Canvas, x: number, y: number): Rgb {
  const at = (clamp(y, 0, size - 1) * size + clamp(x, 0, size - 1)) * 3;
  return [on[at] ?? 0, on[at + 1] ?? 0, on[at + 2] ?? 0];
}

/** Mixes a colour into one pixel; outside the picture nothing happens. */
export function mix(on: Canvas, x: number, y: number, colour: Rgb, share: number): void {
  if (x < 0 || y < 0 || x >= size || y >= size || share <= 0) return;
  put(on, x, y, blend(get(on, x, y), colour, Math.min(1, share)));
}

/** Paints where `distance` (in pixels, negative inside) says, with an edge one pixel wide. */
export function fill(
  on: Canvas,
  box: readonly [left: number, top: number, right: number, bottom: number],
  colour: Rgb,
  share: number,
  distance: (x: number, y: number) => number,
): void {
  const [left, top, right, bottom] = box;
  for (let y = Math.max(0, Math.floor(top)); y <= Math.min(size - 1, Math.ceil(bottom)); y++)
    for (let x = Math.max(0, Math.floor(left)); x <= Math.min(size - 1, Math.ceil(right)); x++)
      mix(on, x, y, colour, share * clamp(0.5 - distance(x, y)));
}

export function disc(on: Canvas, cx: number, cy: number, radius: number, colour: Rgb, share: number): void {
  const reach = radius + 1;
  fill(
    on,
    [cx - reach, cy - reach, cx + reach, cy + reach],
    colour,
    share,
    (x, y) => Math.sqrt((x - cx) * (x - cx) + (y - cy) * (y - cy)) - radius,
  );
}

/** A line from x,y along dx,dy, `width` pixels wide. */
export function line(
  on: Canvas,
  x0: number,
  y0: number,
  dx: number,
  dy: number,
  width: number,
  colour: Rgb,
  share: number,
): void {
  const reach = width / 2 + 1;
  const box = [
    Math.min(x0, x0 + dx) - reach,
    Math.min(y0, y0 + dy) - reach,
    Math.max(x0, x0 + dx) + reach,
    Math.max(y0, y0 + dy) + reach,
  ] as const;
  const length2 = dx * dx + dy * dy;
  fill(on, box, colour, share, (x, y) => {
    const t = clamp(((x - x0) * dx + (y - y0) * dy) / length2);
    const ex = x - x0 - t * dx;
    const ey = y - y0 - t * dy;
    return Math.sqrt(ex * ex + ey * ey) - width / 2;
  });
}
