/** `dnnc targets`: what can be built for, and what this machine has. */
import type {Command} from 'commander';
import {bestTarget, targets} from '../../codegen/targets/index.js';
import {compilerVersion} from '../cc.js';
import {cpuFeatures, cpuModel, runsHere} from '../host.js';
import {printJson, say, table} from '../output.js';
import {type JsonFlag, withJson} from './options.js';

export function defineTargets(program: Command): void {
  withJson(program.command('targets').description('what can be built for, and what this machine has')).action(
    ({json}: JsonFlag) => {
      const rows = targets.map(target => ({
        name: target.name,
        summary: target.summary,
        needs: target.features,
        runsHere: runsHere(target) || target.format === 'wasm', // in Node itself
      }));
      const host = {cpu: cpuModel(), native: bestTarget(cpuFeatures()).name, compiler: compilerVersion()};
      if (json) printJson({host, targets: rows});
      else {
        say(`this machine: ${host.cpu}; native is ${host.native}; ${host.compiler}\n`);
        say(table([['target', 'runs here', 'for'], ...rows.map(row => [row.name, row.runsHere ? 'yes' : 'no', row.summary])]));
      }
    },
  );
}
