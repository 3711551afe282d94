/** What callers give to what the code takes: typed arrays in the order of a task's inputs. */
import {DnncRuntimeError} from './errors.js';
import type {Input, Task} from './manifest.js';
import {isImage, prepare} from './prepare.js';
import {arrayTypes, elementsOf, type TypedArray} from './tensors.js';

/** The arrays for all inputs, in their order. */
export function inputsOf(name: string, task: Task, given: unknown): TypedArray[] {
  const byName = ArrayBuffer.isView(given) || isImage(given) ? undefined : (given as Readonly<Record<string, unknown>> | null);
  if (byName === undefined && task.inputs.length !== 1) {
    throw new DnncRuntimeError(
      'session.input',
      name,
      `takes ${task.inputs.length} inputs`,
      `give an object with ${task.inputs.map(input => input.name).join(', ') || 'none'}`,
    );
  }
  return task.inputs.map(input => {
    const value = byName === undefined ? given : byName && Object.hasOwn(byName, input.name) ? byName[input.name] : undefined;
    return tensorOf(`${name}, input "${input.name}"`, input, value);
  });
}

/** The same input with elements of its own. */
export function copied(given: unknown): unknown {
  if (isImage(given)) return {...given, data: given.data.slice()};
  if (ArrayBuffer.isView(given)) return given instanceof DataView ? given : (given as TypedArray).slice();
  if (typeof given !== 'object' || given === null) return given;
  return Object.fromEntries(Object.entries(given).map(([name, value]) => [name, copied(value)]));
}

function tensorOf(where: string, input: Input, value: unknown): TypedArray {
  if (isImage(value)) return prepare(value, input, where);
  const type = arrayTypes[input.dtype].create;
  const wanted = (): string =>
    `give a ${type.name} of ${elementsOf(input.shape)} elements, ${input.dtype}[${input.shape.join(',')}]`;
  if (!(value instanceof type)) {
    const is = ArrayBuffer.isView(value)
      ? `a ${value.constructor.name}`
      : value === undefined
        ? 'missing'
        : `of type ${typeof value}`;
    throw new DnncRuntimeError('session.input', where, `is ${is}`, wanted());
  }
  if (value.length !== elementsOf(input.shape)) {
    throw new RangeError(`session.input: ${where}: has ${value.length} elements\n  cure: ${wanted()}`);
  }
  return value;
}
