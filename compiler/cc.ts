/** The C compiler of this machine: found once, run without a shell, its complaints passed on. */
import {type ChildProcess, spawn, spawnSync} from 'node:child_process';
import {rmSync} from 'node:fs';
import {isAbsolute, join} from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';
import type {Commands} from '../codegen/project.js';
import type {Target} from '../codegen/targets/index.js';
import {fail} from '../ir/diagnostics.js';

/** A program and the arguments that come first: CC may be "ccache gcc". */
type Compiler = {readonly program: string; readonly first: readonly string[]; readonly version: string};

/** Tried in order: the user's own choice first. */
const candidates = (): readonly string[] =>
  [process.env.DNNC_CC, process.env.CC, 'cc', 'gcc', 'clang'].flatMap(command => command?.trim() || []);

let found: Compiler | null = null;

/** Throws `usage` where there is none. */
function compiler(): Compiler {
  if (found) return found;
  for (const command of candidates()) {
    const [program = command, ...first] = command.split(/\s+/);
    const probe = spawnSync(program, [...first, '--version'], {encoding: 'utf8'});
    if (probe.status !== 0) continue;
    found = {program, first, version: probe.stdout.split('\n')[0] ?? ''};
    return found;
  }
  return fail(
    'usage',
    'cc.missing',
    'C compiler',
    `none of ${candidates().join(', ')} can be run`,
    'install gcc or clang, or set CC to a C11 compiler',
  );
}

/** The compiler's own words for what it is, such as "gcc (Debian 12.2.0) 12.2.0". */
export const compilerVersion = (format: Target['format'] = 'shared'): string => compilerFor(format).version;

const compilerFor = (format: Target['format']): Compiler => (format === 'wasm' ? wasmCompiler() : compiler());

let foundWasm: Compiler | null = null;

/** A clang that knows WebAssembly, with its linker. Throws `usage` where there is none. */
export function wasmCompiler(): Compiler {
  if (foundWasm) return foundWasm;
  const command = process.env.DNNC_WASM_CC?.trim() || 'clang';
  const [program = command, ...first] = command.split(/\s+/);
  const ask = (...question: string[]): string | null => {
    const {status, stdout} = spawnSync(program, [...first, ...question], {encoding: 'utf8'});
    return status === 0 ? stdout : null;
  };
  const missing = (says: string): never =>
    fail(
      'usage',
      'cc.wasm',
      command,
      says,
      'install clang and lld (Debian: apt install clang lld), or set DNNC_WASM_CC to a clang',
    );
  const version = ask('--version')?.split('\n')[0] ?? missing('cannot be run, and WebAssembly is compiled by clang');
  if (!/\bwasm32\b/.test(ask('--print-targets') ?? '')) missing('does not compile for WebAssembly');
  // Where it finds no such program, it prints the bare name.
  if (!isAbsolute(ask('--target=wasm32', '-print-prog-name=wasm-ld')?.trim() ?? '')) missing('finds no linker wasm-ld');
  foundWasm = {program, first, version};
  return foundWasm;
}

const running = new Set<ChildProcess>();

/** Ends every compiler that is at work: nobody waits for its files any more. */
export function stopCompilers(): void {
  for (const child of running) child.kill('SIGKILL');
}

/** Makes one library in a folder. Throws as `runCompiler` does. */
export async function runCommands({runs, left}: Commands, folder: string, format: Target['format']): Promise<void> {
  for (const args of runs) await runCompiler(args, folder, format);
  for (const file of left) rmSync(join(folder, file));
}

/** Runs the compiler in a folder. Throws `bug` where it refuses generated code (that code is ours), `input` where somebody ended it. */
export async function runCompiler(args: readonly string[], folder: string, format: Target['format'] = 'shared'): Promise<void> {
  const {program, first} = compilerFor(format);
  type Ending = {code: number | null; signal: NodeJS.Signals | null; output: string};
  const {code, signal, output} = await new Promise<Ending>((resolve, reject) => {
    const child = spawn(program, [...first, ...args], {cwd: folder, stdio: ['ignore', 'pipe', 'pipe']});
    running.add(child);
    const parts: Buffer[] = [];
    child.stdout.on('data', (part: Buffer) => parts.push(part));
    child.stderr.on('data', (part: Buffer) => parts.push(part));
    child.on('error', reject);
    child.on('close', (code, signal) => {
      running.delete(child);
      resolve({code, signal, output: Buffer.concat(parts).toString('utf8')});
    });
  });
  if (code === 0) return;
  if (signal !== null) {
    await sleep(100); // a terminal interrupts the whole group: our own handler, which ends this process, comes first
    fail('input', 'cc.interrupted', folder, `the C compiler was ended by ${signal}`, 'build again');
  }
  if (/No space left on device/.test(output))
    fail('input', 'cc.disk', folder, 'the disk is full', 'free some space and build again');
  fail(
    'bug',
    'cc.failed',
    [program, ...first, ...args].join(' '),
    output.slice(0, 4000) || `ended with ${code}`,
    'report this with the model, please',
  );
}
