/**
 * volumes/<name>/{volume.json,_data}: a volume is a directory that appears by one rename, complete, and goes by one. `volume.json` says
 * how it was asked for; its content is the user's.
 */

import { chmodSync, existsSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { tsrunError } from '../errors.ts';
import { makeDirectories } from '../sys/make-directories.ts';
import { writeDurably } from './atomic-write.ts';
import { logEvent } from './event-log.ts';
import { type StorePaths, volumeData, volumeDirectory, volumeRecord, volumesDirectory } from './paths.ts';
import { temporaryPath } from './temporary.ts';

export interface VolumeRecord {
  name: string;
  /** Made for one container, which did not name it. */
  anonymous: boolean;
  /** RFC 3339 */
  createdAt: string;
  labels: Record<string, string>;
  /** `--opt`: as written. Only `type=none`, `o=bind,…`, `device=PATH`, which is a path of the host under a volume's name. */
  options: Record<string, string>;
}

/** How a new volume is to be. */
export type VolumeRequest = Omit<VolumeRecord, 'createdAt'>;

const NAME = /^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/;

/** The record of the volume `name`; undefined when there is none. A damaged record counts as one that says nothing. */
export function readVolume(paths: StorePaths, name: string): VolumeRecord | undefined {
  if (!NAME.test(name)) return undefined;
  const directory = volumeDirectory(paths, name);
  const stat = statSync(directory, { throwIfNoEntry: false });
  if (!stat?.isDirectory()) return undefined;
  let written: Partial<VolumeRecord> = {};
  try {
    written = JSON.parse(readFileSync(volumeRecord(paths, name), 'utf8')) as Partial<VolumeRecord>;
  } catch {
    // torn by a power cut: the data is there all the same
  }
  const { anonymous = false, createdAt = stat.birthtime.toISOString(), labels = {}, options = {} } = written;
  return { name, anonymous, createdAt, labels, options };
}

/** All volumes, by name. */
export function listVolumes(paths: StorePaths): VolumeRecord[] {
  if (!existsSync(volumesDirectory(paths))) return [];
  return readdirSync(volumesDirectory(paths))
    .sort()
    .flatMap((name) => readVolume(paths, name) ?? []);
}

/** Where its files are: its own directory, or the path of the host that its options name. */
export const volumeSource = (paths: StorePaths, volume: Pick<VolumeRecord, 'name' | 'options'>): string =>
  volume.options.device ?? volumeData(paths, volume.name);

/** Mount options that every use of the volume has: of `o=bind,ro` the `ro`. */
export const volumeMountOptions = (volume: Pick<VolumeRecord, 'options'>): string[] =>
  (volume.options.o ?? '').split(',').filter((option) => option !== '' && option !== 'bind');

/** Makes a volume. Two makers at once get one volume. @returns false when there was one of that name */
export function createVolume(paths: StorePaths, request: VolumeRequest): boolean {
  const final = volumeDirectory(paths, request.name);
  if (existsSync(final)) return false;
  const making = temporaryPath(paths, 'volume');
  makeDirectories(`${making}/_data`);
  chmodSync(`${making}/_data`, 0o755); // whatever the umask is: other users of a container go in there
  writeDurably(
    `${making}/volume.json`,
    JSON.stringify({ ...request, createdAt: new Date().toISOString() } satisfies VolumeRecord),
  );
  makeDirectories(volumesDirectory(paths), 0o700);
  try {
    renameSync(making, final);
    logEvent(paths, { status: 'create', type: 'volume', name: request.name });
    return true;
  } catch (error) {
    if (!existsSync(final)) throw error; // else: somebody made it meanwhile
    rmSync(making, { recursive: true, force: true });
    return false;
  }
}

/** The volume that a name, or the only one that its beginning means. @throws ERR_TSRUN_VOLUME_UNKNOWN */
export function findVolume(paths: StorePaths, name: string): VolumeRecord {
  const exact = readVolume(paths, name);
  if (exact) return exact;
  const matches = name === '' ? [] : listVolumes(paths).filter((volume) => volume.name.startsWith(name));
  const [only] = matches;
  if (!only || matches.length > 1) throw tsrunError('ERR_TSRUN_VOLUME_UNKNOWN', { name });
  return only;
}
