/** `dnnc report`: what is in a build, as one HTML page that opens from disk. */
import {basename, resolve} from 'node:path';
import type {Command} from 'commander';
import {writeWhole} from '../data/files.js';
import {printJson, progress, say} from '../output.js';
import {reportOf} from '../report/index.js';
import {readFacts} from '../report/read.js';
import {bytes} from '../report/words.js';
import {type JsonFlag, withJson} from './options.js';

type Flags = JsonFlag & {readonly output?: string};

export function defineReport(program: Command): void {
  const command = program
    .command('report')
    .description('draws a build as one HTML page: plots of accuracy and cost, layers, memory, what is shared, what was tried')
    .argument('<DIR>', 'what dnnc build wrote')
    .option('-o, --output <FILE>', 'where to write the page (default: DIR.html, beside the folder)');
  withJson(command).action(run);
}

async function run(directory: string, flags: Flags): Promise<void> {
  // Not in the folder: the next build would take it away.
  const file = flags.output ?? `${resolve(directory)}.html`;
  const show = progress();
  try {
    show(`drawing ${basename(resolve(directory))}`);
    const facts = readFacts(directory);
    const text = await reportOf(facts);
    writeWhole(file, text);
    show.done();
    const size = Buffer.byteLength(text);
    const {variants} = facts.manifest;
    const dropped = facts.log.catalog?.tried.filter(({kept}) => !kept).length ?? 0;
    if (flags.json) printJson({file: resolve(file), bytes: size, variants: variants.length, dropped});
    else say(`${file}: ${variants.length} variants${dropped > 0 ? `, ${dropped} dropped ones` : ''}, ${bytes(size)}`);
  } finally {
    show.done();
  }
}
