/** The server's side of the protocol over a build, as a function from requests to documents: how they travel is the caller's. */
import {DnncRuntimeError} from '../errors.js';
import type {Cut, Input, Split, Task, Variant} from '../manifest.js';
import type {Image} from '../prepare.js';
import type {Session} from '../session.js';
import type {TypedArray} from '../tensors.js';
import {fromWire} from '../wire.js';
import {
  datatypeOf,
  fromTensor,
  type InferResponse,
  outputName,
  tensorsIn,
  toTensor,
  variantsOf,
  type WireTensor,
} from './protocol.js';

export type ServiceRequest = {
  readonly method: string;
  /** Without a query: `/v2/models/age/infer`. */
  readonly path: string;
  /** The parsed body of a POST. */
  readonly document?: unknown;
};

export type ServiceResponse = {readonly status: number; readonly document: object};

export type Service = (request: ServiceRequest) => Promise<ServiceResponse>;

const modelPath = /^\/v2\/models\/([^/]+)(?:\/versions\/([^/]+))?(?:\/(ready|infer))?$/;

/** A request that is wrong, as the protocol says it. */
class Refused extends Error {
  constructor(
    readonly status: number,
    says: string,
  ) {
    super(says);
  }
}

const refuse = (says: string, status = 400): never => {
  throw new Refused(status, says);
};

export function inferenceService(session: Session): Service {
  const {manifest} = session;

  async function answer({method, path, document}: ServiceRequest): Promise<object> {
    if (path === '/v2') return get(method, {name: 'dnnc', version: manifest.generator.version, extensions: []});
    if (path === '/v2/health/live') return get(method, {live: true});
    if (path === '/v2/health/ready') return get(method, {ready: true});
    const [, model = '', version, verb] = modelPath.exec(path) ?? [];
    if (model === '') return refuse(`there is no ${path}`, 404);
    const [name, recipe] = [decoded(model), version === undefined ? undefined : decoded(version)];
    const variants = variantsOf(manifest, name, recipe);
    if (!variants)
      return refuse(`there is no model "${name}"${recipe === undefined ? '' : `, version "${recipe}"`}; ${known()}`, 404);
    if (verb === 'ready') return get(method, {name, ready: true});
    if (verb !== 'infer') return get(method, metadataOf(name, variants));
    if (method !== 'POST') return refuse('infer is asked by POST', 405);
    return infer(name, variants, document);
  }

  const known = (): string =>
    `models are ${Object.keys(manifest.tasks).join(', ')}, or several joined by +; versions are recipes: ${[...new Set(manifest.variants.map(({recipe}) => recipe))].join(', ')}`;

  const get = (method: string, document: object): object => (method === 'GET' ? document : refuse('this is asked by GET', 405));

  function metadataOf(name: string, variants: ReadonlyMap<string, Variant>): object {
    const tasks = [...variants.keys()].map(task => [task, manifest.tasks[task]!] as const);
    const tensor = (name_: string, {dtype, shape}: Input) => ({
      name: name_,
      datatype: datatypeOf(dtype) ?? dtype.toUpperCase(),
      shape,
    });
    return {
      name,
      versions: [...new Set(manifest.variants.map(({recipe}) => recipe))].filter(recipe => variantsOf(manifest, name, recipe)),
      platform: 'dnnc',
      inputs: tasks[0]![1].inputs.map(input => tensor(input.name, input)),
      outputs: tasks.flatMap(([task, {outputs}]) =>
        outputs.map(output => tensor(outputName(tasks.length, task, output.name), output)),
      ),
    };
  }

  async function infer(name: string, variants: ReadonlyMap<string, Variant>, document: unknown): Promise<InferResponse> {
    const given = tensorsIn(document, 'inputs', refuse);
    const [task, variant] = [...variants][0]!;
    const split = variants.size === 1 ? variant.splits?.find(({cut}) => given[0]!.name === cut) : undefined;
    const outputs = split ? fromCut(task, variant, split, given) : await whole(variants, given);
    const {id} = document as {readonly id?: unknown};
    return {model_name: name, model_version: variant.recipe, ...(typeof id === 'string' && {id}), outputs};
  }

  async function whole(variants: ReadonlyMap<string, Variant>, given: readonly WireTensor[]): Promise<readonly WireTensor[]> {
    const [first] = variants.keys();
    const inputs = Object.fromEntries(manifest.tasks[first!]!.inputs.map(input => [input.name, inputOf(input, given)]));
    const frame = session.frame(inputs);
    const answers = await Promise.all(
      [...variants].map(async ([name, variant]) => {
        const task = manifest.tasks[name]!;
        const {outputs} = await frame.run(name, {variant: variant.id});
        return tensorsOf(variants.size, name, task, Object.values(outputs));
      }),
    );
    return answers.flat();
  }

  function fromCut(name: string, variant: Variant, split: Split, given: readonly WireTensor[]): readonly WireTensor[] {
    const cut: Cut = manifest.cuts.find(({id}) => id === split.cut)!;
    const bytes = fromTensor(given[0]!, {dtype: 'u8', shape: cut.shape}, refuse) as Uint8Array;
    const {outputs} = session.runFrom(name, split.cut, fromWire(bytes, split), {variant: variant.id});
    return tensorsOf(1, name, manifest.tasks[name]!, Object.values(outputs));
  }

  return async request => {
    try {
      return {status: 200, document: await answer(request)};
    } catch (error) {
      if (error instanceof Refused) return {status: error.status, document: {error: error.message}};
      if (error instanceof DnncRuntimeError || error instanceof RangeError)
        return {status: 400, document: {error: error.message}};
      throw error;
    }
  };
}

function tensorsOf(tasks: number, name: string, {outputs}: Task, values: readonly TypedArray[]): readonly WireTensor[] {
  return outputs.map((output, i) => toTensor(outputName(tasks, name, output.name), output, values[i]!));
}

/** The tensor as the model has it, or an image where the manifest says how to prepare one. */
function inputOf(input: Input, given: readonly WireTensor[]): TypedArray | Image {
  const tensor = given.find(({name}) => name === input.name) ?? refuse(`has no input "${input.name}"`);
  const [height = 0, width = 0, channels = 0] = tensor.shape;
  if (!input.preparation || tensor.shape.length !== 3 || !(channels === 1 || channels === 3 || channels === 4))
    return fromTensor(tensor, input, refuse);
  const dtype = tensor.datatype === 'UINT8' ? 'u8' : 'f32';
  const data = fromTensor(tensor, {dtype, shape: tensor.shape}, refuse) as Uint8Array | Float32Array;
  return {width, height, channels, data};
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return refuse(`"${part}" is no part of an address`);
  }
}
