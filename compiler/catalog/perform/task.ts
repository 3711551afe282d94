/** What a job says, as the compiler takes it: a task whose model is a network file, and opened samples. */
import {type Labelled, openDataset} from '../../data/dataset.js';
import {openLabelled} from '../../data-flags.js';
import type {Task} from '../../tasks.js';
import type {DataRef, Question} from '../jobs.js';

export const taskOf = (question: Question, model: string): Task => ({
  ...{...question, model, output: null, others: []},
  ...{calibrate: null, evaluate: null, labelsKey: null},
});

export const labelledOf = ({path, labelsKey}: DataRef, task: Task): Labelled => ({
  path,
  data: openLabelled(path, task, labelsKey ?? undefined),
});

/** Labels may be missing, or be of something else. */
export const samplesOf = ({path}: DataRef): Labelled => ({path, data: openDataset(path)});
