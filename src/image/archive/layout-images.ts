/** The images of an OCI image layout (image-spec image-layout.md), be it a directory or an archive. */
import { parseDocument } from '../../spec/document.ts';
import type { Descriptor, Digest, Index, Platform } from '../../spec/image.ts';
import { choosePlatform } from '../../spec/platform.ts';
import { archiveError, type FileSet } from './file-set.ts';
import { blobName, INDEX } from './layout-files.ts';
import { annotatedName } from './layout-index.ts';
import { fileSource, type PackagedImage } from './packaged-image.ts';

/** index.json. Throws ERR_TSRUN_IMAGE_ARCHIVE, ERR_TSRUN_DOCUMENT. */
export function layoutIndex(files: FileSet): Index {
  const document = parseDocument(files.read(INDEX).toString('utf8'), undefined, `${INDEX} of ${files.label}`);
  if (document.kind !== 'index') throw archiveError(files.label, `its ${INDEX} is a manifest`);
  return document.index;
}

/** Its entries, of which there is one at least; what is there twice counts once. Throws as {@link layoutIndex} does. */
export function layoutEntries(files: FileSet): Descriptor[] {
  const { manifests } = layoutIndex(files);
  if (manifests.length === 0) throw archiveError(files.label, 'it holds no image');
  const distinct = new Map(
    manifests.map((entry) => [`${entry.digest} ${annotatedName(entry) ?? ''}`, entry]),
  );
  return [...distinct.values()];
}

/** One entry as an image. `names` as they are given to it. */
export function layoutImage(files: FileSet, root: Descriptor, names: string[]): PackagedImage {
  const read = (digest: Digest): Buffer => {
    const name = blobName(digest);
    if (files.size(name) === undefined) throw archiveError(files.label, `blob ${digest} is missing`);
    return files.read(name);
  };
  const source = fileSource({
    files,
    document: (digest = root.digest) => ({
      bytes: read(digest),
      contentType: digest === root.digest ? root.mediaType : undefined,
      digest,
    }),
    fileOf: ({ digest }) => (files.size(blobName(digest)) === undefined ? undefined : blobName(digest)),
  });
  return { names, label: `${root.digest} of ${files.label}`, source, digest: root.digest };
}

/**
 * All images of a layout. Entries of one digest are one image of several names; entries of one name (or without any) are one image for
 * several platforms.
 */
export function layoutImages(files: FileSet, platform: Platform): { root: Descriptor; names: string[] }[] {
  const byName = new Map<string, Descriptor[]>();
  for (const entry of layoutEntries(files)) {
    const name = annotatedName(entry) ?? '';
    byName.set(name, [...(byName.get(name) ?? []), entry]);
  }
  const images = new Map<Digest, { root: Descriptor; names: string[] }>();
  for (const [name, entries] of byName) {
    const [only] = entries;
    const root = entries.length === 1 && only ? only : choosePlatform(name || files.label, entries, platform);
    const image = images.get(root.digest) ?? { root, names: [] };
    if (name !== '') image.names.push(name);
    images.set(root.digest, image);
  }
  return [...images.values()];
}
