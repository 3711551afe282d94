/**
 * Seeded ONNX models over all operators that are imported (test/support/onnx-recipes). A model grows node by node: onnxruntime
 * runs each node alone on the values that it has made so far, and only nodes that it takes, and whose results are finite,
 * small and not at the mercy of the last bit, stay. So every value of the model is known, and how far it may be off.
 */
import type {onnx} from 'onnx-proto';
import {openPeer, type Peer} from '../../compiler/onnxruntime.js';
import {elements, numberAt, numbersOf, setElement, type Tensor} from '../../ir/tensor.js';
import type {DType} from '../../ir/types.js';
import {largestOf} from './agreement.js';
import {node} from './onnx-bytes.js';
import {type Draft, Draw, type Known, largest, type Recipe} from './onnx-draw.js';
import {modelOf} from './onnx-model.js';
import {isReal, type Random, randomOf} from './tensors.js';

/** A model with one tensor per graph input, and what onnxruntime makes of it. */
export type OnnxCase = {
  readonly opset: number;
  readonly nodes: readonly onnx.INodeProto[];
  readonly bytes: Uint8Array;
  readonly inputs: readonly Known[];
  readonly outputs: readonly Known[];
};

export type RandomOnnx = OnnxCase & {
  readonly seed: number;
};

/** Whether a node, alone in a model, is kept. */
export type Judge = (recipe: Recipe, made: OnnxCase) => boolean;

export type GeneratorOptions = {
  readonly recipes: readonly Recipe[];
  /** Asked about every node that onnxruntime takes. */
  readonly judge?: Judge;
  /** Told of every node that onnxruntime does not take. */
  readonly refused?: (op: string, says: string) => void;
};

/** Of the largest value that takes part: what one operator may be off. */
const lastBits = (dtype: DType): number => (dtype === 'f16' ? 2e-3 : 4e-6);
/** Operands are shaken by so many times what they may be off. */
const shaking = 10;

export async function randomOnnx(seed: number, {recipes, judge, refused}: GeneratorOptions): Promise<RandomOnnx | null> {
  const random = randomOf(seed);
  const opset = drawOpset(random);
  const draw = new Draw(random, opset);
  const fitting = recipes.filter(({opsets: [first, last] = [1, 99]}) => first <= opset && opset <= last);
  const nodes: Made[] = [];
  const wanted = 1 + random.below(12);
  for (let attempt = 0; attempt < 3 * wanted && nodes.length < wanted; attempt++) {
    const recipe = random.pick(fitting);
    const draft = recipe.draw(draw);
    if (!draft) continue;
    const made = await tryNode(recipe, draft, draw);
    if (typeof made === 'string') {
      refused?.(recipe.op, made);
      continue;
    }
    if (!made || (judge && !judge(recipe, caseOf([made], made.outputs, opset)))) continue;
    nodes.push(made);
    draw.values.push(...made.outputs);
  }
  if (nodes.length === 0) return null;
  const read = new Set(nodes.flatMap(({inputs}) => inputs.map(input => input?.name)));
  const all = nodes.flatMap(({outputs}) => outputs);
  const outputs = random.chance(0.4) ? all : all.filter(({name}) => !read.has(name));
  return {...caseOf(nodes, outputs, opset), seed};
}

function drawOpset(random: Random): number {
  if (random.chance(0.12)) return 7 + random.below(6);
  return random.chance(0.8) ? 13 + random.below(10) : 23 + random.below(4);
}

type Made = {
  readonly recipe: Recipe;
  readonly node: onnx.INodeProto;
  readonly inputs: readonly (Known | null)[];
  readonly outputs: readonly Known[];
};

function caseOf(nodes: readonly Made[], outputs: readonly Known[], opset: number): OnnxCase {
  const computed = new Set(nodes.flatMap(made => made.outputs.map(({name}) => name)));
  const operands = nodes.flatMap(({inputs}) => inputs.filter(input => input !== null));
  const given = [...new Map(operands.filter(({name}) => !computed.has(name)).map(value => [value.name, value])).values()];
  const inputs = given.filter(({constant}) => !constant);
  const constants = given.filter(({constant}) => constant);
  const written = nodes.map(made => made.node);
  return {opset, nodes: written, bytes: modelOf({nodes: written, inputs, constants, outputs}, opset), inputs, outputs};
}

