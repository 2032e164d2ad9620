/**
 * The worker: the process that unpacks one layer. It is started inside the rootless namespaces, where it is root over the user's ids only.
 *
 * Order: read the job and everything that /proc says, load the native part, open the layers below; then chroot into the layer's
 * directory, after which no path leads anywhere else; then read the archive from stdin. Nothing is loaded after the chroot.
 * The answer is one line of JSON on fd 3, whether it went well or not; the exit status says the same.
 */
import * as fs from 'node:fs';
import type { ApplyOptions } from './apply-layer.ts';
import type { UnpackHost } from './host.ts';
import type { Lower } from './lower-view.ts';
import { nativeHost } from './native-host.ts';
import { type Ownership, parseIdMap } from './owner.ts';
import { unpackLayer } from './unpack-layer.ts';
import { describeError, RESULT_FD, type UnpackJob, type WorkerAnswer } from './worker-protocol.ts';

/** Does the job in `json`; returns the exit status. */
export async function runUnpackWorker(json: string, host: UnpackHost = nativeHost): Promise<number> {
  let answer: WorkerAnswer;
  try {
    const job = JSON.parse(json) as UnpackJob;
    const options = enterLayer(job, host);
    const result = await unpackLayer(process.stdin, job.compression, options);
    if (job.sync) syncRoot(host);
    answer = { ok: true, result };
  } catch (error) {
    answer = { ok: false, error: describeError(error) };
  }
  fs.writeSync(RESULT_FD, `${JSON.stringify(answer)}\n`);
  return answer.ok ? 0 : 1;
}

/** Everything that needs the host's paths, and the chroot that ends them. */
function enterLayer(job: UnpackJob, host: UnpackHost): ApplyOptions {
  process.umask(0);
  const ownership: Ownership = job.singleUid
    ? { kind: 'single' }
    : {
        kind: 'mapped',
        uids: parseIdMap(fs.readFileSync('/proc/self/uid_map', 'latin1')),
        gids: parseIdMap(fs.readFileSync('/proc/self/gid_map', 'latin1')),
      };
  const lowers = job.lowers.map(openLower);
  process.stdin.pause(); // loads the stream of its kind, which is a file of Node's own, while there is a root
  host.enterRoot(job.diffDirectory);
  fs.chmodSync('/', 0o700); // a setgid bit of the store's directory would be passed on to every file
  return { host, lowers, ownership, limits: job.limits };
}

function openLower(directory: string): Lower {
  const { O_DIRECTORY, O_RDONLY } = fs.constants;
  return {
    fd: fs.openSync(directory, O_RDONLY | O_DIRECTORY),
    names: fs.readdirSync(directory, 'latin1'),
  };
}

function syncRoot(host: UnpackHost): void {
  const root = fs.openSync('/', fs.constants.O_RDONLY);
  try {
    host.syncFileSystem(root);
  } finally {
    fs.closeSync(root);
  }
}
