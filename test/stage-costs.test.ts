/** Times of layers: few of them at a time, whatever labels the task has, and remembered. */
import test from 'ava';
import {measureCosts, type Sized} from '../compiler/reconstruct/costs.js';
import {pointStage} from '../compiler/reconstruct/stage.js';
import {resolveTasks} from '../compiler/tasks.js';
import {temporaryFolder} from './support/temporary.js';
import {hasCompiler} from './tiny-build.js';

process.env.XDG_CACHE_HOME = temporaryFolder();

(hasCompiler ? test : test.skip)('one layer that is not known yet is timed in a task of many labels', async t => {
  const {tasks} = resolveTasks({models: ['examples/signs/models/weather.onnx']});
  const labels = ['clear', 'rain', 'fog', 'night', 'snow'];
  const labelled = tasks.map(task => ({...task, output: 'logits', labels}));
  const sized: Sized = {stage: pointStage([16, 32]), input: [1, 32]};
  const doing: string[] = [];
  const options = {bind: new Map<string, number>(), progress: (says: string) => void doing.push(says)};
  const time = (await measureCosts([sized], labelled, options))(sized);
  t.true(time > 0 && time < 1000, `${time}`);
  const timed = doing.length;
  t.is((await measureCosts([sized], labelled, options))(sized), time);
  t.is(doing.length, timed);
});
