#!/usr/bin/env node
/** The command line: flags in, documents or words out, exit codes of SYSTEM as in ir/diagnostics.ts. Commands load on demand. */
import {Command, CommanderError} from 'commander';
import {DnncError, exitCodes} from '../ir/diagnostics.js';
import {DnncRuntimeError} from '../runtime/errors.js';
import {defineCommands} from './commands/index.js';
import {reportCrash} from './crash.js';
import {version} from './version.js';

const program = new Command('dnnc')
  .description('compiles ONNX classifiers to dependency-free C, and schedules them')
  .version(version)
  .showSuggestionAfterError()
  .exitOverride();
defineCommands(program);

try {
  await program.parseAsync();
} catch (error) {
  process.exitCode = finish(error);
}

function finish(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : exitCodes.usage;
  if (error instanceof DnncError && error.kind !== 'bug') {
    process.stderr.write(`dnnc: ${error.message}\n`);
    return exitCodes[error.kind];
  }
  if (error instanceof DnncRuntimeError) {
    process.stderr.write(`dnnc: ${error.message}\n`);
    return exitCodes.input;
  }
  process.stderr.write(`${reportCrash(error)}\n`);
  return exitCodes.bug;
}
