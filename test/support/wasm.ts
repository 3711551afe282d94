/** Modules of WebAssembly for tests: the compiler that makes them, and entries of what it made. */
import {execFile} from 'node:child_process';
import {readFileSync} from 'node:fs';
import {join} from 'node:path';
import {promisify} from 'node:util';
import {libraryCommands, libraryFile} from '../../codegen/project.js';
import {findTarget, type Target} from '../../codegen/targets/index.js';
import {wasmCompiler} from '../../compiler/cc.js';
import type {Compiled} from '../../compiler/compile.js';
import {fail} from '../../ir/diagnostics.js';
import {alignment} from '../../ir/plan.js';
import type {TensorType} from '../../ir/types.js';
import type {BoundEntry} from '../../runtime/index.js';
import {wasmApi} from '../../runtime/wasm/api.js';
import {bindEntry} from '../../runtime/wasm/entry.js';
import {createMachine, type Machine} from '../../runtime/wasm/machine.js';

export const wasm32 = findTarget('wasm32')!;

export const hasWasmCompiler = ((): boolean => {
  try {
    return wasmCompiler() !== null;
  } catch {
    return false;
  }
})();

/** FILE.c of a folder as FILE.wasm32.wasm. */
export async function compileModule(folder: string, file: string, flags: readonly string[]): Promise<void> {
  const {program, first} = wasmCompiler();
  for (const args of libraryCommands(file, `${file}.c`, wasm32, [], flags).runs)
    await promisify(execFile)(program, [...first, ...args], {cwd: folder, maxBuffer: 1 << 26});
}

/** An instance of its own of FILE.wasm32.wasm. */
export function instanceOf(folder: string, file: string): Machine {
  const api = wasmApi();
  const bytes = Uint8Array.from(readFileSync(join(folder, libraryFile(file, wasm32))));
  return createMachine(new api.Instance(new api.Module(bytes)).exports, file);
}

type Types = {readonly inputs: readonly TensorType[]; readonly outputs: readonly TensorType[]};

/** Binds entries of a program by symbol. */
export function binderOf(
  machine: Machine,
  name: string,
  {weights, plan}: Compiled,
): (symbol: string, types: Types) => BoundEntry {
  const blob = machine.take(weights.byteLength);
  machine.bytes().set(weights, blob);
  const code = machine.function(`${name}_check`)(blob, weights.byteLength);
  if (code !== 0) fail('bug', 'test.blob', name, `refuses its own weights with ${code}`);
  const arena = machine.take(Math.max(plan.memory?.bytes ?? 0, alignment));
  return (symbol, {inputs, outputs}) => bindEntry(machine, symbol, {blob, arena}, inputs, outputs);
}

export const isWasm = ({format}: Target): boolean => format === 'wasm';
