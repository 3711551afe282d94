#!/usr/bin/env node
/** The command line: flags in, documents or words out, exit codes of SYSTEM as in ir/diagnostics.ts. Commands load on demand. */
import {Command, CommanderError, Help, type Option} from 'commander';
import {DnncError, exitCodes} from '../ir/diagnostics.js';
import {DnncRuntimeError} from '../runtime/errors.js';
import {defineCommands} from './commands/index.js';
import {reportCrash} from './crash.js';
import {version} from './version.js';

const program = new Command('dnnc')
  .description('compiles ONNX classifiers to dependency-free C, and schedules them')
  .version(version)
  .showSuggestionAfterError()
  .configureHelp({optionDescription: describe})
  .exitOverride();
defineCommands(program);

// Who reads only the first lines of what is printed has all that was wanted.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit();
});

try {
  await program.parseAsync();
} catch (error) {
  process.exitCode = finish(error);
}

/** A default that is nothing yet (repeatable options) is not worth a word. */
function describe(option: Option): string {
  const {defaultValue, description} = option;
  const isNothing =
    (Array.isArray(defaultValue) && defaultValue.length === 0) || (defaultValue instanceof Map && defaultValue.size === 0);
  return isNothing ? description : Help.prototype.optionDescription.call(new Help(), option);
}

function finish(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : exitCodes.usage;
  if (error instanceof DnncError && error.kind !== 'bug') {
    process.stderr.write(`dnnc: ${error.message}\n`);
    return exitCodes[error.kind];
  }
  if (error instanceof DnncRuntimeError) {
    process.stderr.write(`dnnc: ${error.message}\n`);
    return error.code === 'record.differs' ? exitCodes.check : exitCodes.input;
  }
  process.stderr.write(`${reportCrash(error)}\n`);
  return exitCodes.bug;
}
