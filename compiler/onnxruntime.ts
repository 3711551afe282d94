/** onnxruntime-node as the other opinion: an optional peer, loaded only where a command asks for it. */
import type * as Onnxruntime from 'onnxruntime-node';
import {fail} from '../ir/diagnostics.js';
import {type Tensor, tensorOf} from '../ir/tensor.js';
import type {DType} from '../ir/types.js';

const typeNames = {
  f32: 'float32',
  f64: 'float64',
  f16: 'float16',
  i8: 'int8',
  u8: 'uint8',
  i16: 'int16',
  u16: 'uint16',
  i32: 'int32',
  u32: 'uint32',
  i64: 'int64',
  u64: 'uint64',
  bool: 'bool',
} as const satisfies Partial<Record<DType, string>>;

export type Peer = {
  readonly version: string;
  /** Inputs in the order of the model's inputs; outputs by name. */
  run(inputs: readonly Tensor[]): Promise<ReadonlyMap<string, Tensor>>;
  /** Milliseconds of each call. */
  time(inputs: readonly Tensor[], calls: number): Promise<number[]>;
  /** Gives its memory back. */
  close(): Promise<void>;
};

const isInstalled = async (): Promise<typeof Onnxruntime | null> => {
  try {
    return await import('onnxruntime-node');
  } catch {
    return null;
  }
};

export const hasOnnxruntime = async (): Promise<boolean> => (await isInstalled()) !== null;

export type PeerOptions = {
  readonly threads?: number;
  /** How much of the graph onnxruntime may rewrite. */
  readonly optimize?: 'disabled' | 'basic' | 'all';
  /** Says nothing on stderr about nodes that fail. */
  readonly quiet?: boolean;
};

/** A model by its path or its bytes. Throws `usage` where onnxruntime-node is not installed. One thread by default, sequential. */
export async function openPeer(model: string | Uint8Array, options: PeerOptions = {}): Promise<Peer> {
  const {threads = 1, optimize = 'all', quiet = false} = options;
  const runtime =
    (await isInstalled()) ??
    fail(
      'usage',
      'onnxruntime.missing',
      'onnxruntime-node',
      'is not installed',
      'npm install onnxruntime-node (an optional peer of dnnc)',
    );
  const settings = {
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    executionMode: 'sequential',
    graphOptimizationLevel: optimize,
    logSeverityLevel: quiet ? 4 : 3,
  } as const;
  const create = runtime.InferenceSession.create;
  const session = await (typeof model === 'string' ? create(model, settings) : create(model, settings));
  const feed = (inputs: readonly Tensor[]) =>
    Object.fromEntries(
      session.inputNames.map((name, i) => [
        name,
        toPeer(runtime, inputs[i] ?? fail('bug', 'onnxruntime.inputs', name, 'has no tensor')),
      ]),
    );
  return {
    version: runtime.env.versions.node ?? 'unknown',
    async run(inputs) {
      const results = await session.run(feed(inputs));
      return new Map(session.outputNames.map(name => [name, fromPeer(results[name])]));
    },
    async time(inputs, calls) {
      const fed = feed(inputs);
      const times: number[] = [];
      for (let i = 0; i < calls; i++) {
        const started = performance.now();
        await session.run(fed);
        times.push(performance.now() - started);
      }
      return times;
    },
    close: () => session.release(),
  };
}

function toPeer(runtime: typeof Onnxruntime, {dtype, shape, data}: Tensor): Onnxruntime.Tensor {
  const name =
    dtype in typeNames
      ? typeNames[dtype as keyof typeof typeNames]
      : fail('unsupported', 'onnxruntime.dtype', dtype, 'cannot be passed to onnxruntime');
  return new runtime.Tensor(name, data as Onnxruntime.Tensor.DataType, [...shape]);
}

function fromPeer(value: Onnxruntime.OnnxValue | undefined): Tensor {
  if (!value || !('data' in value) || !ArrayBuffer.isView(value.data))
    return fail('unsupported', 'onnxruntime.output', 'output', 'is not a tensor of numbers');
  const dtype = (Object.keys(typeNames) as (keyof typeof typeNames)[]).find(key => typeNames[key] === value.type);
  if (!dtype) return fail('unsupported', 'onnxruntime.dtype', value.type, 'cannot be read from onnxruntime');
  const {buffer, byteOffset, byteLength} = value.data;
  return tensorOf(dtype, value.dims, new Uint8Array(buffer as ArrayBuffer, byteOffset, byteLength).slice());
}
