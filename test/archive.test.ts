/** Samples under one hash, and as the bytes that have it. */
import {createHash} from 'node:crypto';
import {mkdirSync, readFileSync, symlinkSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import test from 'ava';
import {bytesOf, hashOfSamples, isArchive, unpack} from '../compiler/data/archive.js';
import {openDataset} from '../compiler/data/dataset.js';
import {temporaryFile, temporaryFolder} from './support/temporary.js';

const shaOf = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** Classes with files whose content is their own name: nothing decodes them here. */
function folderOf(classes: Readonly<Record<string, readonly string[]>>): string {
  const folder = temporaryFolder();
  for (const [name, images] of Object.entries(classes)) {
    mkdirSync(join(folder, name));
    for (const image of images) writeFileSync(join(folder, name, image), image);
  }
  return folder;
}

const archived = (path: string): string => temporaryFile('archive', Buffer.concat([...bytesOf(path)]));

test('a file is its bytes', t => {
  const bytes = Buffer.alloc(3 << 20, 'sample');
  const file = temporaryFile('x.npz', bytes);
  t.is(hashOfSamples(file), shaOf(bytes));
  t.false(isArchive(file));
});

test('a folder survives its archive, which has its hash', t => {
  const folder = folderOf({cup: ['b.png', 'a.png'], hat: ['a.png'], none: []});
  const archive = archived(folder);
  t.true(isArchive(archive));
  t.is(shaOf(readFileSync(archive)), hashOfSamples(folder));
  const copy = temporaryFolder();
  unpack(archive, copy);
  t.is(hashOfSamples(copy), hashOfSamples(folder));
  t.deepEqual(openDataset(copy).classes, ['cup', 'hat', 'none']);
  t.is(readFileSync(join(copy, 'cup/b.png'), 'utf8'), 'b.png');
});

test('what is read has a part in the hash, and nothing else', t => {
  const folder = folderOf({cup: ['a.png'], hat: ['a.png']});
  const before = hashOfSamples(folder);
  writeFileSync(join(folder, '.DS_Store'), 'x');
  writeFileSync(join(folder, 'cup/notes.txt'), 'x');
  t.is(hashOfSamples(folder), before);
  mkdirSync(join(folder, 'zebra'));
  t.not(hashOfSamples(folder), before);
  // A class may be a link to a folder: its images count.
  const linked = folderOf({cup: ['a.png']});
  symlinkSync(join(folder, 'hat'), join(linked, 'hat'));
  t.is(hashOfSamples(linked), before);
  writeFileSync(join(folder, 'hat/a.png'), 'other');
  t.not(hashOfSamples(linked), before);
});

test('names and contents cannot be taken for each other', t => {
  const [a, b] = [folderOf({cup: ['a.png']}), folderOf({cup: ['a.png', 'b.png']})];
  writeFileSync(join(a, 'cup/a.png'), 'a.pngcup/b.pngb.png');
  t.not(hashOfSamples(a), hashOfSamples(b));
});

test('images in IDX and their labels belong together', t => {
  const folder = temporaryFolder();
  const images = join(folder, 'train-images-idx3-ubyte');
  writeFileSync(images, Buffer.from([0, 0, 8, 3, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 9]));
  const alone = hashOfSamples(images);
  t.is(alone, shaOf(readFileSync(images)));
  writeFileSync(join(folder, 'train-labels-idx1-ubyte'), Buffer.from([0, 0, 8, 1, 0, 0, 0, 1, 3]));
  t.not(hashOfSamples(images), alone);
  const copy = temporaryFolder();
  unpack(archived(images), copy);
  t.is(openDataset(join(copy, 'train-images-idx3-ubyte')).label(0), 3);
});

test('an archive that is none, ends early, or leads out of its folder is refused', t => {
  const whole = readFileSync(archived(folderOf({cup: ['a.png']})));
  const refused = (bytes: Uint8Array, message: RegExp): void =>
    void t.throws(() => unpack(temporaryFile('archive', bytes), temporaryFolder()), {message});
  refused(Buffer.from('DNNC'), /archive\.format/);
  for (const end of [9, 22, 30, whole.byteLength - 1]) refused(whole.subarray(0, end), /ends early/);
  const entry = (name: string): Buffer => {
    const head = Buffer.alloc(12);
    head.writeUInt32LE(name.length);
    return Buffer.concat([whole.subarray(0, 8), head, Buffer.from(name)]);
  };
  for (const name of ['../out', '/etc/x', 'a/../../b', 'a/b/c', '..', 'a\\b', '']) refused(entry(name), /holds a file/);
});
