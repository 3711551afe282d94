/**
 * The contract between what `dnnc build` writes and what runs it: the catalog of variants as plain readonly data.
 * Every number was computed or measured; what was not measured is absent. `readManifest` checks the same rules at run time,
 * `manifest.schema.json` states them for other languages; a test holds the three together.
 */

/** Element types of inputs and outputs. f16 and bf16 are bit patterns, bool is 0 or 1, i4 and u4 are one value per byte. */
export type DType =
  | 'f64'
  | 'f32'
  | 'f16'
  | 'bf16'
  | 'i4'
  | 'u4'
  | 'i8'
  | 'u8'
  | 'i16'
  | 'u16'
  | 'i32'
  | 'u32'
  | 'i64'
  | 'u64'
  | 'bool';

/** The version of this contract. It grows with every change of a field, so an older runtime refuses what it cannot read. */
export const manifestSchema = 1;

export type Manifest = {
  readonly schema: 1;
  readonly generator: Generator;
  /** The module: a C identifier that every public symbol begins with. */
  readonly name: string;
  /** Hex. Equal in the manifest, the libraries and the weights of one build. */
  readonly buildHash: string;
  readonly libraries: readonly Library[];
  readonly weights: Weights;
  readonly arena: Arena;
  readonly tasks: {readonly [task: string]: Task};
  readonly segments: readonly Segment[];
  readonly cuts: readonly Cut[];
  readonly variants: readonly Variant[];
  /** Hex sha256 of every other file of the directory, by name. */
  readonly files: {readonly [name: string]: string};
};

export type Generator = {
  readonly name: 'dnnc';
  readonly version: string;
  /** Hex hash of the options of the build, to tell two builds of one model apart. */
  readonly optionsHash: string;
  /** File names of the models, without folders. */
  readonly sources: readonly string[];
};

export type Library = {
  /** `generic`, `x86-64-avx2`, `x86-64-avx512`, `aarch64-neon`, `wasm32`. */
  readonly target: string;
  readonly file: string;
  readonly sha256: string;
  /** CPU features as gcc spells them (`avx2`, `fma`, `avx512f`); all must be there, in the CPU and in the operating system. */
  readonly needs: readonly string[];
  /** Where it loads, as Node's `${process.platform}-${process.arch}`: `linux-x64`. Absent: wherever the build ran. */
  readonly platform?: string;
};

export type Weights = {
  readonly file: string;
  readonly bytes: number;
  readonly sha256: string;
  /** Bytes: the address of the blob must be a multiple of it. */
  readonly alignment: number;
  /** Present after `--weights c`: the symbol of the same bytes inside each library; the file is then not opened. */
  readonly symbol?: string;
};

/** Scratch memory of one thread, large enough for every variant. `lowerBound` is the most that is alive at once. In bytes. */
export type Arena = {readonly bytes: number; readonly lowerBound: number; readonly alignment: number};

export type Task = {
  readonly labels?: readonly string[];
  /** Added to the position of a label to get its output index. Absent: 0. */
  readonly labelOffset?: number;
  readonly inputs: readonly Input[];
  /** The first one holds the scores, one per class. */
  readonly outputs: readonly Output[];
  /** What the first output holds: `probabilities` sum to 1. */
  readonly scores: 'logits' | 'probabilities';
  /** Ids; the first is used where none is asked for. */
  readonly variants: readonly string[];
};

export type Input = {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly preparation?: Preparation;
};

export type Output = {readonly name: string; readonly dtype: DType; readonly shape: readonly number[]};

/** From pixels to the tensor: channels, resize where sizes differ, then `(x - mean) / std` on values as stored (0..255). */
export type Preparation = {
  /** What the model was trained on. Absent: the channels as they are. */
  readonly channels?: 'rgb' | 'bgr' | 'grey';
  /** One number, or one per channel. Absent: 0. */
  readonly mean?: readonly number[];
  /** One number, or one per channel; none is 0. Absent: 1. */
  readonly std?: readonly number[];
  /** How data sets hold the samples. The layout of the model's own input shows in its shape. */
  readonly dataLayout?: 'NCHW' | 'NHWC';
  /** `none` makes another size an error. Absent: `bilinear`. */
  readonly resize?: 'nearest' | 'bilinear' | 'none';
};

/** The code between two neighbouring cuts: the unit of paging and placement. */
export type Segment = {
  readonly id: string;
  readonly tasks: readonly string[];
  /** The cut it starts from; absent: the inputs. */
  readonly from?: string;
  /** The cut it ends at; absent: the outputs. */
  readonly to?: string;
  readonly macs: number;
  readonly weightBytes: number;
  readonly arenaBytes: number;
  /** C symbol that runs this segment alone, where there is one. */
  readonly entry?: string;
  /** Where its weights lie in the blob, where they lie together. In bytes. */
  readonly weights?: {readonly offset: number; readonly bytes: number};
  /** Of this segment alone, by target. */
  readonly latency?: {readonly [target: string]: Latency};
};

/** A point where one tensor separates all that is before from all that is after. */
export type Cut = {
  readonly id: string;
  readonly dtype: DType;
  readonly shape: readonly number[];
  /** Of the activation: what crosses the network when the split is here. */
  readonly bytes: number;
  /** How images lie in the activation: channels-first where absent. `shape` says channels first in both. */
  readonly layout?: 'channels-last';
  readonly tasks: readonly string[];
};

