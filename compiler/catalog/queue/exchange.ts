/** What jobs read and make, between the store of a process and the one that all reach. */
import {randomUUID} from 'node:crypto';
import {existsSync, mkdirSync, readFileSync, renameSync, rmSync} from 'node:fs';
import {basename, join} from 'node:path';
import {DnncError, fail} from '../../../ir/diagnostics.js';
import {bytesOf, hashOfSamples, isArchive, unpack} from '../../data/archive.js';
import {unwritable} from '../../data/files.js';
import {isIdxName} from '../../data/idx.js';
import type {RemoteStore} from '../http/client.js';
import {type DataRef, type Done, type Job, keyOf, networksMade, networksRead, samplesRead, withSamplesAt} from '../jobs.js';
import {recallJob} from '../perform/index.js';
import {isSha256} from '../places.js';
import type {Store} from '../store.js';

/** Puts there what a job reads; all of it `again` where something was found missing. Errors: input catalog.network, catalog.samples; of `RemoteStore`. */
export async function offer(job: Job, store: Store, remote: RemoteStore, again: boolean): Promise<void> {
  for (const network of networksRead(job)) {
    if (!again && (await remote.has('networks', network))) continue;
    if (!store.has(network))
      fail('input', 'catalog.network', network, `is not in ${store.folder}, or damaged`, 'build again: it is made again');
    await remote.send('networks', network, () => [readFileSync(store.fileOf(network))]);
  }
  const samples = samplesRead(job);
  if (samples && (again || !(await remote.has('samples', samples.sha256))))
    await remote
      .send('samples', samples.sha256, () => bytesOf(samples.path))
      .catch(error => {
        if (hashOfSamples(samples.path) === samples.sha256) throw error;
        fail('input', 'catalog.samples', samples.path, 'has changed since the build began', 'build again');
      });
}

/** A job as it can be done here; null: something that it reads is not there. Errors: input file.unwritable, file.disk-full, catalog.job; of `RemoteStore`. */
export async function fetchInputs(job: Job, store: Store, remote: RemoteStore): Promise<Job | null> {
  for (const network of networksRead(job)) if (!(await fetchNetwork(network, store, remote))) return null;
  const samples = samplesRead(job);
  if (!samples) return job;
  const path = await fetchSamples(samples, store, remote);
  return path === null ? null : withSamplesAt(job, path);
}

async function fetchNetwork(sha256: string, store: Store, remote: RemoteStore): Promise<boolean> {
  requireSha256(sha256);
  if (store.has(sha256)) return true;
  const beside = `${store.fileOf(sha256)}.${randomUUID()}.partial`;
  if (!(await remote.fetch('networks', sha256, beside))) return false;
  renameSync(beside, store.fileOf(sha256));
  return true;
}

/** Samples that were found good by this process, and those that it is fetching, by where they lie. */
const good = new Set<string>();
const fetching = new Map<string, Promise<string | null>>();

/** Where they lie; they keep the name of their file, which tells what is in it. */
function fetchSamples({path, sha256}: DataRef, store: Store, remote: RemoteStore): Promise<string | null> {
  requireSha256(sha256);
  const own = basename(path);
  const name = /^\.*$/.test(own) ? 'samples' : own;
  const place = join(store.folder, 'samples', sha256, name);
  const sent = fetching.get(place) ?? fetchFolder(sha256, name, store, remote).finally(() => fetching.delete(place));
  fetching.set(place, sent);
  return sent;
}

async function fetchFolder(sha256: string, name: string, store: Store, remote: RemoteStore): Promise<string | null> {
  const folder = join(store.folder, 'samples', sha256);
  const place = join(folder, name);
  if (isSame(place, sha256)) return place;
  const beside = `${folder}.${randomUUID()}.partial`;
  const download = `${beside}.download`;
  try {
    if (!(await remote.fetch('samples', sha256, download))) return null;
    mkdirSync(isArchive(download) && !isIdxName(name) ? join(beside, name) : beside, {recursive: true});
    if (!isArchive(download)) renameSync(download, join(beside, name));
    else unpack(download, isIdxName(name) ? beside : join(beside, name));
    rmSync(folder, {recursive: true, force: true});
    renameSync(beside, folder);
  } catch (cause) {
    if (cause instanceof DnncError) throw cause;
    // Another process that fetches the same may have been faster.
    if (!isSame(place, sha256)) unwritable(folder, cause);
  } finally {
    rmSync(download, {force: true});
    rmSync(beside, {recursive: true, force: true});
  }
  return isSame(place, sha256) ? place : null;
}

function isSame(place: string, sha256: string): boolean {
  if (!existsSync(place)) return false;
  try {
    if (!good.has(place) && hashOfSamples(place) === sha256) good.add(place);
  } catch {
    // A part of it is gone.
    return false;
  }
  return good.has(place);
}

/** Names in jobs become paths. */
function requireSha256(name: string): void {
  if (!isSha256(name)) fail('input', 'catalog.job', name, 'is not a sha256', 'a job that dnnc did not make');
}

/** Puts there what a job has made: first networks, then the result that names them. Errors: of `RemoteStore`. */
export async function deliver(job: Job, done: Done<Job>, store: Store, remote: RemoteStore): Promise<void> {
  for (const network of networksMade(done))
    if (!(await remote.has('networks', network)))
      await remote.send('networks', network, () => [readFileSync(store.fileOf(network))]);
  await remote.keep(keyOf(job), done);
}

/** Whether a job's result is there, with all that it names. Errors: of `RemoteStore`. */
export async function isDelivered(job: Job, remote: RemoteStore): Promise<boolean> {
  const done = (await remote.result(keyOf(job))) as Done<Job> | undefined;
  if (done === undefined) return false;
  for (const network of networksMade(done)) if (!(await remote.has('networks', network))) return false;
  return true;
}

/** A job's result, now in the store of this process too; null: it is not there. Errors: input file.unwritable, file.disk-full; of `RemoteStore`. */
export async function receive(job: Job, store: Store, remote: RemoteStore): Promise<Done<Job> | null> {
  const known = recallJob(job, store);
  if (known) return known;
  const done = (await remote.result(keyOf(job))) as Done<Job> | undefined;
  if (done === undefined) return null;
  for (const network of networksMade(done)) if (!(await fetchNetwork(network, store, remote))) return null;
  store.keep(keyOf(job), done);
  return recallJob(job, store);
}
