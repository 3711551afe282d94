/**
 * `npm run demo`: four networks to one C library, in a minute. Draws labelled pictures of road signs, compiles the networks of
 * signs/ for this machine, measures their accuracy and speed, and asks them about pictures that they have not seen.
 */
import {spawnSync} from 'node:child_process';
import {existsSync, statSync, writeFileSync} from 'node:fs';
import {createRequire} from 'node:module';
import {join, relative} from 'node:path';
import {fileURLToPath} from 'node:url';
import {load, type Session} from 'dnnc/runtime';
import {canPreview, preview} from './preview.js';
import {size} from './signs/canvas.js';
import {dataset, npz, splits} from './signs/data.js';
import {type Labels, nameOf, taskNames} from './signs/tasks.js';

const root = fileURLToPath(new URL('../../', import.meta.url));
const cli = fileURLToPath(new URL('../compiler/main.js', import.meta.url));
const output = join('dnnc-out', 'signs');
const data = join('examples', 'signs', 'evaluate.npz');
const config = join('examples', 'signs', 'dnnc.config.json');

const say = (line = ''): void => void process.stdout.write(`${line}\n`);
const heading = (text: string): void => say(process.stdout.isTTY ? `\n\x1b[1m${text}\x1b[0m` : `\n${text}`);

/** Shows a command and runs it. When it fails it has said why, and the demo ends with its exit code. */
function dnnc(...args: readonly string[]): void {
  say(`$ dnnc ${args.join(' ')}`);
  const {status, error} = spawnSync(process.execPath, [cli, ...args], {cwd: root, stdio: 'inherit'});
  if (error) throw error;
  if (status !== 0) process.exit(status ?? 1);
}

function drawPictures(count: number): void {
  if (existsSync(join(root, data))) {
    say(`${data} is there already`);
    return;
  }
  const started = performance.now();
  writeFileSync(join(root, data), npz({seed: splits.evaluate, count}));
  say(`${count} pictures of ${size} x ${size} pixels, drawn in ${((performance.now() - started) / 1000).toFixed(1)} s: ${data}`);
}

const kilobytes = (bytes: number): string => `${Math.round(bytes / 1000)} kB`;

function tellSizes({manifest, target}: Session): void {
  const library = manifest.libraries.find(each => each.target === target)!;
  const code = statSync(join(root, output, library.file)).size;
  const onnx = manifest.generator.sources.reduce(
    (sum, file) => sum + statSync(join(root, 'examples/signs/models', file)).size,
    0,
  );
  say(
    `${library.file} ${kilobytes(code)}, ${manifest.weights.file} ${kilobytes(manifest.weights.bytes)} (the ONNX files: ${kilobytes(onnx)}),`,
  );
  say(
    `and ${kilobytes(manifest.arena.bytes)} of scratch memory per thread. The library needs libm and nothing else, and allocates nothing.`,
  );
}

const namesOf = (labels: Labels): readonly string[] => taskNames.map(task => nameOf(task, labels[task]));

/** Every question about every picture, through the runtime. */
function ask(session: Session, count: number): void {
  const pictures = [...dataset({seed: splits.evaluate + 1, count})];
  const rows = pictures.map(({image, labels}, i) => {
    const truth = namesOf(labels);
    const answers = taskNames.map(task => session.run(task, {width: size, height: size, channels: 3, data: image}).label ?? '?');
    const right = answers.filter((answer, at) => answer === truth[at]).length;
    return [`${i + 1}`, truth.join(', '), answers.join(', '), `${right} of ${taskNames.length}`];
  });
  if (canPreview(process.stdout, count)) say(preview(pictures.map(({image}, i) => ({image, caption: `${i + 1}`}))));
  for (const row of columns([['', 'truth', 'answers', 'right'], ...rows])) say(row);
}

function columns(rows: readonly (readonly string[])[]): readonly string[] {
  const width = (column: number): number => Math.max(...rows.map(row => row[column]?.length ?? 0));
  return rows.map(row =>
    row
      .map((cell, i) => cell.padEnd(width(i)))
      .join('  ')
      .trimEnd(),
  );
}

function hasPeer(): boolean {
  try {
    return createRequire(import.meta.url).resolve('onnxruntime-node') !== '';
  } catch {
    return false;
  }
}

heading('Labelled pictures: shape, colour and number of a road sign, and the weather');
drawPictures(400);
heading('Four networks to C, a library, weights and a typed manifest');
dnnc('build', '--config', config, '-o', output);
const session = load(join(root, output));
tellSizes(session);
heading('Accuracy');
dnnc('evaluate', output, '--data', data, '--config', config);
heading('Speed, one thread');
dnnc('bench', output, '--seconds', '1', ...(hasPeer() ? ['--against', 'onnxruntime'] : []));
heading('Six more pictures, by dnnc/runtime in this process');
ask(session, 6);
heading('Next');
say(
  `${relative(process.cwd(), join(root, output)) || '.'}/ holds the C and manifest.ts; examples/README.md shows how to use them. dnnc report draws it all as a page.`,
);
