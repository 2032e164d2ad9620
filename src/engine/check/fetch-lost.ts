/** `system check --repair`: what images have lost, fetched again from where they are from. By digest: a tag may mean another image by now. */
import { fetchParts } from '../../image/copy-image.ts';
import { parsePlatform } from '../../spec/platform.ts';
import { parseReference, repositoryName } from '../../spec/reference.ts';
import { BlobStore } from '../../store/blobs.ts';
import { fetchAgain } from '../../store/fetch-again.ts';
import type { ImageRecord } from '../../store/image-record.ts';
import type { Engine } from '../open-engine.ts';
import { openSource } from '../open-source.ts';
import type { Lost } from './check-blobs.ts';

/** A registry that is away is soon told of: there may be many images. */
const RETRY = { attempts: 2, firstDelayMs: 500, longestDelayMs: 5000 };

/** Fetches what is lost, and tells at each damage how that went. Throws nothing: one image's registry is not another's. */
export async function fetchLost(engine: Engine, lost: Lost): Promise<void> {
  const blobs = new BlobStore(engine.paths);
  for (const image of engine.images.list()) {
    const needed = [
      image.digest,
      image.manifestDigest,
      image.imageId,
      ...image.layers.map((l) => l.blobDigest),
    ];
    const damages = needed.flatMap((digest) => {
      const damage = blobs.has(digest) ? undefined : lost.get(digest);
      return damage === undefined ? [] : [{ digest, damage }];
    });
    if (damages.length === 0 || fetchAgain(image.reference, 'lost') === undefined) continue;
    const failure = await fetchImageAgain(engine, image);
    for (const { digest, damage } of damages) {
      if (blobs.has(digest)) Object.assign(damage, { repaired: 'fetched again', hint: undefined });
      else if (failure !== undefined) damage.problem += `; it could not be fetched: ${failure.message}`;
    }
  }
}

/** What there is of it stays. Returns what kept it from being fetched. */
async function fetchImageAgain(engine: Engine, image: ImageRecord): Promise<Error | undefined> {
  const { paths } = engine;
  const place = `docker://${repositoryName(parseReference(image.reference))}@${image.digest}`;
  const { platform } = image;
  try {
    await using opened = await openSource(paths, place, { platform, access: { retry: RETRY } });
    if (opened === undefined) return undefined;
    using _image = await fetchParts({
      paths,
      source: opened.source,
      name: undefined,
      label: image.reference,
      platform: parsePlatform(platform),
      isPlatformExplicit: false,
      admit: async () => {}, // what was admitted when it was pulled is the same by its digest
      emit: () => {},
    });
    return undefined;
  } catch (error) {
    return error as Error;
  }
}
