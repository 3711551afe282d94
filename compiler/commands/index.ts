/** Every command, a line each here; what it does is in the file of its name. */
import type {Command} from 'commander';
import {defineBench} from './bench.js';
import {defineBuild} from './build.js';
import {defineEvaluate} from './evaluate.js';
import {defineInspect} from './inspect.js';
import {defineOps} from './ops.js';
import {defineProfiles} from './profiles.js';
import {defineReport} from './report.js';
import {defineRun} from './run.js';
import {defineServe} from './serve.js';
import {defineSimulate} from './simulate.js';
import {defineSpecialize} from './specialize.js';
import {defineStore} from './store.js';
import {defineTargets} from './targets.js';
import {defineVerify} from './verify.js';
import {defineWork} from './work.js';

export function defineCommands(program: Command): void {
  defineBuild(program);
  defineInspect(program);
  defineRun(program);
  defineVerify(program);
  defineBench(program);
  defineEvaluate(program);
  defineSpecialize(program);
  defineReport(program);
  defineSimulate(program);
  defineServe(program);
  defineOps(program);
  defineTargets(program);
  defineProfiles(program);
  defineWork(program);
  defineStore(program);
}
