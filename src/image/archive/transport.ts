/**
 * Images at places of this machine, named as skopeo and podman name them (containers-transports(5)):
 *
 *     oci:DIRECTORY[:NAME]   oci-archive:FILE[:NAME]   docker-archive:FILE[:NAME]   dir:DIRECTORY
 */
import { basename, resolve } from 'node:path';
import type { Platform } from '../../spec/image.ts';
import { choosePlatform } from '../../spec/platform.ts';
import { formatReference, parseName, parseReference, qualifyName } from '../../spec/reference.ts';
import type { StorePaths } from '../../store/paths.ts';
import { dockerImages, isLegacyArchive } from './docker-images.ts';
import { archiveError, directoryFiles, type FileSet } from './file-set.ts';
import { layoutEntries, layoutImage } from './layout-images.ts';
import { annotatedName, namesOf } from './layout-index.ts';
import { openArchive } from './open-archive.ts';
import type { PackagedImage } from './packaged-image.ts';
import { plainImage } from './plain-images.ts';

export const LOCAL_TRANSPORTS = ['oci', 'oci-archive', 'docker-archive', 'dir'] as const;
export type LocalTransport = (typeof LOCAL_TRANSPORTS)[number];

export interface LocalPlace {
  transport: LocalTransport;
  path: string;
  /** Which of several images. */
  name: string | undefined;
}

/** What `text` names; undefined when it names no place of this machine. The path ends at its first colon; that of `dir:` has none after it. */
export function parseLocalPlace(text: string): LocalPlace | undefined {
  const [, transport, rest = ''] = /^(oci|oci-archive|docker-archive|dir):(.+)$/s.exec(text) ?? [];
  const known = LOCAL_TRANSPORTS.find((name) => name === transport);
  if (known === undefined) return undefined;
  const colon = known === 'dir' ? -1 : rest.indexOf(':');
  if (colon === -1) return { transport: known, path: rest, name: undefined };
  return { transport: known, path: rest.slice(0, colon), name: rest.slice(colon + 1) || undefined };
}

export interface OpenedPlace extends Disposable {
  image: PackagedImage;
}

/** The one image that a place names. Throws ERR_TSRUN_IMAGE_ARCHIVE, ERR_TSRUN_DOCUMENT, ERR_TSRUN_INPUT_FILE. */
export async function openLocalPlace(
  paths: StorePaths,
  place: LocalPlace,
  platform: Platform,
): Promise<OpenedPlace> {
  const isDirectory = place.transport === 'oci' || place.transport === 'dir';
  const files = isDirectory
    ? directoryFiles(place.path, place.transport === 'oci' ? 'image layout' : 'directory')
    : await openArchive(paths, place.path);
  try {
    const image = await imageAt(files, place, platform);
    return { image, [Symbol.dispose]: () => files[Symbol.dispose]() };
  } catch (error) {
    files[Symbol.dispose]();
    throw error;
  }
}

async function imageAt(files: FileSet, place: LocalPlace, platform: Platform): Promise<PackagedImage> {
  switch (place.transport) {
    case 'dir':
      return plainImage(files);
    case 'docker-archive':
      return await dockerImageAt(files, place.name);
    case 'oci':
    case 'oci-archive':
      return layoutImageAt(files, place, platform);
  }
}

async function dockerImageAt(files: FileSet, name: string | undefined): Promise<PackagedImage> {
  if (isLegacyArchive(files))
    throw archiveError(files.label, 'it is of docker before 1.10, which no current engine reads');
  const full = (text: string): string => formatReference(parseReference(text));
  const images = (await dockerImages(files)).map((image) => ({ ...image, names: image.names.map(full) }));
  const wanted = name === undefined ? undefined : full(name);
  const found = images.filter(({ names }) => wanted === undefined || names.includes(wanted));
  const image = onlyOne(
    files,
    found,
    name,
    images.flatMap(({ names }) => names),
  );
  return wanted === undefined ? image : { ...image, names: [wanted] };
}

function layoutImageAt(files: FileSet, place: LocalPlace, platform: Platform): PackagedImage {
  const entries = layoutEntries(files);
  // An entry may be asked for by each of its names, and by its digest.
  const found = entries.filter(
    (entry) => place.name === undefined || [...namesOf(entry), entry.digest].includes(place.name),
  );
  const names = entries.map((entry) => annotatedName(entry) ?? entry.digest);
  // Several entries of one name are one image for several platforms.
  const distinct = new Set(found.map((entry) => annotatedName(entry) ?? ''));
  const root =
    found.length > 1 && distinct.size === 1
      ? choosePlatform(files.label, found, platform)
      : onlyOne(files, found, place.name, names);
  const name = storeName(place, annotatedName(root));
  return layoutImage(files, root, name === undefined ? [] : [name]);
}

function onlyOne<T>(
  files: FileSet,
  found: readonly T[],
  name: string | undefined,
  names: readonly string[],
): T {
  const [first, second] = found;
  if (first !== undefined && second === undefined) return first;
  const there = names.length === 0 ? 'images without names' : names.join(', ');
  const problem =
    first === undefined ? `it has no image "${name}"; it has` : 'it holds several images, say which one:';
  throw archiveError(files.label, `${problem} ${there}`);
}

/** A full name is kept; a mere tag, as layouts often have it, becomes one of an image called like the layout. */
function storeName(place: LocalPlace, annotated: string | undefined): string | undefined {
  const name = annotated ?? place.name;
  const file = basename(resolve(place.path))
    .replace(/\.(?:tar|tar\.gz|tgz|tar\.zst)$/, '')
    .toLowerCase();
  const written =
    name?.includes('/') || name?.includes(':') ? name : name === undefined ? file : `${file}:${name}`;
  try {
    return formatReference(qualifyName(parseName(written ?? file), 'localhost'));
  } catch {
    return undefined; // it is an image without a name
  }
}
