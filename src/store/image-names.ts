/**
 * Which image of the store a name means.
 *
 * A full name is one file. A short name is first docker.io's, then localhost's; only when neither is there are the others looked
 * through, and a single one that ends in the same path is meant. Ids and their prefixes come last, so that an image called
 * `cafe` is not hidden by an id.
 */
import { tsrunError } from '../errors.ts';
import { digestHex, isIdPrefix } from '../spec/digest.ts';
import type { Digest } from '../spec/image.ts';
import {
  DEFAULT_REGISTRY,
  DEFAULT_TAG,
  formatReference,
  type ParsedName,
  parseName,
  qualifyName,
} from '../spec/reference.ts';
import { type ImageRecord, isDangling } from './image-record.ts';

/** What the lookup needs of the store. */
export interface ImageLookup {
  read(reference: string): ImageRecord | undefined;
  list(): ImageRecord[];
}

const ID = /^(?:sha256:|sha512:)?[0-9a-f]{4,128}$/;

/** Whether it is an id in full, with its algorithm or without: no image has such a name. */
export const isWholeId = (written: string): boolean =>
  /^(?:(?:sha256:)?[0-9a-f]{64}|(?:sha512:)?[0-9a-f]{128})$/.test(written);

/** Images whose id (or whose manifest's digest, in full) starts with what was written; one name of each. */
function findById(written: string, images: ImageRecord[]): ImageRecord[] {
  if (!ID.test(written)) return [];
  const isWhole = (digest: Digest): boolean => digest === written || digestHex(digest) === written;
  const found = new Map<Digest, ImageRecord>();
  for (const image of images) {
    const matches =
      isIdPrefix(written, image.imageId) || isWhole(image.manifestDigest) || isWhole(image.digest);
    if (matches && !found.has(image.imageId)) found.set(image.imageId, image);
  }
  return [...found.values()];
}

/** Images whose name ends in the path that was written, with the same tag or digest. */
function findByPath(name: ParsedName, images: ImageRecord[]): ImageRecord[] {
  return images.filter((image) => {
    if (isDangling(image)) return false;
    const have = parseName(image.reference);
    if (have.path !== name.path && !have.path.endsWith(`/${name.path}`)) return false;
    if (name.registry !== undefined && have.registry !== name.registry) return false;
    if (name.digest !== undefined)
      return image.digest === name.digest || image.manifestDigest === name.digest;
    return have.tag === (name.tag ?? DEFAULT_TAG);
  });
}

function onlyOne(written: string, found: ImageRecord[]): ImageRecord | undefined {
  if (found.length <= 1) return found[0];
  const candidates = found.map((image) => image.reference);
  throw tsrunError('ERR_TSRUN_IMAGE_AMBIGUOUS', { name: written, candidates });
}

/** An image of another name with the digest that was written: pulled by tag, wanted by digest. */
function findByDigest(name: ParsedName, images: ImageRecord[]): ImageRecord | undefined {
  const { repository, registry } = qualifyName(name, DEFAULT_REGISTRY);
  const exact: ParsedName = { ...name, registry, path: repository };
  return findByPath(exact, images).find((image) => parseName(image.reference).path === repository);
}

/** The image that `written` means; undefined when there is none. Throws ERR_TSRUN_REFERENCE or ERR_TSRUN_IMAGE_AMBIGUOUS. */
export function resolveImageName(written: string, store: ImageLookup): ImageRecord | undefined {
  if (isWholeId(written)) return onlyOne(written, findById(written, store.list()));
  const name = parseName(written);
  const registries = name.registry === undefined ? [DEFAULT_REGISTRY, 'localhost'] : [name.registry];
  for (const registry of registries) {
    const image = store.read(formatReference(qualifyName(name, registry)));
    if (image !== undefined) return image;
  }
  if (name.registry !== undefined && name.digest === undefined) return undefined;
  const images = store.list();
  if (name.digest !== undefined) {
    const image = findByDigest(name, images);
    if (image !== undefined || name.registry !== undefined) return image;
  }
  return onlyOne(written, findByPath(name, images)) ?? onlyOne(written, findById(written, images));
}
