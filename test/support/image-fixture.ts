/** Small images made in memory, well-formed unless a test spoils them. */
import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { pack } from 'tar-stream';
import type { Descriptor, Digest, ImageRunConfig, Index, Manifest } from '../../src/spec/image.ts';

export const digestOf = (bytes: Uint8Array | string): Digest =>
  `sha256:${createHash('sha256').update(bytes).digest('hex')}` as Digest;

/** A tar archive of files by name. */
export async function tarOf(files: Record<string, string | Buffer>): Promise<Buffer> {
  const archive = pack();
  for (const [name, content] of Object.entries(files)) archive.entry({ name, mtime: new Date(0) }, content);
  archive.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of archive) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

export interface ImageFixture {
  blobs: Map<Digest, Buffer>;
  manifest: Manifest;
  manifestBytes: Buffer;
  manifestDigest: Digest;
  manifestType: string;
  config: object;
  layers: { tar: Buffer; blob: Buffer; diffId: Digest; descriptor: Descriptor }[];
}

export interface FixtureOptions {
  architecture?: string;
  variant?: string;
  compression?: 'none' | 'gzip' | 'zstd';
  docker?: boolean;
  /** Members of `config`. */
  run?: ImageRunConfig;
  /** Replaces the layers' own. */
  diffIds?: Digest[];
}

const COMPRESS = {
  none: (b: Buffer) => b,
  gzip: (b: Buffer) => gzipSync(b),
  zstd: (b: Buffer) => zstdCompressSync(b),
};

/** An image of the given archives, lowest first. */
export function imageOf(tars: Buffer[], options: FixtureOptions = {}): ImageFixture {
  const compression = options.compression ?? 'gzip';
  const suffix = compression === 'none' ? '' : `+${compression}`;
  const layerType = options.docker
    ? 'application/vnd.docker.image.rootfs.diff.tar.gzip'
    : `application/vnd.oci.image.layer.v1.tar${suffix}`;
  const layers = tars.map((tar) => {
    const blob = COMPRESS[compression](tar);
    const descriptor: Descriptor = { mediaType: layerType, digest: digestOf(blob), size: blob.length };
    return { tar, blob, diffId: digestOf(tar), descriptor };
  });
  const config = {
    architecture: options.architecture ?? 'amd64',
    os: 'linux',
    ...(options.variant === undefined ? {} : { variant: options.variant }),
    config: { Cmd: ['/bin/sh'], Env: ['A=b'], Entrypoint: null, ...options.run },
    rootfs: { type: 'layers', diff_ids: options.diffIds ?? layers.map((layer) => layer.diffId) },
  };
  const configBytes = Buffer.from(JSON.stringify(config));
  const configType = options.docker
    ? 'application/vnd.docker.container.image.v1+json'
    : 'application/vnd.oci.image.config.v1+json';
  const manifestType = options.docker
    ? 'application/vnd.docker.distribution.manifest.v2+json'
    : 'application/vnd.oci.image.manifest.v1+json';
  const manifest: Manifest = {
    schemaVersion: 2,
    mediaType: manifestType,
    config: { mediaType: configType, digest: digestOf(configBytes), size: configBytes.length },
    layers: layers.map((layer) => layer.descriptor),
  };
  const manifestBytes = Buffer.from(JSON.stringify(manifest));
  const blobs = new Map(layers.map((layer) => [layer.descriptor.digest, layer.blob]));
  blobs.set(digestOf(configBytes), configBytes);
  const manifestDigest = digestOf(manifestBytes);
  return { blobs, manifest, manifestBytes, manifestDigest, manifestType, config, layers };
}

/** Layers of random bytes, so that nothing compresses and no two tests share a blob. */
export async function randomImage(sizes: number[], options: FixtureOptions = {}): Promise<ImageFixture> {
  const tars = await Promise.all(sizes.map((size, i) => tarOf({ [`file${i}`]: randomBytes(size) })));
  return imageOf(tars, options);
}

export function indexOf(
  images: { image: ImageFixture; os?: string; architecture: string; variant?: string }[],
): {
  bytes: Buffer;
  digest: Digest;
  index: Index;
} {
  const index: Index = {
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.index.v1+json',
    manifests: images.map(({ image, os, architecture, variant }) => ({
      mediaType: image.manifestType,
      digest: image.manifestDigest,
      size: image.manifestBytes.length,
      platform: { os: os ?? 'linux', architecture, ...(variant === undefined ? {} : { variant }) },
    })),
  };
  const bytes = Buffer.from(JSON.stringify(index));
  return { bytes, digest: digestOf(bytes), index };
}

/** Writes an OCI image layout. */
export function writeLayout(directory: string, images: { image: ImageFixture; name?: string }[]): void {
  const blobDirectory = join(directory, 'blobs', 'sha256');
  mkdirSync(blobDirectory, { recursive: true });
  writeFileSync(join(directory, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}');
  const manifests = images.map(({ image, name }) => {
    for (const [digest, bytes] of [...image.blobs, [image.manifestDigest, image.manifestBytes] as const]) {
      writeFileSync(join(blobDirectory, digest.slice(7)), bytes);
    }
    const annotations =
      name === undefined ? {} : { annotations: { 'org.opencontainers.image.ref.name': name } };
    return {
      mediaType: image.manifestType,
      digest: image.manifestDigest,
      size: image.manifestBytes.length,
      ...annotations,
    };
  });
  writeFileSync(join(directory, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests }));
}