/** One answer to a task. It has exactly one of `entry`, `exit` and `cascade`, which say how it is computed. */
export type Variant = {
  /** `age/full`: the task and the recipe. */
  readonly id: string;
  readonly task: string;
  readonly recipe: string;
  /** C symbol: `int entry(const void *blob, void *arena, const void *const *inputs, void *const *outputs)`. */
  readonly entry?: string;
  /** A head that was fitted after the build, on the tensor where `path` ends. */
  readonly exit?: Exit;
  /** Two other variants of the task, one after the other. */
  readonly cascade?: Cascade;
  /** Ids of segments, in the order in which they run. Of a cascade: those of its first variant. */
  readonly path: readonly string[];
  /** Of a cascade: when both run. */
  readonly macs: number;
  readonly weightBytes: number;
  readonly arenaBytes: number;
  readonly arenaLowerBound: number;
  /** What must be read before the first answer when nothing is resident. */
  readonly loadBytes: number;
  readonly quality?: Quality;
  /** Of the data of `quality`, for classes that it has. */
  readonly confusion?: readonly ConfusionRow[];
  readonly calibration?: Calibration;
  /** Places to hand over that send less than the input; the best accuracy first. */
  readonly splits?: readonly Split[];
  /** By target. */
  readonly latency?: {readonly [target: string]: Latency};
  /** By target where it was measured, by the name of the device's profile where it is modelled. */
  readonly energy?: {readonly [targetOrProfile: string]: Energy};
  /** By the name of the cloud's profile. */
  readonly price?: {readonly [profile: string]: Price};
  /** The classes that hold most requests where a specialized variant is worth its name, as labels or output indices. */
  readonly context?: readonly (string | number)[];
};

/** A head in a file of kilobytes, which `NAME_exit` of the library runs: a task answered early (an "exit"). */
export type Exit = {
  readonly cut: string;
  readonly file: string;
  readonly sha256: string;
  readonly bytes: number;
  /** Output indices of classes that the samples for its fit lacked: it hardly ever answers with them. Absent: none. */
  readonly lacks?: readonly number[];
};

/**
 * A cheap variant answers where it is sure, else a dear one (MCDNN, section 5.2.1). Scores of both are corrected by the class
 * frequencies of the context, unless the caller gives others; the answer's scores are probabilities.
 */
export type Cascade = {
  /** Ids. Where both begin with the same segments, these run once. */
  readonly first: string;
  readonly last: string;
  /** Least probability that the first one answers with. */
  readonly threshold: number;
  /** Of the requests that the classes of `context` hold, for which the threshold was chosen; from 0 to 1. */
  readonly share: number;
  /** What to expect where the context's classes hold other shares, from `n` unseen samples of data with this sha256. */
  readonly estimates: readonly CascadeEstimate[];
  readonly n: number;
  readonly data: string;
};

/** Percent of right answers, multiply-accumulates per request, and the part of the requests that `first` answers alone. */
export type CascadeEstimate = {
  readonly share: number;
  readonly accuracy: number;
  readonly macs: number;
  readonly alone: number;
};

/** On labelled data. `value` and its 95% `interval` are in percent, `n` counts samples, `data` is the sha256 of the data. */
export type Quality = {
  readonly metric: 'top1';
  readonly value: number;
  readonly interval: readonly [low: number, high: number];
  readonly n: number;
  readonly data: string;
};

/** What samples of one class, an output index, are answered with: [output index, how many], most often first. */
export type ConfusionRow = {readonly class: number; readonly answers: readonly (readonly [answer: number, n: number])[]};

/**
 * What makes scores honest probabilities: they are divided by `temperature` (as logits). `frequencies` of the classes, by
 * output index, are those that the network learned under. Found on `n` labelled samples, `data` is the sha256 of the data.
 */
export type Calibration = {
  readonly temperature: number;
  readonly frequencies: readonly number[];
  readonly n: number;
  readonly data: string;
};

/**
 * What comes before the cut runs here, the rest where the same build runs. The tensor crosses as one byte per element,
 * round((x - low) / step) (see `toWire`), deflated. `bytes` is what that takes on average, `inputBytes` what the sample as
 * stored takes, deflated; `quality` is that of the task when it is split so.
 */
export type Split = {
  readonly cut: string;
  readonly low: number;
  readonly step: number;
  readonly bytes: number;
  readonly inputBytes: number;
  readonly quality: Quality;
};

/**
 * Milliseconds per call on the machine `host` (CPU model). `cold`: of the first call after the memory of all weights was given
 * back, which reads them again from the file as the system has it cached; what storage takes comes on top.
 */
export type Latency = {
  readonly p10: number;
  readonly p50: number;
  readonly p90: number;
  readonly cold?: number;
  readonly threads: number;
  readonly host: string;
  readonly measured: true;
};

/**
 * Per call, beyond what the machine takes when idle. `profile` names the meter or the device's profile that the number comes
 * from; `interval` is that of repeated measurements, or of the sources where these disagree; `host` is the CPU that was measured.
 */
export type Energy = {
  readonly millijoules: number;
  readonly source: 'measured' | 'modelled';
  readonly profile: string;
  readonly interval?: readonly [low: number, high: number];
  readonly host?: string;
};

/** Of one call in the cloud, alone on its machine for so many milliseconds: modelled. */
export type Price = {readonly dollars: number; readonly milliseconds: number};
