/**
 * The bytes of an ONNX file as a plain typed model. After this the wire format is forgotten: no protobuf objects, no Long;
 * weights are views of the given bytes. Hostile bytes cost time and memory in proportion to their length, and nothing but
 * a DnncError comes out of them. Names and order are judged by `validateModel`.
 */
import {DnncError, fail} from '../../ir/diagnostics.js';
import {type Budget, budgetOf} from './budget.js';
import {decodeFunction, decodeGraph, decodeOpsets} from './decode-graph.js';
import {decodeEntry} from './decode-tensor.js';
import {familiarFormat} from './familiar.js';
import type {OnnxFunction, OnnxGraph, OnnxModel} from './model.js';
import {irVersions, operatorSets} from './operator-sets.js';
import {Message, WireError} from './wire.js';

/**
 * Decodes a whole ONNX file; `file` is only for messages.
 * Errors: input onnx.empty, onnx.format, onnx.truncated, onnx.malformed, onnx.no-graph, onnx.no-opset, onnx.count,
 * onnx.nesting; unsupported onnx.ir-version, onnx.opset.
 */
export function decodeModel(bytes: Uint8Array, file: string): OnnxModel {
  if (bytes.length === 0) fail('input', 'onnx.empty', file, 'the file is empty', 'write or download the model again');
  const format = familiarFormat(bytes);
  if (format !== null) fail('input', 'onnx.format', file, `this is ${format.is}, not an ONNX model`, format.cure);
  const seen = {version: false};
  try {
    return checked(decode(new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength), budgetOf(file), seen), file);
  } catch (cause) {
    return refuse(cause, bytes, file, seen.version);
  }
}

type Decoded = Omit<OnnxModel, 'graph'> & {readonly graph: OnnxGraph | null};

function decode(bytes: Uint8Array, budget: Budget, seen: {version: boolean}): Decoded {
  let irVersion = 0;
  let hasTraining = false;
  const producer = ['', ''];
  let graph: OnnxGraph | null = null;
  const opsets: Uint8Array[] = [];
  const functions: OnnxFunction[] = [];
  const metadata = new Map<string, string>();
  const message = new Message(bytes);
  while (message.next())
    switch (message.field) {
      case 1:
        irVersion = message.int();
        seen.version = irVersion > 0 && irVersion < 1000;
        break;
      case 2:
        producer[0] = message.text();
        break;
      case 3:
        producer[1] = message.text();
        break;
      case 7:
        if (graph !== null) throw new WireError('the model has two graphs', bytes.byteOffset);
        graph = decodeGraph(message.bytes(), budget);
        break;
      case 8:
        budget.spend('names', 1);
        opsets.push(message.bytes());
        break;
      case 14:
        budget.spend('names', 2);
        metadata.set(...decodeEntry(message.bytes()));
        break;
      case 20:
        hasTraining = true;
        message.skip();
        break;
      case 25:
        functions.push(decodeFunction(message.bytes(), budget));
        break;
      default:
        message.skip();
    }
  return {irVersion, producer: producer.join(' ').trim(), opsets: decodeOpsets(opsets), graph, functions, hasTraining, metadata};
}

function checked(model: Decoded, file: string): OnnxModel {
  const {irVersion, graph, opsets} = model;
  // Every ONNX file has an IR version: without one and without a graph it is some other protobuf message, or chance.
  if (irVersion <= 0 && graph === null) return notOnnx(file);
  if (irVersion < irVersions.first || irVersion > irVersions.last)
    fail(
      'unsupported',
      'onnx.ir-version',
      file,
      `IR version ${irVersion} is not between ${irVersions.first} and ${irVersions.last}`,
      'convert the model with onnx.version_converter, or save it with another version of its exporter',
    );
  if (graph === null) fail('input', 'onnx.no-graph', file, 'the model has no graph', 'export the model again');
  const opset = opsets.get('');
  const isUsed = graph.nodes.some(({domain}) => domain === '' || domain === 'ai.onnx');
  if (opset === undefined && isUsed)
    fail('input', 'onnx.no-opset', file, 'the model does not say its ai.onnx operator set', 'export the model again');
  if (opset !== undefined && (opset < operatorSets.first || opset > operatorSets.last))
    fail(
      'unsupported',
      'onnx.opset',
      file,
      `operator set ${opset} is not between ${operatorSets.first} and ${operatorSets.last}`,
      `export the model with an operator set up to ${operatorSets.last}, or convert it with onnx.version_converter`,
    );
  return {...model, graph};
}

const notOnnx = (file: string): never =>
  fail('input', 'onnx.format', file, 'this is not an ONNX model', 'give a .onnx file as exporters write it');

/** Says what a failed decode means: a cut-off file, a damaged one, or something that never was ONNX. */
function refuse(cause: unknown, bytes: Uint8Array, file: string, sawVersion: boolean): never {
  if (cause instanceof DnncError) throw cause;
  if (!(cause instanceof WireError || cause instanceof RangeError)) throw cause;
  if (!sawVersion) return notOnnx(file);
  const where = cause instanceof WireError ? `${file}, byte ${cause.at - bytes.byteOffset}` : file;
  if (cause instanceof WireError && cause.endsEarly)
    fail(
      'input',
      'onnx.truncated',
      where,
      `the data ends inside a field (${cause.message})`,
      'write or download the model again',
    );
  return fail('input', 'onnx.malformed', where, cause.message, 'write or download the model again');
}
