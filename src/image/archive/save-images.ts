/**
 * Images of the store as archives and directories: `tsrun save`. Documents and blobs are written as they were pulled, so that digests
 * stay; only docker's own format wants uncompressed layers and has no manifest.
 */

import { digestHex } from '../../spec/digest.ts';
import { parseDocument } from '../../spec/document.ts';
import type { Descriptor, Manifest } from '../../spec/image.ts';
import { OCI_MANIFEST } from '../../spec/media-types.ts';
import { logImageEvent } from '../../store/event-log.ts';
import type { ImageRecord } from '../../store/image-record.ts';
import type { StorePaths } from '../../store/paths.ts';
import type { FileSink } from './file-sink.ts';
import { blobName, endLayout, endPlain, Once } from './layout-files.ts';
import { named } from './layout-index.ts';
import { manifestDescriptor, StoredImage } from './stored-image.ts';

export interface ImageToSave {
  record: ImageRecord;
  /** Full references that go with it. */
  names: string[];
}

const logSave = (paths: StorePaths, { imageId, reference }: ImageRecord): void =>
  logImageEvent(paths, 'save', imageId, reference);

/** `docker save`'s format. Throws ERR_TSRUN_STORE, ERR_TSRUN_MISMATCH for what the store has lost. */
export async function saveForDocker(
  paths: StorePaths,
  images: readonly ImageToSave[],
  sink: FileSink,
): Promise<void> {
  const once = new Once(sink);
  const list: object[] = [];
  for (const { record, names } of images) {
    const stored = new StoredImage(paths, record);
    const config = `${digestHex(record.imageId)}.json`;
    await once.file(config, stored.document(record.imageId));
    const layers = record.layers.map(({ diffId }) => `${digestHex(diffId)}.tar`);
    for (const [i, layer] of record.layers.entries())
      await once.stream(layers[i] ?? '', () => stored.archive(layer));
    list.push({ Config: config, RepoTags: names.filter((name) => !name.includes('@')), Layers: layers });
  }
  await sink.file('manifest.json', JSON.stringify(list));
  await sink.end();
  for (const { record } of images) logSave(paths, record);
}

const manifestOf = (stored: StoredImage): { text: string; manifest: Manifest } => {
  const { manifestDigest, reference } = stored.record;
  const text = stored.document(manifestDigest);
  const document = parseDocument(text, undefined, `the manifest of ${reference}`);
  if (document.kind !== 'manifest') throw new Error(`${manifestDigest} is an index`);
  return { text, manifest: document.manifest };
};

/** An OCI image layout; names are its annotations. Throws as {@link saveForDocker} does. */
export async function saveLayout(
  paths: StorePaths,
  images: readonly ImageToSave[],
  sink: FileSink,
): Promise<void> {
  const once = new Once(sink);
  const entries: Descriptor[] = [];
  for (const { record, names } of images) {
    const stored = new StoredImage(paths, record);
    const { text, manifest } = manifestOf(stored);
    for (const { digest } of [manifest.config, ...manifest.layers])
      await once.stream(blobName(digest), () => stored.blob(digest));
    await once.file(blobName(record.manifestDigest), text);
    const entry = manifestDescriptor(text, record.manifestDigest, manifest.mediaType ?? OCI_MANIFEST);
    entries.push(...(names.length === 0 ? [entry] : names.map((name) => named(entry, name))));
  }
  await endLayout(sink, entries);
  for (const { record } of images) logSave(paths, record);
}

/** skopeo's `dir:`, which has no names and holds one image. Throws as {@link saveForDocker} does. */
export async function savePlain(paths: StorePaths, record: ImageRecord, sink: FileSink): Promise<void> {
  const stored = new StoredImage(paths, record);
  const once = new Once(sink);
  const { text, manifest } = manifestOf(stored);
  for (const { digest } of [manifest.config, ...manifest.layers])
    await once.stream(digestHex(digest), () => stored.blob(digest));
  await endPlain(sink, text);
  logSave(paths, record);
}
