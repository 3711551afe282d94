/**
 * The paper's face catalogue, decoded: D0 is DeepFaceNet as the authors' repository has it, and each other variant is D0 after
 * passes that a compiler can do. Which passes these are the authors do not say; the sizes and operations that follow agree with
 * what they report within 1.2%.
 */
type Layer =
  | {
      readonly kind: 'conv' | 'local';
      readonly name: string;
      readonly size: number;
      readonly stride: number;
      readonly kernels: number;
    }
  | {readonly kind: 'pool'; readonly name: string; readonly size: number; readonly stride: number; readonly pad: number}
  | {readonly kind: 'full'; readonly name: string; readonly width: number};

const input = {channels: 3, side: 152};
const d0: readonly Layer[] = [
  {kind: 'conv', name: 'conv1', size: 11, stride: 1, kernels: 32},
  {kind: 'pool', name: 'pool2', size: 3, stride: 2, pad: 1},
  {kind: 'conv', name: 'conv3', size: 9, stride: 1, kernels: 16},
  {kind: 'local', name: 'lconv4', size: 9, stride: 1, kernels: 16},
  {kind: 'local', name: 'lconv5', size: 7, stride: 2, kernels: 16},
  {kind: 'local', name: 'lconv6', size: 5, stride: 1, kernels: 16},
  {kind: 'full', name: 'fc7', width: 4096},
  {kind: 'full', name: 'result', width: 200},
];

type Pass = (layers: readonly Layer[]) => readonly Layer[];
const change =
  (name: string, to: (layer: Layer) => Layer): Pass =>
  layers =>
    layers.map(layer => (layer.name === name ? to(layer) : layer));
const narrow = (name: string, kernels: number): Pass => change(name, layer => ('kernels' in layer ? {...layer, kernels} : layer));
const width = (name: string, to: number): Pass => change(name, layer => (layer.kind === 'full' ? {...layer, width: to} : layer));
const stride = (name: string, to: number): Pass => change(name, layer => ('stride' in layer ? {...layer, stride: to} : layer));
/** One set of weights for all places, instead of one for each. */
const tie = (name: string): Pass => change(name, layer => (layer.kind === 'local' ? {...layer, kind: 'conv'} : layer));
const remove =
  (name: string): Pass =>
  layers =>
    layers.filter(layer => layer.name !== name);

type Variant = {readonly id: string; readonly change: string; readonly passes: readonly Pass[]; readonly reported: Size};
type Size = {readonly megaflops: number; readonly megabytes: number};
const row = (id: string, text: string, passes: readonly Pass[], megaflops: number, megabytes: number): Variant => ({
  ...{id, change: text, passes},
  reported: {megaflops, megabytes},
});

const half = [stride('conv1', 2)];
const short = [...half, remove('lconv5')];
const variants: readonly Variant[] = [
  row('D0', 'as it is', [], 1000, 394),
  row('D1', 'fc7 2048 wide', [width('fc7', 2048)], 974, 338),
  row('D2', 'fc7 1024 wide', [width('fc7', 1024)], 959, 309),
  row('D3', 'fc7 256 wide', [width('fc7', 256)], 948, 288),
  row('D4', 'conv1 with 16 kernels', [narrow('conv1', 16)], 605, 394),
  row('D5', 'lconv4 with 8 kernels', [narrow('lconv4', 8)], 933, 260),
  row('D6', 'conv1 with stride 2', half, 203, 40),
  row('D7', 'lconv4 tied', [tie('lconv4')], 1000, 155),
  row('D8', 'lconv5 and lconv6 tied', [tie('lconv5'), tie('lconv6')], 1000, 354),
  row('D9', 'D4, lconv4 tied', [narrow('conv1', 16), tie('lconv4')], 605, 155),
  row('D10', 'D6, lconv4 tied', [...half, tie('lconv4')], 203, 8.3),
  row('D11', 'D6 without lconv5', short, 236, 104),
  row('D12', 'D11, lconv4 tied', [...short, tie('lconv4')], 236, 73),
];

export type Decoded = Size & {readonly id: string; readonly change: string; readonly reported: Size};

export const decodeTable = (): readonly Decoded[] =>
  variants.map(({id, change: text, passes, reported}) => ({
    ...{id, change: text, reported},
    ...sizeOf(passes.reduce((layers, pass) => pass(layers), d0)),
  }));

/** Two operations per multiply-accumulate; a megabyte is 2^20 bytes, a weight takes 4. */
function sizeOf(layers: readonly Layer[]): Size {
  let {channels, side} = input;
  let [macs, weights] = [0, 0];
  for (const layer of layers) {
    if (layer.kind === 'full') {
      const inputs = channels * side * side;
      macs += inputs * layer.width;
      weights += inputs * layer.width;
      [channels, side] = [layer.width, 1];
      continue;
    }
    const pad = layer.kind === 'pool' ? layer.pad : 0;
    side = Math.floor((side + 2 * pad - layer.size) / layer.stride) + 1;
    if (layer.kind === 'pool') continue;
    const kernel = layer.size * layer.size * channels;
    macs += side * side * layer.kernels * kernel;
    weights += (layer.kind === 'local' ? side * side : 1) * layer.kernels * kernel;
    channels = layer.kernels;
  }
  return {megaflops: (2 * macs) / 1e6, megabytes: (4 * weights) / 2 ** 20};
}
