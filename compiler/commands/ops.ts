/** `dnnc ops`: what is supported, generated from the registry. */
import type {Command} from 'commander';
import {ops} from '../../ir/ops/index.js';
import {operators} from '../operators.js';
import {printJson, say, table} from '../output.js';
import {type JsonFlag, withJson} from './options.js';

export function defineOps(program: Command): void {
  withJson(program.command('ops').description('the ONNX operators that can be compiled, and how each is tested')).action(
    ({json}: JsonFlag) => {
      if (json) printJson({operators: operators(), ops: ops.map(({name, summary}) => ({name, summary}))});
      else say(operatorTable());
    },
  );
}

/** The table as text; README has the same. */
export function operatorTable(): string {
  const rows = operators().map(({operator, sets, types, runs, onnxTests, cases, random}) => [
    operator,
    sets,
    types,
    runs,
    `${onnxTests}`,
    `${cases}`,
    random ? 'yes' : '-',
  ]);
  const note = [
    'any: f16, bf16, f32, f64, integers of 8 to 64 bits and bool, as far as ONNX allows them. Half-width floats are computed in f32.',
    "ONNX tests: ONNX's own tests with the operator that pass. Cases: calls of its op compared with the reference evaluator on every",
    'target. Random: drawn in random models, which are compared with onnxruntime, the reference evaluator, portable and vector C.',
  ];
  return `${table([['operator', 'sets', 'element types', 'runs as', 'ONNX tests', 'cases', 'random'], ...rows])}\n\n${note.join('\n')}`;
}
