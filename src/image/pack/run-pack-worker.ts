/**
 * The packer: the process that reads a tree and writes it as an archive. Started inside the rootless namespaces, perhaps in a mount
 * namespace of its own where the tree is mounted; then it changes its root to the tree, and nothing is loaded after that.
 */
import * as fs from 'node:fs';
import { describeError } from '../unpack/worker-protocol.ts';
import { ArchiveOutput } from './archive-output.ts';
import { nativePackHost, type PackHost } from './host.ts';
import { cannotPack } from './pack-error.ts';
import { ARCHIVE_FD, type PackAnswer, type PackJob, type PackResult, RESULT_FD } from './pack-job.ts';
import { TreePacker } from './pack-tree.ts';

/** Does the job in `json`; returns the exit status. */
export function runPackWorker(json: string, host: PackHost = nativePackHost): number {
  let answer: PackAnswer;
  try {
    answer = { ok: true, result: pack(JSON.parse(json) as PackJob, host) };
  } catch (error) {
    answer = { ok: false, error: describeError(error) };
  }
  fs.writeSync(RESULT_FD, `${JSON.stringify(answer)}\n`);
  return answer.ok ? 0 : 1;
}

function pack(job: PackJob, host: PackHost): PackResult {
  const output = new ArchiveOutput(ARCHIVE_FD, job.digest);
  host.enterRoot(job.root);
  const name = enterParent(job, host);
  return new TreePacker(host, output, job).pack(name);
}

/** Goes to the directory that `path` is in; returns the name there. Links on the way stay inside: this process has no other root. */
function enterParent({ path, follow }: PackJob, host: PackHost): string {
  try {
    const real = follow ? fs.realpathSync(Buffer.from(path, 'latin1'), 'latin1') : path;
    const clean = `/${real}`.replace(/\/+$/, '');
    const slash = clean.lastIndexOf('/');
    const name = clean.slice(slash + 1);
    const isDirectory = name === '' || name === '.' || name === '..' || real.endsWith('/');
    host.enter(isDirectory ? `${clean}/` : clean.slice(0, slash + 1));
    return isDirectory ? '.' : name;
  } catch (error) {
    throw cannotPack(path, error);
  }
}
