/** In place of compiler/catalog/worker.ts: does what the step of its job says, and leaves a line per job in `done.log` of its folder. */
import {appendFileSync, existsSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {keyOf, type MakeJob} from '../../compiler/catalog/jobs.js';
import {openStore} from '../../compiler/catalog/store.js';
import type {WorkerMessage} from '../../compiler/catalog/worker.js';

const folder = process.argv[2]!;
const send = (message: WorkerMessage): void => void process.send?.(message);
const die = (): void => void process.kill(process.pid, 'SIGKILL');

if (existsSync(join(folder, 'stillborn'))) die();
process.on('disconnect', () => process.exit());
process.on('message', (job: MakeJob) => {
  const {step} = job;
  const marker = join(folder, step);
  if (step === 'dies') return die();
  if (step === 'hangs') for (;;);
  if (step === 'dies-once' && !existsSync(marker)) {
    writeFileSync(marker, '');
    return die();
  }
  if (step === 'fails')
    return send({kind: 'failed', error: 'check', problems: [{code: 'catalog.test', where: step, says: 'fails'}]});
  if (step.startsWith('slow')) {
    writeFileSync(join(folder, `${step}.begun`), '');
    return void setTimeout(() => finish(job), 1500);
  }
  return finish(job);
});

function finish(job: MakeJob): void {
  const {step} = job;
  appendFileSync(join(folder, 'done.log'), `${step}\n`);
  const done = {result: {refused: step}, seconds: 0};
  openStore(folder).keep(keyOf(job), done);
  send({kind: 'done', done});
}
