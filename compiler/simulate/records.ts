/** Records of days as files. */
import type {Policy, Problem, Setting} from '../../runtime/schedule/index.js';
import {
  decisionLine,
  headerLine,
  linkLine,
  type RecordSource,
  type Summary,
  simulate,
  type Trace,
} from '../../runtime/simulate/index.js';
import {linesOf, lineWriter} from './lines.js';

/** Simulates, and writes the header, every change of the connection and every decision. */
export function record(file: string, problem: Problem, setting: Setting, policy: Policy, trace: Trace): Summary {
  const writer = lineWriter(file);
  try {
    writer.write(headerLine(policy.name, problem, setting));
    const summary = simulate({
      ...{problem, setting, policy, trace},
      watch: (decision, explain) => writer.write(decisionLine(problem, decision, explain)),
      watchLink: (time, up) => writer.write(linkLine(time, up)),
    });
    writer.keep();
    return summary;
  } catch (error) {
    writer.discard();
    throw error;
  }
}

export const recordFile = (file: string): RecordSource => ({name: file, lines: {[Symbol.iterator]: () => linesOf(file)}});
