/** Images to places of this machine: `oci:`, `oci-archive:`, `docker-archive:` and `dir:`, as `copy` and `push` name them. */
import { accessSync, constants, existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { tsrunError } from '../errors.ts';
import { type FileSink, isUnused, toUnusedDirectory, writing } from '../image/archive/file-sink.ts';
import { LayoutSink, requireLayoutPlace } from '../image/archive/layout-sink.ts';
import { type ImageToSave, saveForDocker, saveLayout, savePlain } from '../image/archive/save-images.ts';
import { TarSink } from '../image/archive/tar-sink.ts';
import type { LocalPlace } from '../image/archive/transport.ts';
import type { PullListener } from '../image/pull/events.ts';
import { formatReference, parseReference } from '../spec/reference.ts';
import type { ImageRecord } from '../store/image-record.ts';
import type { StorePaths } from '../store/paths.ts';
import { openNewFile } from '../sys/new-file.ts';

/** Asked before anything is fetched. Throws ERR_TSRUN_USAGE where there is something else already, ERR_TSRUN_OUTPUT_FILE. */
export function requireRoom({ transport, path }: LocalPlace): void {
  if (transport === 'dir' && !isUnused(path))
    throw tsrunError('ERR_TSRUN_USAGE', {
      problem: `the directory ${path} is not empty`,
      hint: `ls -A ${path}   # choose another, or remove what is there`,
    });
  if (transport === 'oci') requireLayoutPlace(path);
  if (transport === 'oci-archive' || transport === 'docker-archive') requireNewFile(path);
}

/** Throws what toNewFile() would throw once everything is fetched. */
function requireNewFile(path: string): void {
  if (existsSync(path))
    throw tsrunError('ERR_TSRUN_USAGE', {
      problem: `the file ${path} is there already`,
      hint: `ls -l ${path}   # choose another name, or remove it`,
    });
  writing(path, () => accessSync(dirname(path), constants.W_OK));
}

/** A name that was asked for is kept as it is: a layout's may be a mere tag. Otherwise the image keeps the one it has. */
export const layoutName = ({ name }: LocalPlace, known: string | undefined): string | undefined =>
  name ?? known;

/** A directory gets the image besides those that it has. */
export async function toLayout(
  place: LocalPlace,
  onEvent: PullListener,
  write: (sink: FileSink) => Promise<void>,
): Promise<void> {
  const { transport, path } = place;
  if (transport !== 'oci') return await toNewFile(path, write);
  const onWait = (): void =>
    onEvent({ type: 'warning', text: `another process writes to ${path}: waiting for it` });
  using sink = await LayoutSink.open(path, onWait);
  await write(sink);
}

/** An archive that is whole, or is not there. */
async function toNewFile(path: string, write: (sink: TarSink) => Promise<void>): Promise<void> {
  using file = writing(path, () => openNewFile(path));
  await write(new TarSink(file.fd));
  writing(path, () => file.keep('refuse'));
}

/**
 * Writes an image whose blobs are in the store.
 * @param known what the image is called when `place` does not say
 * @throws ERR_TSRUN_OUTPUT_FILE, and what the store throws for what it has lost
 */
export async function writeImage(
  paths: StorePaths,
  record: ImageRecord,
  place: LocalPlace,
  known: string | undefined,
  onEvent: PullListener,
): Promise<void> {
  const { transport, path } = place;
  const images = (name: string | undefined): ImageToSave[] => [
    { record, names: name === undefined ? [] : [name] },
  ];
  if (transport === 'dir') return await toUnusedDirectory(path, (sink) => savePlain(paths, record, sink));
  if (transport === 'docker-archive') {
    // docker wants full names.
    const name = place.name === undefined ? known : formatReference(parseReference(place.name));
    return await toNewFile(path, (sink) => saveForDocker(paths, images(name), sink));
  }
  await toLayout(place, onEvent, (sink) => saveLayout(paths, images(layoutName(place, known)), sink));
}