/** The node with its results; null where they are not fit to go on with; or why onnxruntime does not take it. */
async function tryNode(recipe: Recipe, draft: Draft, draw: Draw): Promise<Made | string | null> {
  const {op, domain = ''} = recipe;
  const names = (draft.outputs ?? [true]).map(wanted => (wanted ? draw.name('v') : ''));
  const written = node(
    op,
    draft.inputs.map(input => input?.name ?? ''),
    names,
    {name: draw.name(`${op}.`), domain, attribute: [...(draft.attributes ?? [])]},
  );
  const operands = [...new Map(draft.inputs.flatMap(input => (input ? [[input.name, input]] : []))).values()];
  const inputs = operands.filter(({constant}) => !constant);
  const outputs = names.filter(Boolean);
  const constants = operands.filter(({constant}) => constant);
  const bytes = modelOf({nodes: [written], inputs, constants, outputs: outputs.map(name => ({name}))}, draw.opset);
  let peer: Peer | null = null;
  try {
    peer = await openPeer(bytes, {optimize: 'disabled', quiet: true});
    const results = await peer.run(inputs.map(({tensor}) => tensor));
    const tensors = outputs.map(name => results.get(name)!);
    if (tensors.some(tensor => !isFit(tensor, recipe))) return null;
    const errors = await errorsOf(peer, recipe, inputs, operands, tensors, draw.random);
    if (errors === null) return null;
    const made = tensors.map((tensor, i): Known => ({name: outputs[i]!, tensor, constant: false, error: errors[i]!}));
    return {recipe, node: written, inputs: draft.inputs, outputs: made};
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  } finally {
    await peer?.close();
  }
}

function isFit(tensor: Tensor, {wild = false}: Recipe): boolean {
  const count = elements(tensor.shape);
  if (count > largest) return false;
  return wild || !isReal(tensor.dtype) || numbersOf(tensor).every(value => Math.abs(value) < 1e4);
}

/** How far each result may be off, measured by shaking the operands that may be off; null where that is too much. */
async function errorsOf(
  peer: Peer,
  {exact = false, loose}: Recipe,
  inputs: readonly Known[],
  operands: readonly Known[],
  results: readonly Tensor[],
  random: Random,
): Promise<readonly number[] | null> {
  const floats = [...operands.map(({tensor}) => tensor), ...results].filter(({dtype}) => isReal(dtype));
  const bits = Math.max(0, ...floats.map(({dtype}) => lastBits(dtype)));
  const least = Math.max(1e-3, ...operands.map(({tensor}) => (isReal(tensor.dtype) ? largestOf(tensor) : 0)));
  const own = results.map(result => (exact || !isReal(result.dtype) ? 0 : (loose ?? bits) * Math.max(largestOf(result), least)));
  if (exact && inputs.every(({error}) => error === 0)) return own;
  const signs = () => inputs.map(({tensor}) => numbersOf(tensor).map(() => (random.chance(0.5) ? 1 : -1)));
  const errors = [...own];
  // What only compares and moves may hang on a tie, which one shaking seldom breaks.
  const sets = Array.from({length: exact ? 4 : 1}, signs);
  for (const [way, signs] of sets.flatMap(set => [[shaking, set] as const, [-shaking, set] as const])) {
    const shaken = await peer.run(inputs.map((input, i) => shake(input, signs[i]!, way, exact ? 0 : bits / 8)));
    const tensors = [...shaken.values()];
    for (const [i, result] of results.entries()) {
      const moved = furthest(tensors[i]!, result);
      if (!(moved <= (isReal(result.dtype) ? 0.02 * largestOf(result) : 0))) return null;
      errors[i] = Math.max(errors[i]!, own[i]! + (2 * moved) / shaking);
    }
  }
  return errors;
}

/** What is computed is off in its last bits before it is used, even where operands are exact. */
function shake({tensor, error}: Known, signs: readonly number[], by: number, inside: number): Tensor {
  const amount = by * Math.max(error, inside * largestOf(tensor));
  if (amount === 0 || !isReal(tensor.dtype)) return tensor;
  const moved = {...tensor, data: tensor.data.slice()};
  signs.forEach((sign, i) => {
    setElement(moved, i, numberAt(tensor, i) + sign * amount);
  });
  return moved;
}

function furthest(a: Tensor, b: Tensor): number {
  if (String(a.shape) !== String(b.shape)) return Number.POSITIVE_INFINITY;
  const [left, right] = [numbersOf(a), numbersOf(b)];
  return left.reduce((most, value, i) => (Object.is(value, right[i]) ? most : Math.max(most, Math.abs(value - right[i]!))), 0);
}
