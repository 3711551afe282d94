/** `dnnc work`: makes and measures variants for builds elsewhere, until it is interrupted. */
import {type Command, Option} from 'commander';
import {announceUse, evict} from '../catalog/evict.js';
import {thisParty} from '../catalog/queue/party.js';
import {work} from '../catalog/queue/work.js';
import {openStore} from '../catalog/store.js';
import {say, warning} from '../output.js';
import {positive, untilInterrupted} from './options.js';

type Flags = {
  readonly queue: string;
  readonly store?: string;
  readonly workers: number;
  readonly minutes: number;
};

export const defineWork = (program: Command): void =>
  void program
    .command('work')
    .description('does jobs of dnnc build --catalog --queue, until it is interrupted')
    .requiredOption('--queue <redis://HOST:PORT>', 'the queue that the builds name')
    .option('--store <http://HOST:PORT>', 'their store, as this machine reaches it (default: what the builds say)')
    .addOption(
      new Option('--workers <N>', 'jobs at a time; those that run at once disturb what they time').argParser(positive).default(1),
    )
    .addOption(new Option('--minutes <N>', 'after which a job counts as hanging, and is ended').argParser(positive).default(240))
    .action(runWork);

async function runWork({queue, store, workers, minutes}: Flags): Promise<void> {
  const {dnnc, cpu, compiler} = thisParty();
  const own = openStore();
  evict(own.folder, []);
  const release = announceUse(own.folder);
  const {where, stop} = await work(own, {
    ...{redis: queue, remote: store ?? null, count: workers, minutes},
    ...{tell: say, warn: warning},
  });
  say(`dnnc ${dnnc} on ${cpu} with ${compiler} waits for jobs at ${where}; keeps what it needs in ${own.folder}`);
  await untilInterrupted();
  await stop();
  release();
}
