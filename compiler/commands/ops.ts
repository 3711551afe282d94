/** `dnnc ops`: what is supported, generated from the registry. */
import type {Command} from 'commander';
import {ops} from '../../ir/ops/index.js';
import {printJson, say, table} from '../output.js';
import {onnxSpellings} from '../spellings.js';
import {type JsonFlag, withJson} from './options.js';

export function defineOps(program: Command): void {
  withJson(program.command('ops').description('the ONNX operators that can be compiled, and the ops that they become')).action(
    ({json}: JsonFlag) => {
      const rows = onnxSpellings();
      if (json) printJson({operators: rows, ops: ops.map(({name, summary}) => ({name, summary}))});
      else say(table([['ONNX operator', 'becomes', 'runs as'], ...rows.map(({operator, op, runs}) => [operator, op, runs])]));
    },
  );
}
