/**
 * Images mounted to be looked at, in `tsrun unshare`: `tsrun image mount`.
 *
 * Only there may a mount be made, and be seen: in the user and mount namespaces of the containers. It is read-only, and stays until it is
 * unmounted or the namespaces end, with the last process in them.
 */

import { mkdirSync, readFileSync, rmdirSync } from 'node:fs';
import { tsrunError } from '../errors.ts';
import { bindView } from '../rootfs/copy.ts';
import { rootfsDriver } from '../rootfs/drivers.ts';
import { logImageEvent } from '../store/event-log.ts';
import type { ImageRecord } from '../store/image-record.ts';
import { imageMountpoint, imageMounts, layerDiff, type StorePaths } from '../store/paths.ts';
import { call } from '../sys/calls.ts';
import { MNT_DETACH } from '../sys/constants.ts';
import { nativeRunner, SyscallFailure, systemWords } from '../sys/run.ts';
import { Slots, type Step } from '../sys/step.ts';

/** Is this process root of a user namespace in which it is somebody else outside? */
function isInside(): boolean {
  const [inside, outside] = readFileSync('/proc/self/uid_map', 'latin1').trim().split(/\s+/);
  return process.getuid?.() === 0 && inside === '0' && outside !== '0';
}

/** Throws ERR_TSRUN_UNSHARE with the line to paste, unless this runs in `tsrun unshare`. */
export function requireInside(command: string, paste: string): void {
  if (!isInside()) throw tsrunError('ERR_TSRUN_UNSHARE', { command, paste });
}

/** Mount points below `directory`, as this process sees them. */
function mountsBelow(directory: string): Set<string> {
  const points = readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .map((line) =>
      (line.split(' ')[4] ?? '').replace(/\\([0-7]{3})/g, (_, octal: string) =>
        String.fromCharCode(Number.parseInt(octal, 8)),
      ),
    );
  return new Set(points.filter((point) => point.startsWith(`${directory}/`)));
}

/** Where the image is mounted; undefined when it is not. */
export function mountpointOf(paths: StorePaths, record: ImageRecord): string | undefined {
  const path = imageMountpoint(paths, record.imageId);
  return mountsBelow(imageMounts(paths)).has(path) ? path : undefined;
}

/** Mounts the image's tree unless it is mounted; returns where. Throws ERR_TSRUN_STORE. */
export function mountImage(paths: StorePaths, record: ImageRecord): string {
  const mountpoint = imageMountpoint(paths, record.imageId);
  mkdirSync(mountpoint, { recursive: true, mode: 0o700 });
  const directories = record.layers.map(({ chainId }) => layerDiff(paths, chainId)).reverse();
  const [only] = directories;
  if (only === undefined || mountpointOf(paths, record) !== undefined) return mountpoint;
  run(`mount image ${record.reference}`, (slots) =>
    directories.length === 1
      ? bindView(only, mountpoint)
      : // by the kernel in any case: a FUSE server would have to stay, and would be nobody's child
        rootfsDriver('overlay').view(slots, { directories, mountpoint }),
  );
  logImageEvent(paths, 'mount', record.imageId, record.reference);
  return mountpoint;
}

/** Unmounts the image, if it is mounted. @param force even while something in it is in use. Throws ERR_TSRUN_STORE. */
export function unmountImage(paths: StorePaths, record: ImageRecord, force: boolean): void {
  const mountpoint = imageMountpoint(paths, record.imageId);
  const args = [mountpoint, force ? MNT_DETACH : 0];
  if (mountpointOf(paths, record) !== undefined) {
    run(`unmount image ${record.reference}`, () => [
      call('rootless', 'it has been looked at', 'umount2', args),
    ]);
    logImageEvent(paths, 'unmount', record.imageId, record.reference);
  }
  try {
    rmdirSync(mountpoint);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'ENOENT' && code !== 'EBUSY') throw error; // busy: mounted in another namespace of this kind
  }
}

function run(doing: string, steps: (slots: Slots) => readonly Step[]): void {
  const slots = new Slots();
  try {
    nativeRunner.run({ slots, steps: steps(slots) });
  } catch (error) {
    if (!(error instanceof SyscallFailure)) throw error;
    throw tsrunError('ERR_TSRUN_STORE', { doing }, systemWords(error.step, error.errno));
  }
}
