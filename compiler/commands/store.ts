/** `dnnc store`: what builds and workers on several machines have in common, over HTTP, until it is interrupted. */
import {type Command, InvalidArgumentError, Option} from 'commander';
import {cacheFolder} from '../cache.js';
import {announceUse} from '../catalog/evict.js';
import {serveStore} from '../catalog/http/server.js';
import {say} from '../output.js';
import {untilInterrupted} from './options.js';

type Flags = {readonly folder?: string; readonly host: string; readonly port: number; readonly capacity?: number};

export const defineStore = (program: Command): void =>
  void program
    .command('store')
    .description('keeps networks, samples and results of dnnc build --catalog --queue for several machines')
    .option('--folder <DIR>', "where they lie (default: the user's cache)")
    .option('--host <HOST>', 'who reaches it: 127.0.0.1 only this machine, 0.0.0.0 all', '127.0.0.1')
    .addOption(new Option('--port <N>', 'where it listens').argParser(portOf).default(7377))
    .addOption(new Option('--capacity <GB>', 'what would be more is refused').argParser(gigabytes))
    .action(runStore);

function portOf(value: string): number {
  const port = Number(value);
  if (!Number.isInteger(port) || port < 0 || port > 65535) throw new InvalidArgumentError('it must be a port, 0 for any');
  return port;
}

/** Bytes. */
function gigabytes(value: string): number {
  const number = Number(value);
  if (!(number > 0)) throw new InvalidArgumentError('it must be a number of gigabytes');
  return number * 1e9;
}

async function runStore({folder = cacheFolder('catalog'), host, port, capacity}: Flags): Promise<void> {
  const release = announceUse(folder);
  const token = process.env.DNNC_STORE_TOKEN || null;
  const {url, close} = await serveStore({folder, host, port, token, ...(capacity !== undefined && {capacity})});
  say(`${url} keeps ${folder}${token === null ? '' : ', for those who have its DNNC_STORE_TOKEN'}`);
  await untilInterrupted();
  await close();
  release();
}
