/** Writes an image as an OCI image layout (image-spec image-layout.md): a directory that tsrun, skopeo and umoci read. */
import { createHash } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { ImageConfig, ImageRunConfig } from '../src/spec/image.ts';
import { type Entry, FIXED_TIME, tarArchive } from './tar-archive.ts';

/** One layer of a recipe, the lowest first. */
export interface Layer {
  /** What `tsrun history` shows for it. */
  comment: string;
  entries: readonly Entry[];
}

/** An image as its recipe describes it. */
export interface Recipe {
  /** Its short name: `httpd` is `docker.io/library/httpd:latest`. */
  name: string;
  layers: readonly Layer[];
  config: ImageRunConfig;
}

const GZIP_LEVEL = 6;
const CREATED = new Date(FIXED_TIME * 1000).toISOString();

interface Blob {
  mediaType: string;
  digest: string;
  size: number;
}

const sha256 = (bytes: Uint8Array): string => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

async function writeBlob(layout: string, mediaType: string, bytes: Uint8Array): Promise<Blob> {
  const digest = sha256(bytes);
  await writeFile(join(layout, 'blobs', 'sha256', digest.slice('sha256:'.length)), bytes);
  return { mediaType, digest, size: bytes.length };
}

const json = (document: object): Buffer => Buffer.from(JSON.stringify(document));

/** The image's `architecture`, in Go's words. */
export const architecture = process.arch === 'x64' ? 'amd64' : process.arch;

/** Writes `recipe` into the new directory `layout`. */
export async function writeLayout(layout: string, recipe: Recipe): Promise<void> {
  await mkdir(join(layout, 'blobs', 'sha256'), { recursive: true });
  const layers: Blob[] = [];
  const diffIds: string[] = [];
  for (const { entries } of recipe.layers) {
    const archive = tarArchive(entries);
    diffIds.push(sha256(archive));
    const compressed = await promisify(gzip)(archive, { level: GZIP_LEVEL });
    layers.push(await writeBlob(layout, 'application/vnd.oci.image.layer.v1.tar+gzip', compressed));
  }
  const imageConfig = {
    created: CREATED,
    architecture,
    os: 'linux',
    config: recipe.config,
    rootfs: { type: 'layers', diff_ids: diffIds as ImageConfig['rootfs']['diff_ids'] },
    history: recipe.layers.map(({ comment }) => ({ created: CREATED, created_by: comment })),
  } satisfies ImageConfig;
  const config = await writeBlob(layout, 'application/vnd.oci.image.config.v1+json', json(imageConfig));
  const mediaType = 'application/vnd.oci.image.manifest.v1+json';
  const manifest = await writeBlob(layout, mediaType, json({ schemaVersion: 2, mediaType, config, layers }));
  const annotations = {
    'io.containerd.image.name': `docker.io/library/${recipe.name}:latest`,
    'org.opencontainers.image.ref.name': 'latest',
  };
  const platform = { os: 'linux', architecture };
  const index = { schemaVersion: 2, manifests: [{ ...manifest, platform, annotations }] };
  await writeFile(join(layout, 'index.json'), json(index));
  await writeFile(join(layout, 'oci-layout'), json({ imageLayoutVersion: '1.0.0' }));
}
