/**
 * The thread that fits. Heads for all classes, and what every network makes of the samples, are there after the first request; a
 * context is arithmetic on them.
 */
import {cpSync} from 'node:fs';
import {parentPort, workerData} from 'node:worker_threads';
import {load, openLoader} from '../../../runtime/index.js';
import type {Labelled} from '../../data/dataset.js';
import {openLabelled} from '../../data-flags.js';
import {open} from '../../open.js';
import {candidatesOf} from '../candidates.js';
import {planner} from '../winnow.js';
import {fittedFor} from './fitted.js';
import type {Reply, Request, Work} from './messages.js';

type Ready = (request: Request) => Reply;

async function prepared({directory, folder, task: name, labelsKey, goal, balance, ...paths}: Work): Promise<Ready> {
  const {tasks} = await open([directory], {task: [], bind: new Map()});
  const task = tasks.find(each => each.name === name)!;
  const labelled = (path: string): Labelled => ({path, data: openLabelled(path, task, labelsKey)});
  const fit = labelled(paths.fit);
  const tune = paths.tune === null ? null : labelled(paths.tune);
  cpSync(directory, folder, {recursive: true});
  const candidates = await candidatesOf(load(folder), folder, openLoader(folder).logistic, {
    ...{task: name, fit, tune, evaluate: null, context: null, grid: false, goal, balance},
  });
  const plans = planner(candidates.general, candidates.firsts, goal);
  return ({number, context}) => {
    const started = performance.now();
    const fitted = fittedFor(candidates, plans, context, {number, tune: tune ?? fit, folder});
    return {number, fitted, seconds: (performance.now() - started) / 1000};
  };
}

let ready: Promise<Ready> | null = null;

parentPort!.on('message', async (request: Request) => {
  const {number} = request;
  try {
    ready ??= prepared(workerData as Work);
    parentPort!.postMessage((await ready)(request));
  } catch (error) {
    const reply: Reply = {number, failed: error instanceof Error ? error.message : String(error)};
    parentPort!.postMessage(reply);
  }
});
