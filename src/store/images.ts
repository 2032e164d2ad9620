/**
 * images/: the names of images, and what hangs on them. One small file for each name; reading is synchronous, because looking up a
 * name is on the way of every start of a container.
 */

import { existsSync, readFileSync, rmSync } from 'node:fs';
import { type ErrorData, TsrunError, tsrunError } from '../errors.ts';
import { parseDocument, parseImageConfig } from '../spec/document.ts';
import type { ImageConfig, Manifest } from '../spec/image.ts';
import { formatReference, type Reference } from '../spec/reference.ts';
import { type PreparedFile, prepareFile, syncDirectory, writeFileAtomic } from './atomic-write.ts';
import { containersUsing } from './container-layers.ts';
import { logImageEvent } from './event-log.ts';
import { fetchAgain } from './fetch-again.ts';
import { isImageMounted } from './image-mounted.ts';
import { resolveImageName } from './image-names.ts';
import {
  danglingReference,
  type ImageRecord,
  isDangling,
  parseImageRecord,
  recordFileName,
} from './image-record.ts';
import { namesIn } from './names-in.ts';
import { blobPath, imageRecordPath, imagesDirectory, layerDiff, type StorePaths } from './paths.ts';

export interface DamagedRecord {
  path: string;
  problem: string;
}

export class ImageStore {
  readonly paths: StorePaths;
  constructor(paths: StorePaths) {
    this.paths = paths;
  }

  /** The image that has exactly this full reference; a damaged record counts as absent, so that pulling heals it. */
  read(reference: string): ImageRecord | undefined {
    const text = readIfPresent(imageRecordPath(this.paths, recordFileName(reference)));
    const record = text === undefined ? undefined : parseImageRecord(text);
    return record?.reference === reference ? record : undefined;
  }

  /** The image that a name, an id or an id prefix means. Throws ERR_TSRUN_REFERENCE or ERR_TSRUN_IMAGE_AMBIGUOUS. */
  resolve(nameOrId: string): ImageRecord | undefined {
    return resolveImageName(nameOrId, this);
  }

  /** All names, in the order of the names. */
  list(): ImageRecord[] {
    return this.survey().images;
  }

  /** All names, and the records that cannot be read. */
  survey(): { images: ImageRecord[]; damaged: DamagedRecord[] } {
    const images: ImageRecord[] = [];
    const damaged: DamagedRecord[] = [];
    for (const fileName of documentNames(imagesDirectory(this.paths))) {
      const path = imageRecordPath(this.paths, fileName);
      const text = readIfPresent(path);
      if (text === undefined) continue;
      const record = parseImageRecord(text);
      if (record === undefined) damaged.push({ path, problem: 'it is not an image record' });
      else images.push(record);
    }
    return { images, damaged };
  }

  /** Throws ERR_TSRUN_STORE when the store has lost it, ERR_TSRUN_DOCUMENT when it is damaged. */
  config(record: ImageRecord): ImageConfig {
    const what = `the config of ${record.reference}`;
    const text = this.#text(record, record.imageId);
    return withRemedy(record, () => parseImageConfig(text, what));
  }

  /** Throws as config() does. */
  manifest(record: ImageRecord): Manifest {
    const what = `the manifest of ${record.reference}`;
    const text = this.#text(record, record.manifestDigest);
    const document = withRemedy(record, () => parseDocument(text, undefined, what));
    if (document.kind === 'manifest') return document.manifest;
    throw tsrunError('ERR_TSRUN_DOCUMENT', { what, problem: 'it is an index' });
  }

  /** What a container needs of the image and the store does not have; empty when all is well. */
  missingParts(record: ImageRecord): string[] {
    const missing = record.layers
      .filter((layer) => !existsSync(layerDiff(this.paths, layer.chainId)))
      .map((layer) => `layer ${layer.chainId}`);
    for (const digest of [record.imageId, record.manifestDigest]) {
      if (!existsSync(blobPath(this.paths, digest))) missing.push(`blob ${digest}`);
    }
    return missing;
  }

