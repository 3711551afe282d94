/** The C compiler of this machine: found once, run without a shell, its complaints passed on. */
import {spawn, spawnSync} from 'node:child_process';
import {fail} from '../ir/diagnostics.js';

/** Tried in order: the user's own choice first. */
const candidates = (): readonly string[] =>
  [process.env.DNNC_CC, process.env.CC, 'cc', 'gcc', 'clang'].filter(name => name !== undefined && name !== '') as string[];

let found: string | null = null;

/** Throws `usage` where there is none. */
export function compilerCommand(): string {
  if (found !== null) return found;
  for (const name of candidates()) {
    const probe = spawnSync(name, ['--version'], {encoding: 'utf8'});
    if (probe.status !== 0) continue;
    found = name;
    return name;
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
export function compilerVersion(): string {
  const probe = spawnSync(compilerCommand(), ['--version'], {encoding: 'utf8'});
  return probe.stdout.split('\n')[0] ?? '';
}

/** Runs the compiler in a folder. Throws `bug` where it refuses generated code: that code is ours. */
export async function runCompiler(args: readonly string[], folder: string): Promise<void> {
  const command = compilerCommand();
  const {code, output} = await new Promise<{code: number | null; output: string}>((resolve, reject) => {
    const child = spawn(command, args, {cwd: folder, stdio: ['ignore', 'pipe', 'pipe']});
    const parts: Buffer[] = [];
    child.stdout.on('data', (part: Buffer) => parts.push(part));
    child.stderr.on('data', (part: Buffer) => parts.push(part));
    child.on('error', reject);
    child.on('close', status => resolve({code: status, output: Buffer.concat(parts).toString('utf8')}));
  });
  if (code === 0) return;
  if (/No space left on device/.test(output))
    fail('input', 'cc.disk', folder, 'the disk is full', 'free some space and build again');
  fail(
    'bug',
    'cc.failed',
    `${command} ${args.join(' ')}`,
    output.slice(0, 4000) || `ended with ${code}`,
    'report this with the model, please',
  );
}
