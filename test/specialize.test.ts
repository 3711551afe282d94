/** Early exits and cascades: fitted to a finished build, answered by its C, and what they promise. */
import {createHash} from 'node:crypto';
import {cpSync, readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {exitFile} from '../codegen/exit.js';
import {npz, splits} from '../examples/signs/data.js';
import {DnncRuntimeError, load, readManifest, type Session} from '../runtime/index.js';
import type {Manifest} from '../runtime/manifest.js';
import {dnnc} from './support/cli.js';
import {temporaryFolder} from './support/temporary.js';
import {hasCompiler} from './tiny-build.js';

const folder = temporaryFolder();
const compiled = hasCompiler ? test.serial : test.serial.skip;
const [fit, tune] = [join(folder, 'fit.npz'), join(folder, 'tune.npz')];
const built = join(folder, 'built');
const done = join(folder, 'done');
const env = {XDG_CACHE_HOME: join(folder, 'cache')};

type Document = {
  readonly task: string;
  readonly variants: readonly {
    readonly variant: string;
    readonly accuracy: number;
    readonly macs: number;
    readonly bytes: number;
  }[];
  readonly cascade: readonly {readonly share: number; readonly accuracy: number; readonly expectedMacs: number}[];
  readonly missing: readonly number[];
  readonly chosen?: {readonly variant: string; readonly first: string; readonly threshold: number};
  readonly evaluated?: {readonly accuracy: number};
  readonly refitted?: readonly {readonly cut: string; readonly accuracy: number}[];
  readonly grid?: readonly {readonly classes: number; readonly share: number; readonly draws: readonly unknown[]}[];
};

const manifestOf = (directory: string): Manifest =>
  readManifest(JSON.parse(readFileSync(join(directory, 'manifest.json'), 'utf8')));

async function specialize(t: ExecutionContext, directory: string, ...args: readonly string[]): Promise<Document> {
  const {code, stdout, stderr} = await dnnc(['specialize', directory, '--json', ...args], {env});
  t.is(code, 0, stderr);
  return JSON.parse(stdout) as Document;
}

const pixelsOf = (session: Session, seed: number): Float32Array => {
  const [input] = session.entry('number').newInputs();
  return (input as Float32Array).map((_, i) => Math.sin((i + seed) / (3 + seed)));
};

test.before(async t => {
  if (!hasCompiler) return;
  writeFileSync(fit, npz({seed: splits.evaluate, count: 400}));
  writeFileSync(tune, npz({seed: splits.evaluate + 1, count: 400}));
  const models = ['sign-number', 'number-compact'].flatMap(name => ['--task', `number=examples/signs/models/${name}.onnx`]);
  const config = ['--config', 'examples/signs/dnnc.config.json', '--target', 'generic,native', '--cuts', 'all', '--no-measure'];
  const {code, stderr} = await dnnc(['build', ...models, ...config, '-o', built], {env});
  t.is(code, 0, stderr);
  cpSync(built, done, {recursive: true});
});

compiled('a second network of a task is a variant; exits and a cascade come from samples alone', async t => {
  t.timeout(300_000);
  t.deepEqual(manifestOf(built).tasks['number']?.variants, ['number/full', 'number/number-compact']);
  const args = ['--data', fit, '--tune', tune, '--evaluate', tune, '--classes', '20,30,none', '--refit', '--grid'];
  const document = await specialize(t, done, ...args);
  t.deepEqual(document.missing, []);
  t.true(document.variants.length >= 2);
  for (const {bytes} of document.variants) t.true(bytes < 200_000);
  t.true(document.variants.at(-1)!.accuracy > document.variants[0]!.accuracy + 10);
  const shares = document.cascade.map(({share}) => share);
  t.deepEqual(shares, [0.6, 0.7, 0.8, 0.9, 0.95, 1]);
  t.true(document.refitted!.length >= document.variants.length);
  t.deepEqual(
    document.grid!.map(({classes}) => classes).filter((n, i, all) => all.indexOf(n) === i),
    [2, 3, 5, 7, 10],
  );

  const manifest = manifestOf(done);
  const cascade = manifest.variants.find(({id}) => id === document.chosen!.variant)!;
  t.deepEqual(cascade.context, ['20', '30', 'none']);
  t.is(cascade.cascade?.estimates.find(({share}) => share === 0.9)?.accuracy, document.cascade[3]!.accuracy);
  // Checked on the samples that it was tuned on: only what random contexts say lies between.
  t.true(Math.abs(document.evaluated!.accuracy - document.cascade[3]!.accuracy) < 3);
  for (const {quality, confusion, exit} of manifest.variants.filter(each => each.exit)) {
    const counts = confusion!.map(row => row.answers.reduce((n, [, count]) => n + count, 0));
    t.is(
      counts.reduce((a, b) => a + b, 0),
      quality!.n,
    );
    t.is(manifest.files[exit!.file], exit!.sha256);
  }
  // The same again changes nothing; another context is another cascade.
  const before = readFileSync(join(done, 'manifest.json'), 'utf8');
  await specialize(t, done, ...args.slice(0, 8));
  t.is(readFileSync(join(done, 'manifest.json'), 'utf8'), before);
  const other = await specialize(t, done, ...args.slice(0, 6), '--classes', '100,120', '--share', '0.8', '--faster', '1.05');
  t.is(other.chosen?.variant, 'number/cascade@2');
  // Other heads: thresholds that were chosen with the old ones go.
  const again = await specialize(t, done, '--data', fit, '--classes', '100,120', '--balance', '--faster', '1.05');
  const left = manifestOf(done).variants.filter(({cascade: way}) => way);
  for (const {id, cascade: way} of left) t.true(id === again.chosen?.variant || !way!.first.includes('exit'), id);
});

compiled('heads that are remembered are those of the labels', async t => {
  const heads: string[] = [];
  for (const key of ['y_number', 'y_shape']) {
    const directory = join(folder, key);
    cpSync(built, directory, {recursive: true});
    await specialize(t, directory, '--data', fit, '--tune', tune, '--labels-key', key, '--classes', '0,1,2');
    heads.push(manifestOf(directory).variants.find(({exit}) => exit)!.exit!.sha256);
  }
  t.not(heads[0], heads[1]);
});

compiled('an exit in C gives what its numbers say, on every target', async t => {
  const manifest = manifestOf(done);
  for (const {target} of manifest.libraries) {
    const session = load(done, {target});
    for (const {id, path, exit} of manifest.variants.filter(variant => variant.exit)) {
      const pixels = pixelsOf(session, 2);
      const scores = new Float32Array(11);
      session.entry('number', id).call([pixels], [scores]);
      let given: readonly unknown[] = [pixels];
      for (const segment of path) {
        const entry = session.segment(segment);
        const outputs = entry.newOutputs();
        entry.call(given as Parameters<typeof entry.call>[0], outputs);
        given = outputs;
      }
      const bytes = readFileSync(join(done, exit!.file));
      const words = new DataView(bytes.buffer, bytes.byteOffset);
      const [channels, rows, columns, grid, classes, last] = Array.from({length: 6}, (_, i) =>
        words.getInt32(64 + 4 * i, true),
      ) as [number, number, number, number, number, number];
      const number = (i: number): number => words.getFloat32(128 + 4 * i, true);
      const activation = given[0] as Float32Array;
      for (let k = 0; k < classes; k++) {
        let sum = number(k);
        for (let cell = 0; cell < grid * grid; cell++)
          for (let c = 0; c < channels; c++) {
            const [down, right] = [Math.floor(rows / grid), Math.floor(columns / grid)];
            const [high, wide] = [rows - (grid - 1) * down, columns - (grid - 1) * right];
            let mean = 0;
            for (let y = 0; y < high; y++)
              for (let x = 0; x < wide; x++) {
                const pixel = (Math.floor(cell / grid) * down + y) * columns + (cell % grid) * right + x;
                mean += activation[last ? pixel * channels + c : c * rows * columns + pixel]! / (high * wide);
              }
            sum += number(16 + (k * grid * grid + cell) * channels + c) * mean;
          }
        t.true(Math.abs(scores[k]! - sum) < 1e-4 * Math.max(1, Math.abs(sum)), `${target} ${id} ${k}: ${scores[k]} ${sum}`);
      }
    }
  }
});

compiled('a cascade answers with its first stage where that is sure, else with the general network', async t => {
  const directory = join(folder, 'cascade');
  cpSync(built, directory, {recursive: true});
  await specialize(t, directory, '--data', fit, '--tune', tune, '--classes', '20,30,none');
  const manifest = manifestOf(directory);
  const variant = manifest.variants.find(({cascade}) => cascade)!;
  const {first, last, threshold} = variant.cascade!;
  const session = load(directory);
  const by = new Map<string, number>();
  for (let seed = 0; seed < 60; seed++) {
    const pixels = pixelsOf(session, seed);
    const answer = session.run('number', pixels, {variant: variant.id});
    by.set(answer.answeredBy!, (by.get(answer.answeredBy!) ?? 0) + 1);
    // Label by label, the rest alike: what the manifest's context and share say.
    const prior = manifest.tasks['number']!.labels!.map(label => (variant.context!.includes(label) ? 0.9 / 3 : 0.1 / 8));
    const early = session.run('number', pixels, {variant: first, prior});
    const isSure = Math.max(...early.probabilities!) >= threshold;
    t.is(answer.answeredBy, isSure ? first : last);
    const wanted = isSure ? early : session.run('number', pixels, {variant: last, prior});
    t.is(answer.label, wanted.label);
    answer.probabilities!.forEach((value, c) => {
      t.true(Math.abs(value - wanted.probabilities![c]!) < 1e-5);
    });
    const async = await session.runAsync('number', pixels, {variant: variant.id, prior});
    t.is(async.answeredBy, answer.answeredBy);
    t.deepEqual([...async.scores], [...answer.scores]);
    const [scores] = session.entry('number', variant.id).newOutputs();
    session.entry('number', variant.id).call([pixels], [scores!]);
    t.deepEqual(scores, answer.scores);
  }
  t.true(by.size >= 1);
});

compiled('a head that is not the one of the manifest is refused', t => {
  const directory = join(folder, 'damaged');
  cpSync(done, directory, {recursive: true});
  const {id, exit} = manifestOf(directory).variants.find(variant => variant.exit)!;
  const file = join(directory, exit!.file);
  const bytes = readFileSync(file);
  const open = () => load(directory).entry('number', id);
  const refused = (code: string): void => {
    t.is(`${t.throws(() => open(), {instanceOf: DnncRuntimeError})?.code}`, code);
  };
  const flipped = Buffer.from(bytes);
  flipped[200]! ^= 1;
  writeFileSync(file, flipped);
  refused('weights.damaged');
  writeFileSync(file, bytes.subarray(0, 100));
  refused('weights.damaged');
  // The manifest may be made to agree; the code looks at the file itself.
  const json = join(directory, 'manifest.json');
  const before = readFileSync(json, 'utf8');
  const replaced = (content: Uint8Array): void => {
    writeFileSync(file, content);
    writeFileSync(json, before.replaceAll(exit!.sha256, createHash('sha256').update(content).digest('hex')));
  };
  const shape = {channels: 4, rows: 2, columns: 2, grid: 1, classes: 3, channelsLast: true, softmax: false};
  const {buildHash} = manifestOf(built);
  replaced(exitFile(shape, new Float32Array(12), new Float32Array(3), '0'.repeat(32)));
  refused('weights.build');
  replaced(exitFile(shape, new Float32Array(12), new Float32Array(3), buildHash).subarray(0, 192));
  refused('weights.truncated');
  replaced(exitFile({...shape, grid: 3}, new Float32Array(108), new Float32Array(3), buildHash));
  refused('weights.damaged');
  replaced(readFileSync(join(directory, `${manifestOf(built).name}.weights`)));
  refused('weights.format');
  writeFileSync(file, bytes);
  writeFileSync(json, before);
  t.notThrows(() => open());
});

compiled('what is wrong with a request is said, and the build stays as it was', async t => {
  const before = readFileSync(join(built, 'manifest.json'), 'utf8');
  const wrong = async (code: number, says: RegExp, ...args: readonly string[]): Promise<void> => {
    const outcome = await dnnc(['specialize', built, ...args], {env});
    t.is(outcome.code, code, outcome.stderr);
    t.regex(outcome.stderr, says);
    t.is(readFileSync(join(built, 'manifest.json'), 'utf8'), before);
  };
  await wrong(2, /specialize\.classes.*no classes/, '--data', fit);
  await wrong(2, /context\.class: 25: is no class/, '--data', fit, '--classes', '25,30');
  await wrong(2, /specialize\.share: 2/, '--data', fit, '--classes', '20', '--share', '2');
  await wrong(2, /specialize\.task: age/, '--data', fit, '--classes', '20', '--task', 'age');
  await wrong(4, /nowhere\.npz/, '--data', join(folder, 'nowhere.npz'), '--classes', '20');
  await wrong(2, /required option '--data/, '--classes', '20');
  const outcome = await dnnc(['specialize', folder, '--data', fit, '--classes', '20'], {env});
  t.is(outcome.code, 4);
  t.regex(outcome.stderr, /open\.foreign/);
});
