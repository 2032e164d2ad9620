/**
 * The copier: looks at a place in a tree, or applies an archive there. Started inside the rootless namespaces; its root becomes the
 * tree, and nothing is loaded after that (CVE-2019-14271: a library of the container's would run with our rights).
 */
import * as fs from 'node:fs';
import { decompress } from '../unpack/decompress.ts';
import { errnoOf } from '../unpack/host.ts';
import { DEFAULT_LIMITS, SizeMeter } from '../unpack/limits.ts';
import { nativeHost } from '../unpack/native-host.ts';
import { ownOwnership } from '../unpack/owner.ts';
import { type ByteString, type TarEntry, toFsPath } from '../unpack/tar-entry.ts';
import { TarReader } from '../unpack/tar-reader.ts';
import { describeError, RESULT_FD } from '../unpack/worker-protocol.ts';
import type {
  CopyAnswer,
  CopyIds,
  CopyJob,
  CopyResult,
  ExtractJob,
  PresentJob,
  PresentQuestion,
  StatJob,
} from './copy-job.ts';
import { findDestination } from './destination.ts';
import { MergeApplier } from './merge-tree.ts';

/** Does the job in `json`; returns the exit status. */
export async function runCopyWorker(json: string): Promise<number> {
  let answer: CopyAnswer;
  try {
    const job = JSON.parse(json) as CopyJob;
    answer = { ok: true, result: await work(job) };
  } catch (error) {
    answer = { ok: false, error: describeError(error) };
  }
  fs.writeSync(RESULT_FD, `${JSON.stringify(answer)}\n`);
  return answer.ok ? 0 : 1;
}

async function work(job: CopyJob): Promise<CopyResult> {
  if (job.kind === 'stat') return look(job);
  return job.kind === 'present' ? await present(job) : await extract(job);
}

async function present({ root }: PresentJob): Promise<CopyResult> {
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin) chunks.push(chunk as Buffer);
  const { paths, lists } = JSON.parse(Buffer.concat(chunks).toString()) as PresentQuestion;
  nativeHost.enterRoot(root);
  const stat = (path: ByteString) => fs.lstatSync(toFsPath(`/${path}`), { throwIfNoEntry: false });
  return {
    there: paths.map((path) => stat(path) !== undefined),
    listed: lists.map((path) =>
      stat(path)?.isDirectory() ? fs.readdirSync(toFsPath(`/${path}`), 'latin1') : [],
    ),
  };
}

function look({ root, path, follow }: StatJob): CopyResult {
  nativeHost.enterRoot(root);
  try {
    const stat = follow ? fs.statSync(toFsPath(path)) : fs.lstatSync(toFsPath(path));
    return { found: stat.isDirectory() ? 'directory' : 'file' };
  } catch (error) {
    if (!['ENOENT', 'ENOTDIR', 'ELOOP'].includes(errnoOf(error) ?? '')) throw error;
    return { found: 'absent' };
  }
}

/** An id of the container in this namespace; 0, the user himself, for one that the container has not. */
function translate(id: number, map: CopyIds | undefined): number {
  if (!map) return id;
  const entry = map.find((e) => id >= e.containerID && id < e.containerID + e.size);
  return entry ? entry.hostID + id - entry.containerID : 0;
}

async function extract(job: ExtractJob): Promise<CopyResult> {
  process.umask(0);
  const owners = ownOwnership(job.singleUid);
  process.stdin.pause(); // loads the stream of its kind while there is a root
  nativeHost.enterRoot(job.root);
  const { directory, name } = findDestination(job);
  const base = fs.openSync(toFsPath(directory), fs.constants.O_DIRECTORY | fs.constants.O_NOFOLLOW);
  const applier = new MergeApplier({
    host: nativeHost,
    ownership: owners,
    base,
    rename: job.what === 'file' || job.what === 'directory' ? { from: job.name, to: name } : undefined,
    overwrite: job.overwrite,
    ownerOf: (entry: TarEntry) => {
      const { uid, gid } = job.owner ?? entry;
      return { uid: translate(uid, job.ids?.uids), gid: translate(gid, job.ids?.gids) };
    },
  });
  await readArchive(applier);
  return { entries: applier.entries, skippedDevices: applier.skippedDevices };
}

async function readArchive(applier: MergeApplier): Promise<void> {
  const reader = new TarReader(applier);
  try {
    for await (const chunk of decompress(process.stdin, 'none', new SizeMeter(DEFAULT_LIMITS)))
      reader.write(chunk);
    reader.finish();
    applier.finish();
  } finally {
    applier.close();
    process.stdin.destroy();
  }
}
