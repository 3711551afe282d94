/**
 * Checks a parsed manifest against its contract. What `readManifest` returns has every field of its type and nothing else, and
 * - every name that is referred to exists: variants of tasks, segments of paths, cuts of segments;
 * - ids are unique, entries begin with the module's name, files are plain names inside the directory;
 * - labels fit the scores, percentages and counts are in range.
 * An error names the path in the document: `tasks.age.inputs[0].dtype`.
 */
import {
  anyText,
  array,
  type Check,
  dictionary,
  integer,
  isRecord,
  number,
  object,
  oneOf,
  optional,
  show,
  text,
  wrong,
} from './check.js';
import type {
  Arena,
  Calibration,
  Cascade,
  CascadeEstimate,
  ConfusionRow,
  Cut,
  DType,
  Energy,
  Exit,
  Generator,
  Input,
  Latency,
  Library,
  Manifest,
  Output,
  Preparation,
  Price,
  Quality,
  Segment,
  Split,
  Task,
  Variant,
  Weights,
} from './manifest.js';
import {classesOf} from './tensors.js';

const word = text(/\S/, 'a string that is not empty');
const identifier = text(/^[A-Za-z_][A-Za-z0-9_]*$/, 'a C identifier');
// A name, not a path: what is opened must lie in the directory.
const fileName = text(/^(?!\.{1,2}$)[^/\\\0]+$/, 'the name of a file in the same directory');
const hash = text(/^[0-9a-f]{8,64}$/, 'a hash in hex');
const sha256 = text(/^[0-9a-f]{64}$/, 'a sha256 in hex');
const count = integer(0);
const part = number(0, 1);
const names = array(word);
const shape = array(count);
const alignment = oneOf(...Array.from({length: 17}, (_, i) => 2 ** i));
const dtype = oneOf<DType>('f64', 'f32', 'f16', 'bf16', 'i4', 'u4', 'i8', 'u8', 'i16', 'u16', 'i32', 'u32', 'i64', 'u64', 'bool');

const latencies = optional(
  dictionary(
    object<Latency>({
      p10: number(0),
      p50: number(0),
      p90: number(0),
      cold: optional(number(0)),
      threads: integer(1),
      host: word,
      measured: oneOf(true),
    }),
    /\S/,
  ),
);

const divisor: Check<number> = (value, path) => {
  number(-Number.MAX_VALUE)(value, path);
  if (value === 0) wrong(path, 'must not be 0');
};

const preparation = object<Preparation>({
  channels: optional(oneOf('rgb', 'bgr', 'grey')),
  mean: optional(array(number(-Number.MAX_VALUE), 1)),
  std: optional(array(divisor, 1)),
  dataLayout: optional(oneOf('NCHW', 'NHWC')),
  resize: optional(oneOf('nearest', 'bilinear', 'none')),
});

const lowAndHigh =
  (each: Check<number>): Check<readonly [number, number]> =>
  (value, path) => {
    array(each, 2)(value, path);
    if (Array.isArray(value) && (value.length !== 2 || value[0] > value[1]))
      wrong(path, `must be [low, high], is ${show(value)}`);
  };
const interval = lowAndHigh(number(0, 100));
const quality = object<Quality>({metric: oneOf('top1'), value: number(0, 100), interval, n: integer(1), data: sha256});
const energy = object<Energy>({
  millijoules: number(0),
  source: oneOf('measured', 'modelled'),
  profile: word,
  interval: optional(lowAndHigh(number(0))),
  host: optional(word),
});

const pair: Check<readonly [number, number]> = (value, path) => {
  array(count, 2)(value, path);
  if (Array.isArray(value) && value.length !== 2) wrong(path, `must be [answer, n], is ${show(value)}`);
};

const labelOrIndex: Check<string | number> = (value, path) =>
  typeof value === 'string' ? word(value, path) : count(value, path);

