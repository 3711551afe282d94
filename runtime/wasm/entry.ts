/** One C function with its weights: checks arrays as the addon does, copies them in and out, and calls. */
import {DnncRuntimeError} from '../errors.js';
import type {BoundEntry} from '../native.js';
import {arrayTypes, bytesOf, elementsOf, type TensorType, type TypedArray} from '../tensors.js';
import type {Machine} from './machine.js';

type Arrays = readonly TypedArray[];

/** Between tensors that a call is given. */
const alignment = 64;
const pointerBytes = 4;

/** `blob` and `arena` are addresses. Throws `library.symbol`, `library.memory`. */
export function bindEntry(
  machine: Machine,
  symbol: string,
  {blob, arena}: {readonly blob: number; readonly arena: number},
  inputs: readonly TensorType[],
  outputs: readonly TensorType[],
): BoundEntry {
  const invoke = machine.function(symbol);
  const tensors = [...inputs, ...outputs];
  // Pointers first, then the tensors, from where the machine has room.
  const offsets: number[] = [];
  let size = tensors.length * pointerBytes;
  for (const tensor of tensors) {
    const at = Math.ceil(size / alignment) * alignment;
    offsets.push(at);
    size = at + bytesOf(tensor);
  }
  machine.reserve(size);

  function call(given: Arrays, results: Arrays): void {
    checkArrays(symbol, inputs, given, outputs, results);
    const base = machine.transfer();
    const memory = machine.bytes();
    const pointers = new Uint32Array(memory.buffer, base, tensors.length);
    for (const [i, offset] of offsets.entries()) pointers[i] = base + offset;
    for (const [i, array] of given.entries()) memory.set(bytesIn(array), base + offsets[i]!);
    run(base);
    // A call does not grow memory: the view is still good.
    for (const [i, array] of results.entries()) {
      const at = base + offsets[inputs.length + i]!;
      bytesIn(array).set(memory.subarray(at, at + array.byteLength));
    }
  }

  function run(base: number): void {
    let status: number;
    try {
      status = invoke(blob, arena, base, base + inputs.length * pointerBytes);
    } catch (error) {
      const says = error instanceof Error ? error.message : String(error);
      throw new DnncRuntimeError('session.call', symbol, `was stopped: ${says}`, 'report this with the model, please', error);
    }
    if (status !== 0) throw new DnncRuntimeError('session.call', symbol, `returned ${status}`);
  }

  return {
    call,
    callAsync(given, results) {
      checkArrays(symbol, inputs, given, outputs, results);
      const copies = given.map(array => array.slice());
      return Promise.resolve().then(() => call(copies, results));
    },
    fixed(given, results) {
      checkArrays(symbol, inputs, given, outputs, results);
      return () => call(given, results);
    },
    bench(given, results, iterations, warmUp) {
      const times = new Float64Array(iterations);
      for (let i = -warmUp; i < iterations; i++) {
        const started = performance.now();
        call(given, results);
        if (i >= 0) times[i] = 1e6 * (performance.now() - started);
      }
      return times;
    },
  };
}

const bytesIn = ({buffer, byteOffset, byteLength}: TypedArray): Uint8Array => new Uint8Array(buffer, byteOffset, byteLength);

/** TypeError for a wrong kind of array, RangeError for a wrong length or for an output that shares memory with another array. */
function checkArrays(
  symbol: string,
  inputs: readonly TensorType[],
  given: Arrays,
  outputs: readonly TensorType[],
  results: Arrays,
): void {
  checkList(symbol, 'input', inputs, given);
  checkList(symbol, 'output', outputs, results);
  for (const [i, output] of results.entries())
    if (given.some(input => overlap(output, input)) || results.some((other, j) => j < i && overlap(output, other)))
      throw new RangeError(`${symbol}: output ${i} shares memory with another array`);
}

function checkList(symbol: string, kind: 'input' | 'output', types: readonly TensorType[], arrays: Arrays): void {
  if (arrays.length !== types.length) throw new RangeError(`${symbol}: takes ${types.length} ${kind}s, ${arrays.length} given`);
  for (const [i, type] of types.entries()) {
    const wanted = arrayTypes[type.dtype].create;
    const array = arrays[i]!;
    if (!(array instanceof wanted)) throw new TypeError(`${symbol}: ${kind} ${i} must be a ${wanted.name}`);
    const needed = elementsOf(type.shape);
    if (array.length !== needed) throw new RangeError(`${symbol}: ${kind} ${i} has ${array.length} elements, ${needed} needed`);
  }
}

const overlap = (a: TypedArray, b: TypedArray): boolean =>
  a.buffer === b.buffer && a.byteOffset < b.byteOffset + b.byteLength && b.byteOffset < a.byteOffset + a.byteLength;
