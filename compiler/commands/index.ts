/** Every command, a line each here; what it does is in the file of its name. */
import type {Command} from 'commander';
import {defineBuild} from './build.js';
import {defineRun} from './run.js';
import {defineTargets} from './targets.js';

export function defineCommands(program: Command): void {
  defineBuild(program);
  defineRun(program);
  defineTargets(program);
}
