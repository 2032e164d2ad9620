/** `tsrun copy`: an image from one place to another; the store is not asked, and keeps nothing but for the time of the copy. */
import { closeSync, openSync, rmSync } from 'node:fs';
import { tsrunError } from '../errors.ts';
import { type FileSink, isUnused, toUnusedDirectory, writing } from '../image/archive/file-sink.ts';
import { LayoutSink, requireLayoutPlace } from '../image/archive/layout-sink.ts';
import { type ImageToSave, saveForDocker, saveLayout, savePlain } from '../image/archive/save-images.ts';
import { TarSink } from '../image/archive/tar-sink.ts';
import { type LocalPlace, parseLocalPlace } from '../image/archive/transport.ts';
import { fetchParts } from '../image/copy-image.ts';
import { fetchIndex, type IndexInTransit } from '../image/copy-index.ts';
import { admission } from '../image/policy/admit-image.ts';
import type { PullListener } from '../image/pull/events.ts';
import type { RegistryAccess } from '../registry/access.ts';
import type { Digest } from '../spec/image.ts';
import { formatReference, parseReference } from '../spec/reference.ts';
import { logImageEvent } from '../store/event-log.ts';
import type { ImageRecord } from '../store/image-record.ts';
import type { Engine } from './open-engine.ts';
import { openSource, REGISTRY } from './open-source.ts';

export interface CopyImageOptions {
  platform?: string | undefined;
  /** All platforms, with their index. */
  all?: boolean | undefined;
  access: RegistryAccess;
  signaturePolicy?: string | undefined;
  onEvent: PullListener;
}

/**
 * @param from and `to` with their transports. @returns the digest of the manifest
 * @throws ERR_TSRUN_USAGE for what is no place, ERR_TSRUN_OUTPUT_FILE, ERR_TSRUN_REGISTRY_…, ERR_TSRUN_IMAGE_ARCHIVE, …
 */
export async function copyImage(
  engine: Engine,
  from: string,
  to: string,
  options: CopyImageOptions,
): Promise<Digest> {
  const target = parseTarget(to);
  await using opened = await openSource(engine.paths, from, options);
  if (opened === undefined) throw noPlace(from);
  const { source, names, label, platform } = opened;
  const admit = admission(opened, { file: options.signaturePolicy });
  const transit = {
    paths: engine.paths,
    source,
    name: names[0],
    label,
    platform,
    admit,
    emit: options.onEvent,
  };
  using index = options.all ? await fetchIndex(transit) : undefined;
  if (index !== undefined) {
    await writeIndex(engine, index, target, names[0], options);
    const pushed = target.kind === 'registry' && formatReference(parseReference(target.name));
    logImageEvent(engine.paths, pushed ? 'push' : 'save', index.digest, pushed || (names[0] ?? label));
    return index.digest;
  }
  using image = await fetchParts(transit);
  if (target.kind === 'registry') {
    const { pushImage } = await import('../image/push/push-image.ts');
    const { access, onEvent } = options;
    return await pushImage({
      ...access,
      paths: engine.paths,
      record: image.record,
      destination: parseReference(target.name),
      onEvent,
    });
  }
  await write(engine, image.record, target.place, names[0], options.onEvent);
  return image.record.manifestDigest;
}

type Target = { kind: 'registry'; name: string } | { kind: 'place'; place: LocalPlace };

function parseTarget(text: string): Target {
  if (text.startsWith(REGISTRY)) return { kind: 'registry', name: text.slice(REGISTRY.length) };
  const place = parseLocalPlace(text);
  if (place === undefined) throw noPlace(text);
  const { transport, path } = place;
  if (transport === 'dir' && !isUnused(path))
    throw tsrunError('ERR_TSRUN_USAGE', { problem: `the directory ${path} is not empty` });
  if (transport === 'oci') requireLayoutPlace(path);
  return { kind: 'place', place };
}

const noPlace = (text: string): Error =>
  tsrunError('ERR_TSRUN_USAGE', {
    problem: `"${text}" does not say where: it begins with no transport`,
    hint: `tsrun copy docker://${text} oci:DIRECTORY   # or oci-archive:FILE, docker-archive:FILE, dir:DIRECTORY`,
  });

async function writeIndex(
  engine: Engine,
  index: IndexInTransit,
  target: Target,
  known: string | undefined,
  { access, onEvent }: CopyImageOptions,
): Promise<void> {
  const { paths } = engine;
  if (target.kind === 'registry') {
    const { pushDocuments } = await import('../image/push/push-image.ts');
    const documents = [...index.manifests, { ...index, parts: [] }];
    const destination = parseReference(target.name);
    return await pushDocuments({ ...access, paths, label: target.name, destination, documents, onEvent });
  }
  const { place } = target;
  const { transport, path } = place;
  if (transport === 'docker-archive')
    throw tsrunError('ERR_TSRUN_USAGE', {
      problem: 'a docker-archive holds no index: it is for one platform',
      hint: `--platform linux/amd64, or oci-archive:${path}`,
    });
  const { saveIndexLayout, saveIndexPlain } = await import('../image/archive/save-index.ts');
  if (transport === 'dir') return await toUnusedDirectory(path, (sink) => saveIndexPlain(paths, index, sink));
  const name = layoutName(place, known);
  await toLayout(place, onEvent, (sink) => saveIndexLayout(paths, index, name, sink));
}

/** A name that was asked for is kept as it is: a layout's may be a mere tag. Otherwise the image keeps the one it has. */
const layoutName = ({ name }: LocalPlace, known: string | undefined): string | undefined => name ?? known;

/** A directory gets the image besides those that it has. */
async function toLayout(
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
  const fd = writing(path, () => openSync(path, 'wx'));
  try {
    await write(new TarSink(fd));
  } catch (error) {
    rmSync(path);
    throw error;
  } finally {
    closeSync(fd);
  }
}

async function write(
  { paths }: Engine,
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
