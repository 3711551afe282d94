/** A worker of a queue, as dnnc work, with what tests need to choose: `node queue-worker.js '{"redis": ..., "folder": ...}'`. */
import {appendFileSync} from 'node:fs';
import {join} from 'node:path';
import {thisParty} from '../../compiler/catalog/queue/party.js';
import {work} from '../../compiler/catalog/queue/work.js';
import {openStore} from '../../compiler/catalog/store.js';

export type WorkerSetup = {
  readonly redis: string;
  readonly folder: string;
  readonly lease: number;
  /** In place of the one that does jobs. */
  readonly program?: string;
  /** In place of this dnnc. */
  readonly dnnc?: string;
};

const setup = JSON.parse(process.argv[2]!) as WorkerSetup;
const note = (says: string): void => appendFileSync(join(setup.folder, 'told.log'), `${says}\n`);
const {stop} = await work(openStore(setup.folder), {
  ...{redis: setup.redis, remote: null, count: 1, lease: setup.lease, tell: note, warn: note},
  ...(setup.program !== undefined && {program: new URL(setup.program)}),
  party: {...thisParty(), ...(setup.dnnc !== undefined && {dnnc: setup.dnnc})},
});
process.send?.('ready');
// Whoever began it may be gone: then this ends too.
process.on('disconnect', () => void stop().then(() => process.exit()));
