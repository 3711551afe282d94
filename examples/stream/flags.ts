/** What `npm run stream` is told. */
import {Command, InvalidArgumentError, Option} from 'commander';

export type Flags = {
  readonly seconds: number;
  readonly fps: number;
  readonly hours: number;
  readonly build?: string;
  readonly folder?: string;
  readonly energy?: number;
  readonly money?: number;
  readonly data?: number;
  readonly memory?: number;
  readonly watts?: number;
  readonly latency?: number;
  /** Seconds: the shortest and the longest spell. */
  readonly outages: readonly [number, number];
  /** true or absent: started here. */
  readonly server?: boolean | string;
  readonly policy: 'dnnc' | 'mcdnn' | 'device-only' | 'cloud-only';
  readonly seed: number;
  readonly log?: string;
  readonly json?: boolean;
};

function amount(text: string): number {
  const value = Number(text);
  if (text.trim() !== '' && value >= 0 && value < Infinity) return value;
  throw new InvalidArgumentError('It must be a number from 0.');
}

function positive(text: string): number {
  const value = amount(text);
  if (value > 0) return value;
  throw new InvalidArgumentError('It must be more than 0.');
}

function spell(text: string): readonly [number, number] {
  const [, least, most] = /^([\d.]+)-([\d.]+)$/.exec(text) ?? [];
  const [from, to] = [Number(least), Number(most)];
  if (from > 0 && to >= from) return [from, to];
  throw new InvalidArgumentError('It must be LEAST-MOST in seconds, such as 4-8.');
}

export const flags = new Command('stream')
  .description('answers questions about a stream of pictures within budgets')
  .option('--seconds <N>', 'how long', positive, 20)
  .option('--fps <N>', 'pictures per second', positive, 10)
  .option('--hours <N>', 'of a day that the stream stands for: the scheduler sees its clock so much faster', positive, 10)
  .option('--build <DIR>', 'what dnnc build wrote, such as a catalog (default: dnnc-out/stream, built if it is not there)')
  .option('--folder <DIR>', 'PNG and JPEG files instead of drawn signs')
  .option('--energy <JOULES>', 'default: half of what the device would need for the best answers', amount)
  .option('--money <DOLLARS>', 'default: half of what the server would cost for all', amount)
  .option('--data <BYTES>', 'that may be sent (default: no limit)', amount)
  .option('--memory <BYTES>', 'for weights (default: no limit)', amount)
  .option('--watts <W>', 'of the device while it computes: energy is then their product with measured time', positive)
  .option('--latency <MS>', 'until an answer: what would take longer gives way to something cheaper, or is refused', positive)
  .option('--outages <LEAST-MOST>', 'seconds that the connection is there, and gone, in turn', spell, [4, 8] as const)
  .option('--server <URL>', 'where the same build is served (default: dnnc serve is started)')
  .option('--no-server', 'the device alone')
  .addOption(new Option('--policy <P>', 'who decides').choices(['dnnc', 'mcdnn', 'device-only', 'cloud-only']).default('dnnc'))
  .option('--seed <N>', 'of pictures and outages', amount, 1)
  .option('--log <FILE>', 'where the record goes: dnnc simulate --replay reads it')
  .option('--json', 'print one document at the end')
  .parse()
  .opts<Flags>();
