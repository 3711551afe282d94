/** onnxruntime against all of ours on one ONNX model: what is refused, what fails, and the smallest module that still does. */
import type {onnx} from 'onnx-proto';
import type {Target} from '../../codegen/targets/index.js';
import {decodeModel} from '../../compiler/onnx/decode.js';
import {importModel} from '../../compiler/onnx/import.js';
import {validateModel} from '../../compiler/onnx/validate.js';
import {DnncError} from '../../ir/diagnostics.js';
import {print, printType} from '../../ir/print.js';
import type {Module} from '../../ir/types.js';
import {type Expectation, expectationFrom, off, problemsInC, problemsInIr, problemsOf, stageOf} from './agreement.js';
import {buildAll, compileAs} from './cc.js';
import {printConstantsWhole} from './fixture.js';
import {type Given, isolate} from './isolate.js';
import type {OnnxCase} from './random-onnx.js';
import {referenceOf} from './reference.js';
import {shrink} from './shrink.js';

export type Opinion =
  | {readonly kind: 'good'; readonly module: Module; readonly expected: Expectation}
  | {readonly kind: 'refused'; readonly says: string}
  | {readonly kind: 'failed'; readonly says: string};

/** Slack on top of what a value may be off. */
const slack = 4;

/** What the importer and the reference evaluator make of a model. */
export function opinionOn(made: OnnxCase): Opinion {
  try {
    const model = validateModel(decodeModel(made.bytes, 'm.onnx'), 'm.onnx');
    const {module} = importModel(model, {file: 'm.onnx', folder: null, name: 'm'});
    const expected: Expectation = {
      inputs: new Map(made.inputs.map(({name, tensor}) => [name, tensor])),
      results: new Map([['m', made.outputs.map(({tensor}) => tensor)]]),
      allowed: (_, i) => slack * made.outputs[i]!.error,
    };
    const problems = off(referenceOf(module, expected.inputs), expected);
    if (problems.length > 0) return {kind: 'failed', says: `reference: ${problems.join('; ')}\n${print(module)}`};
    return {kind: 'good', module, expected};
  } catch (error) {
    return refusalOr(error, 'import');
  }
}

/** The same of a node alone, which must compile besides. */
export function opinionOnNode(made: OnnxCase, targets: readonly Target[]): Opinion {
  const opinion = opinionOn(made);
  if (opinion.kind !== 'good') return opinion;
  const compiled = compileAs(opinion.module, 'm', targets);
  return compiled instanceof Error ? refusalOr(compiled, 'compile') : opinion;
}

const refusalOr = (error: unknown, stage: string): Opinion =>
  error instanceof DnncError && error.kind === 'unsupported'
    ? {kind: 'refused', says: error.problems[0]!.says}
    : {kind: 'failed', says: `${stage}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`};

/** The smallest part of a failing module that fails at the same stage, as text, and its inputs. */
export async function smallestFailure(whole: Given, stage: string, targets: readonly Target[]): Promise<string> {
  const concerned = targets.filter(({name}) => name === stage);
  const fails = ({module, inputs}: Given, problems: readonly string[]): boolean =>
    module.graph.nodes.length > 0 && inputs.size >= 0 && problems.some(problem => stageOf(problem) === stage);
  const failing = async (parts: readonly Given[]): Promise<readonly boolean[]> => {
    const expected = parts.map(({module, inputs}) => expectationFrom(module, inputs));
    if (concerned.length === 0) return parts.map((part, i) => fails(part, problemsInIr(part.module, expected[i]!)));
    const programs = await buildAll(
      parts.map(({module}) => module),
      {targets: concerned},
    );
    return parts.map((part, i) => fails(part, problemsInC(programs[i]!, concerned, expected[i]!)));
  };
  const part = (await isolate(whole, failing)) ?? whole;
  const smallest = await shrink(
    part.module,
    async module => fails({module, inputs: part.inputs}, await problemsOf(module, inputsFor(module, part), concerned)),
    part === whole ? 100 : 30,
  );
  return printConstantsWhole(smallest);
}

/** Values that were computed in the whole come from outside in a part of it. */
function inputsFor(module: Module, part: Given): Given['inputs'] {
  const known = new Map(part.inputs);
  const missing = module.graph.inputs.filter(({name}) => !known.has(name));
  if (missing.length === 0) return known;
  const ids = missing.map(({id}) => id);
  const head = {name: 'all', outputs: ids, attrs: {}, loc: {kind: 'text', file: '', line: 1, column: 1}} as const;
  const computed = referenceOf({...part.module, heads: [head]}, part.inputs).get('all')!;
  return new Map([...known, ...missing.map(({name}, i) => [name, computed[i]!] as const)]);
}

/** The nodes of a model in a line each, with attributes and the types of what is known. */
export function describe({nodes, inputs, outputs, opset}: OnnxCase): string {
  const types = new Map([...inputs, ...outputs].map(({name, tensor}) => [name, printType(tensor)]));
  const named = (name: string): string => (name === '' ? '-' : `${name}${types.has(name) ? `: ${types.get(name)}` : ''}`);
  const line = ({opType, input, output, attribute}: onnx.INodeProto): string =>
    `  ${(output ?? []).map(named).join(', ')} = ${opType}(${(input ?? []).map(named).join(', ')}) {${(attribute ?? []).map(shown).join(', ')}}`;
  return `operator set ${opset}\n${nodes.map(line).join('\n')}`;
}

function shown({name, type, f, i, s, ints, floats, strings}: onnx.IAttributeProto): string {
  const decode = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
  const values = {1: f, 2: i, 3: s && decode(s), 6: floats, 7: ints, 8: strings?.map(decode)};
  return `${name}=${JSON.stringify(values[type as keyof typeof values] ?? '...')}`;
}
