/** In place of compiler/catalog/worker.ts: does what the step of its job says, and leaves a line per job in `done.log` of its folder. */
import {appendFileSync, existsSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import type {MakeJob} from '../../compiler/catalog/jobs.js';
import type {WorkerMessage} from '../../compiler/catalog/worker.js';

const folder = process.argv[2]!;
const send = (message: WorkerMessage): void => void process.send?.(message);
const die = (): void => void process.kill(process.pid, 'SIGKILL');

if (existsSync(join(folder, 'stillborn'))) die();
process.on('disconnect', () => process.exit());
process.on('message', ({step}: MakeJob) => {
  const marker = join(folder, step);
  if (step === 'dies') return die();
  if (step === 'hangs') for (;;);
  if (step === 'dies-once' && !existsSync(marker)) {
    writeFileSync(marker, '');
    return die();
  }
  if (step === 'fails')
    return send({kind: 'failed', error: 'check', problems: [{code: 'catalog.test', where: step, says: 'fails'}]});
  appendFileSync(join(folder, 'done.log'), `${step}\n`);
  return send({kind: 'done', done: {result: {refused: step}, seconds: 0}});
});
