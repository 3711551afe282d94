/** Answers where the same build runs: the input, or of a split the quantized tensor at its cut, is sent there. */
import {answerOf, corrected} from '../answers.js';
import {DnncRuntimeError} from '../errors.js';
import type {Manifest, Variant} from '../manifest.js';
import {isImage} from '../prepare.js';
import type {TypedArray} from '../tensors.js';
import {toWire} from '../wire.js';
import type {Executor, Job, LiveInput, TaskAnswer} from './executor.js';
import {fromTensor, type InferRequest, modelOf, outputName, refusal, tensorsIn, toTensor, type WireTensor} from './protocol.js';

/** One request on its way: a model, a version of it, and a document of the protocol. */
export type RemoteRequest = {
  readonly model: string;
  readonly version: string;
  readonly document: InferRequest;
  /** To be asked before so many bytes are sent, where it is known how many they are: false, they must not be. */
  readonly claim: (bytes: number) => boolean;
};

/** What came back, and bytes that were sent for it where that is known. */
export type RemoteResponse = {readonly document: unknown; readonly sentBytes?: number};

/** Sends one request. Rejects with `remote.unreachable` or `remote.refused`; must not wait forever. */
export type Send = (request: RemoteRequest) => Promise<RemoteResponse>;

export type RemoteOptions = {
  readonly manifest: Manifest;
  readonly send: Send;
  /** The first part of a split, on this device. Absent: there are no splits. */
  readonly runTo?: (job: Job) => Promise<TypedArray>;
};

export function remoteExecutor({manifest, send, runTo}: RemoteOptions): Executor {
  const variantOf = (id: string): Variant => {
    const variant = manifest.variants.find(each => each.id === id);
    if (!variant) throw new DnncRuntimeError('live.setup', id, 'is no variant of the build', 'use the catalog of this build');
    return variant;
  };

  async function inputsOf(job: Job, variant: Variant): Promise<readonly WireTensor[]> {
    const {cut} = job.option;
    if (cut === undefined) return wholeInputs(manifest, job.tasks[0]!, job.input);
    const split = variant.splits?.find(each => each.cut === cut);
    if (!split || !runTo) throw new DnncRuntimeError('live.setup', variant.id, `is not split at "${cut}" here`);
    const activation = await runTo(job);
    if (!(activation instanceof Float32Array))
      throw new DnncRuntimeError('live.setup', cut, 'is not of f32, so it cannot be sent');
    const {shape} = manifest.cuts.find(({id}) => id === cut)!;
    return [toTensor(cut, {dtype: 'u8', shape}, toWire(activation, split))];
  }

  return {
    async run(job, answered) {
      const started = performance.now();
      const variants = job.variants.map(variantOf);
      const [first] = variants;
      const inputs = await inputsOf(job, first!);
      const request = {model: modelOf(job.tasks), version: first!.recipe, document: {inputs}, claim: job.claim};
      const {document, sentBytes} = await send(request);
      for (const answer of answersIn(manifest, document, job, variants)) answered(answer);
      const milliseconds = performance.now() - started;
      return {milliseconds, ...(sentBytes !== undefined && {data: sentBytes})};
    },
  };
}

/** Images of bytes go as they are, a quarter of what their tensors would take. */
function wholeInputs(manifest: Manifest, task: string, input: LiveInput): readonly WireTensor[] {
  const {inputs} = manifest.tasks[task]!;
  const byName = ArrayBuffer.isView(input) || isImage(input) ? undefined : input;
  return inputs.map(each => {
    const value = byName ? byName[each.name] : (input as TypedArray);
    if (isImage(value)) {
      const {height, width, channels, data} = value;
      const dtype = data instanceof Float32Array ? 'f32' : 'u8';
      return toTensor(each.name, {dtype, shape: [height, width, channels]}, data as TypedArray);
    }
    if (!value) throw new DnncRuntimeError('session.input', `${task}, input "${each.name}"`, 'is missing');
    return toTensor(each.name, each, value);
  });
}

/** Checks all of the answer before any of it counts. */
function answersIn(manifest: Manifest, document: unknown, job: Job, variants: readonly Variant[]): readonly TaskAnswer[] {
  const where = modelOf(job.tasks);
  const refuse = (says: string): never => {
    throw refusal(where, says);
  };
  const tensors = tensorsIn(document, 'outputs', refuse);
  return job.tasks.map((name, i) => {
    const task = manifest.tasks[name]!;
    const outputs = task.outputs.map(output => {
      const wanted = outputName(job.tasks.length, name, output.name);
      const tensor = tensors.find(each => each.name === wanted) ?? refuse(`has no output "${wanted}"`);
      return fromTensor(tensor, output, refuse);
    });
    const under = job.prior(name);
    const plain = answerOf(name, task, outputs);
    const answer: typeof plain & {readonly probabilities?: Float64Array} = corrected(
      name,
      {task, variant: variants[i]!},
      plain,
      under ?? undefined,
    );
    const {label, index, scores, probabilities} = answer;
    return {task: name, label, index, scores, under, ...(probabilities && {probabilities})};
  });
}
