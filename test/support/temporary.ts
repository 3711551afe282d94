/** Files that live as long as the test process. */
import {mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';

const folders = new Set<string>();
process.once('exit', () => {
  for (const folder of folders) rmSync(folder, {recursive: true, force: true});
});

export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'dnnc-test-'));
  folders.add(folder);
  return folder;
}

export function temporaryFile(name: string, content: string | Uint8Array): string {
  const file = join(temporaryFolder(), name);
  writeFileSync(file, content);
  return file;
}
