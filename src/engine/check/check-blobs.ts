/** Blobs: is each what its name says? What is not can be fetched again, so it goes. See fetch-lost.ts. */
import { existsSync, lstatSync, readdirSync, readFileSync } from 'node:fs';
import { isBlobIntact } from '../../image/pull/blob-fetches.ts';
import { DIGEST_ALGORITHMS, isDigest, shortDigest } from '../../spec/digest.ts';
import { parseDocument, parseImageConfig } from '../../spec/document.ts';
import type { Digest } from '../../spec/image.ts';
import { BlobStore } from '../../store/blobs.ts';
import { fetchAgain } from '../../store/fetch-again.ts';
import type { ImageRecord } from '../../store/image-record.ts';
import { blobPath, blobsDirectory } from '../../store/paths.ts';
import type { Engine } from '../open-engine.ts';
import { type CheckOptions, type Damage, type Findings, namesIn } from './damage.ts';
import { removeObject } from './remove-object.ts';

/** How to get the blobs of an image again; undefined for one that no registry has. */
export const pullHint = (
  record: ImageRecord | undefined,
  state: 'lost' | 'damaged' = 'lost',
): string | undefined => record && fetchAgain(record.reference, state);

interface Expected {
  /** bytes, where an image says */
  size: number | undefined;
  image: ImageRecord;
}

function expectations(images: readonly ImageRecord[]): Map<Digest, Expected> {
  const expected = new Map<Digest, Expected>();
  for (const image of images) {
    for (const digest of [image.digest, image.manifestDigest, image.imageId])
      expected.set(digest, { size: undefined, image });
    for (const { blobDigest, size } of image.layers) expected.set(blobDigest, { size, image });
  }
  return expected;
}

/** Digests that images need and the store has not, or has no more since they were damaged. */
export type Lost = Map<Digest, Damage>;

/** @returns what can only be fetched again */
export async function checkBlobs(engine: Engine, findings: Findings, options: CheckOptions): Promise<Lost> {
  const lost: Lost = new Map();
  const expected = expectations(engine.images.list());
  const blobs = new BlobStore(engine.paths);
  for (const digest of storedDigests(engine, findings)) {
    findings.count('blobs');
    const of = expected.get(digest);
    const problem = await problemOf(blobs, digest, of?.size, options.quick);
    if (problem === undefined) continue;
    const found = { object: `blob ${digest}`, problem, hint: pullHint(of?.image, 'damaged') };
    await findings.fix(found, 'removed', () => removeObject(engine, blobPath(engine.paths, digest)));
    const damage = findings.damages.at(-1);
    if (of === undefined || damage?.repaired === undefined) continue;
    damage.repaired = undefined; // an image needs it: it is only lost by now
    damage.hint = lostHint(of.image);
    lost.set(digest, damage);
  }
  // The images of now: one that was removed since the first look misses nothing.
  for (const [digest, { image }] of expectations(engine.images.list())) {
    if (blobs.has(digest) || lost.has(digest)) continue;
    if (!isNeeded(engine, digest)) continue;
    lost.set(digest, findings.tell(`image ${image.reference}`, `blob ${digest} is missing`, lostHint(image)));
  }
  return lost;
}

/** Without downloads that were cut; their bytes are hashed again before they are used. */
const storedDigests = ({ paths }: Engine, findings: Findings): Digest[] =>
  DIGEST_ALGORITHMS.flatMap((algorithm) =>
    namesIn(findings, blobsDirectory(paths, algorithm), (path) => readdirSync(path)).map(
      (name) => `${algorithm}:${name}`,
    ),
  ).filter(isDigest);

const isNeeded = (engine: Engine, digest: Digest): boolean => expectations(engine.images.list()).has(digest);

/** What can be done about an image that has lost something. */
const lostHint = (image: ImageRecord): string => pullHint(image) ?? `tsrun rmi ${shortDigest(image.imageId)}`;

async function problemOf(
  blobs: BlobStore,
  digest: Digest,
  size: number | undefined,
  quick: boolean,
): Promise<string | undefined> {
  const path = blobPath(blobs.paths, digest);
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return undefined; // removed since the names were read; whether an image misses it is asked later
  if (!stat.isFile()) return 'it is not a file';
  if (size !== undefined && stat.size !== size) return `it has ${stat.size} bytes instead of ${size}`;
  if (quick) return undefined;
  try {
    return (await isBlobIntact(blobs, digest)) ? undefined : 'its content is not that of its name';
  } catch (error) {
    return existsSync(path) ? (error as Error).message : undefined;
  }
}

/** Images: can the records be read, and what they lead to? */
export async function checkImages(engine: Engine, findings: Findings): Promise<void> {
  const { images, damaged } = engine.images.survey();
  for (const { path, problem } of damaged) {
    await findings.fix({ object: path, problem }, 'removed; pull the image again', () =>
      removeObject(engine, path),
    );
  }
  const blobs = new BlobStore(engine.paths);
  for (const image of images) {
    findings.count('images');
    try {
      if (blobs.has(image.imageId)) parseImageConfig(readText(blobs, image.imageId), 'its configuration');
      if (blobs.has(image.manifestDigest))
        parseDocument(readText(blobs, image.manifestDigest), undefined, 'its manifest');
    } catch (error) {
      if (!isNeeded(engine, image.imageId)) continue; // removed meanwhile
      findings.tell(`image ${image.reference}`, (error as Error).message, pullHint(image));
    }
  }
}

const readText = (blobs: BlobStore, digest: Digest): string =>
  readFileSync(blobPath(blobs.paths, digest), 'utf8');
