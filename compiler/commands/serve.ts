/** `dnnc serve`: a build behind HTTP, for devices that ask it (dnnc/live) and for any client of the protocol. */
import type {Server} from 'node:http';
import type {AddressInfo} from 'node:net';
import {type Command, InvalidArgumentError} from 'commander';
import {fail} from '../../ir/diagnostics.js';
import {load} from '../../runtime/index.js';
import {inferenceService} from '../../runtime/live/index.js';
import {requireHere} from '../host.js';
import {printJson, say} from '../output.js';
import {httpServer} from '../serve/server.js';
import {type JsonFlag, positive, withJson} from './options.js';

type Flags = JsonFlag & {
  readonly host: string;
  readonly port: number;
  readonly mostBytes: number;
  readonly mostAtOnce: number;
  readonly target?: string;
};

export function defineServe(program: Command): void {
  const command = program
    .command('serve')
    .description('answers by HTTP what a build computes (Open Inference Protocol 2, JSON)')
    .argument('<DIR>', 'what dnnc build wrote')
    .option('--host <ADDRESS>', 'where to listen', '127.0.0.1')
    .option('--port <N>', 'where to listen; 0: any that is free', port, 8000)
    .option('--most-bytes <N>', 'of a body, packed and unpacked', positive, 1 << 24)
    .option('--most-at-once <N>', 'requests; more are told to come again', positive, 64)
    .option('--target <T>', 'which library to run (default: the best for this CPU)');
  withJson(command).action(run);
}

function port(text: string): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value > 65_535) throw new InvalidArgumentError('it must be a number from 0 to 65535');
  return value;
}

async function run(directory: string, {host, port: wanted, target, json, ...bounds}: Flags): Promise<void> {
  requireHere(target);
  const session = load(directory, target === undefined ? {} : {target});
  const server = httpServer(inferenceService(session), bounds);
  await listening(server, host, wanted);
  const {port: bound} = server.address() as AddressInfo;
  const url = `http://${host.includes(':') ? `[${host}]` : host}:${bound}`;
  const models = Object.keys(session.manifest.tasks);
  if (json) printJson({url, models});
  else say(`${url}/v2/models/${models[0]}/infer; models: ${models.join(', ')}, or several joined by +`);
  await new Promise<void>(resolve => {
    const stop = (): void => {
      server.close(() => resolve());
      server.closeIdleConnections();
    };
    process.once('SIGINT', stop);
    process.once('SIGTERM', stop);
  });
}

const listening = (server: Server, host: string, wanted: number): Promise<void> =>
  new Promise((resolve, reject) => {
    server.once('listening', resolve);
    server.once('error', ({message}) => {
      try {
        fail(
          'input',
          'serve.listen',
          `${host}:${wanted}`,
          `cannot be listened on (${message})`,
          '--port 0 takes one that is free',
        );
      } catch (error) {
        reject(error);
      }
    });
    server.listen(wanted, host);
  });
