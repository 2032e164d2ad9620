/** Images of archives and directories into the store: `tsrun load`. */

import type { Platform } from '../../spec/image.ts';
import { hostPlatform } from '../../spec/platform.ts';
import { formatReference, parseName, parseReference, qualifyName } from '../../spec/reference.ts';
import { logImageEvent } from '../../store/event-log.ts';
import { danglingReference, type ImageRecord, isDangling } from '../../store/image-record.ts';
import { ImageStore } from '../../store/images.ts';
import type { StoreHooks } from '../../store/layers.ts';
import type { StorePaths } from '../../store/paths.ts';
import type { LayerUnpacker } from '../layer-sink.ts';
import { admission } from '../policy/admit-image.ts';
import type { PolicyIdentity } from '../policy/scopes.ts';
import type { PullListener } from '../pull/events.ts';
import { fetchImage } from '../pull/fetch-image.ts';
import { dockerImages, isLegacyArchive } from './docker-images.ts';
import { archiveError, type FileSet } from './file-set.ts';
import { layoutImage, layoutImages } from './layout-images.ts';
import type { PackagedImage } from './packaged-image.ts';
import { plainImage } from './plain-images.ts';

export interface LoadImagesOptions {
  paths: StorePaths;
  unpacker: LayerUnpacker;
  hooks: StoreHooks;
  platform?: Platform | undefined;
  /** Where they are from, for the policy. */
  identity: PolicyIdentity;
  signaturePolicy?: string | undefined;
  emit: PullListener;
  signal?: AbortSignal | undefined;
}

/** An image of the store and the names it got; none for an image without one. */
export interface LoadedImage {
  record: ImageRecord;
  names: string[];
}

/**
 * What the files hold, in whichever format they are. An archive of docker ≥ 25 is a layout as well, and read as one: its manifests
 * are the original ones. Throws ERR_TSRUN_IMAGE_ARCHIVE, ERR_TSRUN_DOCUMENT.
 */
export async function packagedImages(files: FileSet, platform: Platform): Promise<PackagedImage[]> {
  if (files.size('index.json') !== undefined) {
    return layoutImages(files, platform).map(({ root, names }) =>
      layoutImage(
        files,
        root,
        names.flatMap((name) => fullName(name, 'localhost') ?? []),
      ),
    );
  }
  if (isLegacyArchive(files)) {
    const problem =
      'it is of docker before 1.10, which no current engine reads: load and save it with docker 1.10 to 26';
    throw archiveError(files.label, problem);
  }
  if (files.size('manifest.json') === undefined)
    throw archiveError(files.label, 'it has neither index.json nor manifest.json');
  if (/^\s*\{/.test(files.read('manifest.json').toString('latin1', 0, 100))) return [plainImage(files)];
  const images = await dockerImages(files);
  return images.map((image) => ({
    ...image,
    names: image.names.map((name) => formatReference(parseReference(name))),
  }));
}

/** A layout may call its images whatever it likes (`latest`); what is no image name is none. */
function fullName(written: string, registry: string): string | undefined {
  try {
    return formatReference(qualifyName(parseName(written), registry));
  } catch {
    return undefined;
  }
}

/** Takes one image into the store, under all its names. Throws what fetchImage() throws. */
export async function loadImage(options: LoadImagesOptions, image: PackagedImage): Promise<LoadedImage> {
  const { paths, unpacker, hooks, platform, identity, emit, signal } = options;
  const store = new ImageStore(paths);
  const [first, ...more] = image.names;
  const record = await fetchImage({
    paths,
    hooks,
    source: image.source,
    unpacker,
    reference: first ?? danglingReference(image.digest),
    digest: image.digest,
    platform: platform ?? hostPlatform(process.arch),
    isPlatformExplicit: platform !== undefined,
    admit: admission({ identity }, { file: options.signaturePolicy }),
    emit,
    signal,
  });
  for (const name of more) store.put({ ...record, reference: name });
  logImageEvent(paths, 'loadfromarchive', record.imageId, first ?? '');
  if (first !== undefined) return { record, names: image.names };
  return { record: withoutName(store, record), names: [] };
}

/** An image without a name is called by its id, and that only if it has no other name. */
function withoutName(store: ImageStore, record: ImageRecord): ImageRecord {
  const unnamed = { ...record, reference: danglingReference(record.imageId) };
  const named = store.namesOf(record).find((image) => !isDangling(image));
  if (named === undefined) store.put(unnamed);
  if (named !== undefined || unnamed.reference !== record.reference) store.forget(record.reference);
  return named ?? unnamed;
}