  /** Gives an image its name. An image that thereby loses its last name is kept as a dangling one. */
  put(record: ImageRecord): void {
    this.#keepReplaced(record);
    writeFileAtomic(this.paths, this.#pathOf(record), stringify(record));
    if (!isDangling(record)) this.#forget(danglingReference(record.imageId));
  }

  /** Writes the record of an image that is not there yet; putPrepared() is the rest of put(). */
  prepare(record: ImageRecord): PreparedFile {
    return prepareFile(this.paths, this.#pathOf(record), stringify(record));
  }

  async putPrepared(record: ImageRecord, file: PreparedFile): Promise<void> {
    this.#keepReplaced(record);
    await file.publish();
    if (!isDangling(record)) this.#forget(danglingReference(record.imageId));
  }

  #pathOf(record: ImageRecord): string {
    return imageRecordPath(this.paths, recordFileName(record.reference));
  }

  #keepReplaced(record: ImageRecord): void {
    const before = this.read(record.reference);
    if (before !== undefined && before.imageId !== record.imageId) this.#keepDangling(before);
  }

  /** Gives the image another name as well. */
  tag(record: ImageRecord, name: Reference): ImageRecord {
    const tagged = { ...record, reference: formatReference(name) };
    this.put(tagged);
    this.#log('tag', tagged);
    return tagged;
  }

  /** Takes the name away. An image that thereby loses its last name is kept as a dangling one. True if the name was there. */
  untag(reference: string): boolean {
    const record = this.read(reference);
    if (record === undefined) return false;
    if (!isDangling(record)) this.#keepDangling(record);
    const isGone = this.#forget(reference);
    if (isGone) this.#log('untag', record);
    return isGone;
  }

  /** Takes the name away, and keeps nothing: the image goes with the next collection unless it has another. */
  forget(reference: string): boolean {
    return this.#forget(reference);
  }

  /** The records (names) of the same image, this one among them. */
  namesOf(record: ImageRecord): ImageRecord[] {
    return this.list().filter((image) => image.imageId === record.imageId);
  }

  /**
   * Takes away all names of the image. What only it needed goes with the next collectGarbage().
   * Throws ERR_TSRUN_IMAGE_IN_USE when containers are made from it or mount it, ERR_TSRUN_IMAGE_MOUNTED when `image mount` shows it, unless
   * `force`: what containers need stays until they go.
   * Returns the names taken away.
   */
  remove(record: ImageRecord, options: { force?: boolean } = {}): string[] {
    const containers = options.force === true ? [] : containersUsing(this.paths, record);
    if (options.force !== true && isImageMounted(this.paths, record.imageId)) {
      throw tsrunError('ERR_TSRUN_IMAGE_MOUNTED', { reference: record.reference });
    }
    if (containers.length > 0) {
      throw tsrunError('ERR_TSRUN_IMAGE_IN_USE', { reference: record.reference, containers });
    }
    const names = this.namesOf(record).flatMap((image) =>
      this.#forget(image.reference) ? [image.reference] : [],
    );
    for (const reference of names) this.#log('untag', { ...record, reference });
    this.#log('remove', record);
    return names;
  }

  /** What has happened to the image, under the name of `record`, for `tsrun events`. */
  #log(status: string, { imageId, reference }: ImageRecord): void {
    logImageEvent(this.paths, status, imageId, reference);
  }

  #keepDangling(record: ImageRecord): void {
    const names = this.namesOf(record).filter((image) => image.reference !== record.reference);
    if (names.length > 0) return;
    const dangling = { ...record, reference: danglingReference(record.imageId) };
    writeFileAtomic(this.paths, this.#pathOf(dangling), stringify(dangling));
  }

  #forget(reference: string): boolean {
    try {
      rmSync(imageRecordPath(this.paths, recordFileName(reference)));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
      throw error;
    }
    syncDirectory(imagesDirectory(this.paths));
    return true;
  }

  #text(record: ImageRecord, digest: string): string {
    try {
      return readFileSync(blobPath(this.paths, digest), 'utf8');
    } catch (error) {
      const doing = `read ${digest} of image ${record.reference}`;
      throw tsrunError('ERR_TSRUN_STORE', { doing, hint: fetchAgain(record.reference, 'lost') }, error);
    }
  }
}

/** A document that came from a registry as it should be, and is not any more: a pull heals it. */
function withRemedy<T>(record: ImageRecord, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    if (!(error instanceof TsrunError) || error.code !== 'ERR_TSRUN_DOCUMENT') throw error;
    const data = error.data as ErrorData<'ERR_TSRUN_DOCUMENT'>;
    throw tsrunError(error.code, { ...data, hint: fetchAgain(record.reference, 'lost') }, error.cause);
  }
}

function stringify(record: ImageRecord): string {
  return `${JSON.stringify(record, undefined, 2)}\n`;
}

function readIfPresent(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

const documentNames = (path: string): string[] =>
  namesIn(path)
    .filter((name) => name.endsWith('.json'))
    .sort();