const manifest = object<Manifest>({
  schema: oneOf(1),
  generator: object<Generator>({name: oneOf('dnnc'), version: word, optionsHash: hash, sources: names}),
  name: identifier,
  buildHash: hash,
  libraries: array(
    object<Library>({
      target: word,
      file: fileName,
      sha256,
      needs: names,
      platform: optional(text(/^[a-z0-9]+-[a-z0-9]+$/, 'platform-arch')),
    }),
  ),
  weights: object<Weights>({file: fileName, bytes: count, sha256, alignment, symbol: optional(identifier)}),
  arena: object<Arena>({bytes: count, lowerBound: count, alignment}),
  tasks: dictionary(
    object<Task>({
      labels: optional(array(anyText)),
      labelOffset: optional(integer(Number.MIN_SAFE_INTEGER)),
      inputs: array(object<Input>({name: word, dtype, shape, preparation: optional(preparation)})),
      outputs: array(object<Output>({name: word, dtype, shape}), 1),
      scores: oneOf('logits', 'probabilities'),
      variants: array(word, 1),
    }),
    /^[A-Za-z0-9_][A-Za-z0-9_.-]*$/,
  ),
  segments: array(
    object<Segment>({
      id: word,
      tasks: names,
      from: optional(word),
      to: optional(word),
      macs: count,
      weightBytes: count,
      arenaBytes: count,
      entry: optional(identifier),
      weights: optional(object<{readonly offset: number; readonly bytes: number}>({offset: count, bytes: count})),
      latency: latencies,
    }),
  ),
  cuts: array(object<Cut>({id: word, dtype, shape, bytes: count, layout: optional(oneOf('channels-last')), tasks: names})),
  variants: array(
    object<Variant>({
      id: word,
      task: word,
      recipe: word,
      entry: optional(identifier),
      exit: optional(object<Exit>({cut: word, file: fileName, sha256, bytes: count, lacks: optional(array(count, 1))})),
      cascade: optional(
        object<Cascade>({
          first: word,
          last: word,
          threshold: part,
          share: part,
          estimates: array(object<CascadeEstimate>({share: part, accuracy: number(0, 100), macs: number(0), alone: part})),
          n: integer(1),
          data: sha256,
        }),
      ),
      path: array(word, 1),
      macs: count,
      weightBytes: count,
      arenaBytes: count,
      arenaLowerBound: count,
      loadBytes: count,
      quality: optional(quality),
      confusion: optional(array(object<ConfusionRow>({class: count, answers: array(pair, 1)}))),
      calibration: optional(
        object<Calibration>({
          temperature: number(Number.MIN_VALUE),
          frequencies: array(number(0, 1), 1),
          n: integer(1),
          data: sha256,
        }),
      ),
      splits: optional(
        array(
          object<Split>({
            cut: word,
            low: number(-Number.MAX_VALUE),
            step: number(Number.MIN_VALUE),
            bytes: number(0),
            inputBytes: number(0),
            quality,
          }),
        ),
      ),
      latency: latencies,
      energy: optional(dictionary(energy, /\S/)),
      price: optional(dictionary(object<Price>({dollars: number(0), milliseconds: number(0)}), /\S/)),
      context: optional(array(labelOrIndex, 1)),
    }),
  ),
  files: dictionary(sha256, /^(?!.*(^|\/)\.{0,2}(\/|$))[^\\\0]+$/),
});

/** Throws DnncRuntimeError `manifest.invalid` unless `json` is a manifest of this version; returns the same object. */
export function readManifest(json: unknown): Manifest {
  const {schema} = isRecord(json) ? json : {schema: undefined};
  if (schema !== undefined && schema !== 1) {
    wrong(
      'schema',
      `this runtime reads version 1, the manifest has ${show(schema)}`,
      'use the dnnc that built it, or build again',
    );
  }
  manifest(json, '');
  const checked = json as Manifest;
  checkReferences(checked);
  return checked;
}

