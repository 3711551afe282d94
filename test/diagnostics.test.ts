/** test/diagnostics/NAME.ir: the line that ends in `// error: CODE` is refused with that code, and nothing before it is. */
import test from 'ava';
import {DnncError} from '../ir/diagnostics.js';
import {parse} from '../ir/parse.js';
import {filesBelow, read} from './support/files.js';

for (const file of filesBelow('test/diagnostics', '.ir'))
  test(file, t => {
    const text = read(file);
    const lines = text.split('\n');
    const wrong = lines.flatMap((line, i) => {
      const code = /\/\/ error: (\S+)$/.exec(line)?.[1];
      return code === undefined ? [] : [{line: i + 1, code}];
    });
    t.is(wrong.length, 1, 'one wrong line per file');
    const error = t.throws(() => parse(text, {file}), {instanceOf: DnncError});
    t.is(error?.kind, 'input');
    const [problem] = error?.problems ?? [];
    t.is(problem?.code, wrong[0]!.code);
    t.regex(problem?.where ?? '', new RegExp(`^${file.replaceAll('.', '\\.')}:${wrong[0]!.line}:\\d+$`));
    t.regex(problem?.says ?? '', /\n {4}.*\n {4} *\^$/, 'the line and a caret');
  });
