/** What `inspect` says of an image that is elsewhere. Nothing of it is put into the store. */
import { fetchDocuments, fetchRoot } from '../image/pull/fetch-documents.ts';
import { type RemoteImage, readRemoteImage } from '../image/remote-image.ts';
import { BlobStore } from '../store/blobs.ts';
import type { Engine } from './open-engine.ts';
import { type OpenedSource, openSource, type SourceOptions } from './open-source.ts';

export interface ImageElsewhere extends RemoteImage {
  /** Full references. */
  names: string[];
}

async function opened({ paths }: Engine, name: string, options: SourceOptions): Promise<OpenedSource> {
  const source = await openSource(paths, name, options);
  if (source === undefined) throw new Error(`${name} is no place`);
  return source;
}

/** @param name with its transport. @throws what {@link openSource} and {@link readRemoteImage} throw */
export async function lookAtImage(
  engine: Engine,
  name: string,
  options: SourceOptions,
): Promise<ImageElsewhere> {
  await using place = await opened(engine, name, options);
  const { source, label, platform, names } = place;
  return { ...(await readRemoteImage(engine.paths, source, label, platform)), names };
}

/**
 * What the name means, as it is: an index, or a manifest; with `options.platform` the manifest for that. Nothing else is fetched, so that an
 * index can be looked at that has nothing for this machine. Throws as {@link lookAtImage} does.
 */
export async function readRaw(engine: Engine, name: string, options: SourceOptions): Promise<string> {
  await using place = await opened(engine, name, options);
  const { source, label, platform } = place;
  if (options.platform === undefined) return textOf(await fetchRoot(source, label));
  const query = { reference: label, platform, digest: undefined };
  const { documents } = await fetchDocuments(source, new BlobStore(engine.paths), query);
  return textOf(documents.at(-1));
}

const textOf = (document?: { bytes: Uint8Array }): string =>
  Buffer.from(document?.bytes ?? []).toString('utf8');