/** What a list of fields cannot say: every name that is referred to is there, and every number fits its neighbours. */
function checkReferences(manifest: Manifest): void {
  unique(manifest.libraries, 'libraries', 'file');
  unique(manifest.segments, 'segments', 'id');
  unique(manifest.cuts, 'cuts', 'id');
  unique(manifest.variants, 'variants', 'id');
  if (manifest.libraries.length === 0) wrong('libraries', 'needs at least 1 of them, has 0');
  const taskNames = new Set(Object.keys(manifest.tasks));
  const cutIds = new Set(manifest.cuts.map(cut => cut.id));
  const segmentIds = new Set(manifest.segments.map(segment => segment.id));
  for (const [i, cut] of manifest.cuts.entries()) known(cut.tasks, taskNames, `cuts[${i}].tasks`, 'task');
  for (const [i, segment] of manifest.segments.entries()) {
    known(segment.tasks, taskNames, `segments[${i}].tasks`, 'task');
    if (segment.from !== undefined) known([segment.from], cutIds, `segments[${i}].from`, 'cut');
    if (segment.to !== undefined) known([segment.to], cutIds, `segments[${i}].to`, 'cut');
    if (segment.weights && segment.weights.offset + segment.weights.bytes > manifest.weights.bytes) {
      wrong(`segments[${i}].weights`, `must end within the ${manifest.weights.bytes} bytes of weights`);
    }
  }
  for (const [i, variant] of manifest.variants.entries()) {
    const path = `variants[${i}]`;
    known([variant.task], taskNames, `${path}.task`, 'task');
    known(variant.path, segmentIds, `${path}.path`, 'segment');
    for (const [at, {cut}] of (variant.splits ?? []).entries()) known([cut], cutIds, `${path}.splits[${at}].cut`, 'cut');
    checkWay(manifest, variant, path);
    const classes = classesOf(manifest.tasks[variant.task]?.outputs[0]?.shape ?? []);
    if (variant.calibration && variant.calibration.frequencies.length !== classes)
      wrong(
        `${path}.calibration.frequencies`,
        `must be ${classes}, one for each score, are ${variant.calibration.frequencies.length}`,
      );
    if (variant.arenaBytes > manifest.arena.bytes)
      wrong(`${path}.arenaBytes`, `must fit the arena of ${manifest.arena.bytes} bytes`);
  }
  for (const [name, task] of Object.entries(manifest.tasks)) checkTask(manifest, name, task);
}

/** Exactly one way to compute a variant, made of what is there. */
function checkWay({name, variants, segments, tasks}: Manifest, variant: Variant, path: string): void {
  const {entry, exit, cascade} = variant;
  const ways = [entry, exit, cascade].filter(way => way !== undefined);
  if (ways.length !== 1) wrong(path, `must have one of entry, exit and cascade, has ${ways.length}`);
  if (entry !== undefined && !entry.startsWith(`${name}_`)) wrong(`${path}.entry`, `must begin with ${name}_, is ${entry}`);
  const outputs = tasks[variant.task]?.outputs ?? [];
  if (entry === undefined && (outputs.length !== 1 || outputs[0]?.dtype !== 'f32'))
    wrong(path, 'has an exit or a cascade, which only tasks of one f32 output can have');
  const end = segments.find(({id}) => id === variant.path.at(-1))?.to;
  if (exit && exit.cut !== end)
    wrong(`${path}.exit.cut`, `${show(exit.cut)} is no cut where the path ends (${end ?? 'the outputs'})`);
  if (!cascade) return;
  const stages = new Set(variants.filter(other => other.task === variant.task && !other.cascade).map(({id}) => id));
  known([cascade.first], stages, `${path}.cascade.first`, 'variant of this task that is not a cascade');
  known([cascade.last], stages, `${path}.cascade.last`, 'variant of this task that is not a cascade');
  if (!variant.context) wrong(`${path}.context`, 'must be there: a cascade has a context');
}

function checkTask(manifest: Manifest, name: string, task: Task): void {
  const path = `tasks.${name}`;
  const own = new Set(manifest.variants.filter(variant => variant.task === name).map(variant => variant.id));
  known(task.variants, own, `${path}.variants`, 'variant of this task');
  unique(task.inputs, `${path}.inputs`, 'name');
  unique(task.outputs, `${path}.outputs`, 'name');
  const classes = classesOf(task.outputs[0]?.shape ?? []);
  const last = (task.labels?.length ?? 0) + (task.labelOffset ?? 0);
  if (last > classes)
    wrong(`${path}.labels`, `end at output ${last - 1}, the scores end at ${classes - 1}`, 'correct labels or labelOffset');
}

function unique<K extends string>(items: readonly {readonly [key in K]: string}[], path: string, key: K): void {
  const seen = new Set<string>();
  for (const [i, item] of items.entries()) {
    if (seen.has(item[key])) wrong(`${path}[${i}].${key}`, `must be unique, ${show(item[key])} was there before`);
    seen.add(item[key]);
  }
}

function known(used: readonly string[], there: ReadonlySet<string>, path: string, kind: string): void {
  for (const name of used)
    if (!there.has(name)) wrong(path, `${show(name)} is no ${kind}; there are ${[...there].join(', ') || 'none'}`);
}
