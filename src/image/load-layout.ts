/**
 * Images that come with tsrun, as OCI image layouts (image-spec image-layout.md): a directory with `oci-layout`, `index.json`, `blobs/`.
 * They are as trusted as tsrun itself, so no policy is asked. The bytes go the same way as those of a registry, and are verified as strictly.
 */
import type { Descriptor, Platform } from '../spec/image.ts';
import { hostPlatform } from '../spec/platform.ts';
import { formatReference, parseReference } from '../spec/reference.ts';
import type { ImageRecord } from '../store/image-record.ts';
import { DEFAULT_STORE_HOOKS, type StoreHooks } from '../store/layers.ts';
import type { StorePaths } from '../store/paths.ts';
import { archiveError, directoryFiles, type FileSet } from './archive/file-set.ts';
import { layoutEntries, layoutImage } from './archive/layout-images.ts';
import { annotatedName } from './archive/layout-index.ts';
import type { LayerUnpacker } from './layer-sink.ts';
import type { PullListener } from './pull/events.ts';
import { ADMIT_OWN, fetchImage } from './pull/fetch-image.ts';

export interface LoadOptions {
  paths: StorePaths;
  /** The layout's directory. */
  directory: string;
  unpacker: LayerUnpacker;
  hooks?: StoreHooks;
  /** The name to give the image, or to choose one of several by; the layout's own annotation otherwise. */
  name?: string | undefined;
  platform?: Platform | undefined;
  onEvent?: PullListener | undefined;
  signal?: AbortSignal | undefined;
}

/** Several entries may be one image for several platforms, which is what an index is; different names are different images. */
function chooseEntry(files: FileSet, entries: Descriptor[], name: string | undefined): Descriptor {
  const [first] = entries;
  if (first === undefined) throw archiveError(files.label, 'it holds no image');
  if (entries.length === 1) return first;
  const named = entries.filter((entry) => name !== undefined && annotatedName(entry) === name);
  if (named.length === 1 && named[0] !== undefined) return named[0];
  const names = entries.map((entry) => annotatedName(entry) ?? entry.digest);
  throw archiveError(files.label, `it holds several images, say which one: ${names.join(', ')}`);
}

/** Takes an image of a layout into the store. Throws ERR_TSRUN_IMAGE_ARCHIVE, ERR_TSRUN_DOCUMENT when the layout is not one, and what fetchImage() throws. */
export async function loadLayout(options: LoadOptions): Promise<ImageRecord> {
  const { directory, paths, unpacker, signal } = options;
  using files = directoryFiles(directory, 'image layout');
  const root = chooseEntry(files, layoutEntries(files), options.name);
  const name = options.name ?? annotatedName(root);
  if (name === undefined) throw archiveError(files.label, 'its image has no name, and none was given');
  const reference = parseReference(name);
  const emit: PullListener = options.onEvent ?? (() => {});
  return await fetchImage({
    paths,
    hooks: options.hooks ?? DEFAULT_STORE_HOOKS,
    source: layoutImage(files, root, [name]).source,
    unpacker,
    reference: formatReference(reference),
    digest: root.digest,
    platform: options.platform ?? hostPlatform(process.arch),
    isPlatformExplicit: options.platform !== undefined,
    admit: ADMIT_OWN,
    emit,
    signal,
  });
}
