/** `inspect` of an image, under docker's field names. */
import type { ImageElsewhere } from '../engine/look-at-image.ts';
import type { Engine } from '../engine/open-engine.ts';
import { knownStorageDriver } from '../engine/storage-driver.ts';
import type { ImageConfig, Manifest } from '../spec/image.ts';
import { OCI_MANIFEST } from '../spec/media-types.ts';
import { type ImageRecord, isDangling } from '../store/image-record.ts';
import { layerDiff } from '../store/paths.ts';
import { imageSize, splitReference } from './image-row.ts';

/** @returns a plain object, ready for JSON and templates. Throws ERR_TSRUN_STORE, ERR_TSRUN_DOCUMENT when the image is damaged. */
export function inspectImage(engine: Engine, record: ImageRecord): Record<string, unknown> {
  const config = engine.images.config(record);
  const names = engine.images.namesOf(record).filter((image) => !isDangling(image));
  const size = imageSize(engine, record);
  const manifest = engine.images.manifest(record);
  const [top = '', ...lowers] = record.layers
    .map(({ chainId }) => layerDiff(engine.paths, chainId))
    .reverse();
  return {
    Id: record.imageId,
    RepoTags: names.map(({ reference }) => reference).filter((reference) => !reference.includes('@')),
    RepoDigests: names.map((image) => `${splitReference(image).repository}@${image.digest}`),
    Parent: '',
    ...fromDocuments(config, manifest),
    Size: size,
    VirtualSize: size,
    Digest: record.digest,
    ManifestDigest: record.manifestDigest,
    PulledAt: record.pulledAt,
    User: config.config?.User ?? '',
    GraphDriver: {
      Name: knownStorageDriver(engine.paths, engine.rootless, engine.storageDriver).driver,
      Data: { ...(lowers.length > 0 && { LowerDir: lowers.join(':') }), UpperDir: top },
    },
    History: config.history ?? [],
  };
}

/** What the image's own documents say, wherever they are. */
const fromDocuments = (config: ImageConfig, manifest: Manifest): Record<string, unknown> => ({
  Comment: config.history?.at(-1)?.comment ?? '',
  Created: config.created ?? '',
  Author: config.author ?? '',
  Architecture: config.architecture,
  Variant: config.variant ?? '',
  Os: config.os,
  ManifestType: manifest.mediaType ?? OCI_MANIFEST,
  Annotations: manifest.annotations ?? {},
  RootFS: { Type: config.rootfs.type, Layers: config.rootfs.diff_ids },
  Config: config.config ?? {},
  Labels: config.config?.Labels ?? {},
});

/** `inspect` of an image that is not in the store: what its documents say. `Size` is what would be fetched, in bytes. */
export function inspectElsewhere(image: ImageElsewhere): Record<string, unknown> {
  const { config, manifest, names, rootDigest, manifestDigest } = image;
  const repositories = names.map((name) => name.replace(/(?:@.*|:[^/]*)$/, ''));
  return {
    Id: manifest.config.digest,
    RepoTags: names.filter((name) => !name.includes('@')),
    RepoDigests: repositories.map((repository) => `${repository}@${rootDigest}`),
    ...fromDocuments(config, manifest),
    Size: manifest.layers.reduce((sum, { size }) => sum + size, 0),
    Digest: rootDigest,
    ManifestDigest: manifestDigest,
    LayersData: manifest.layers.map(({ mediaType, digest, size }) => ({
      MIMEType: mediaType,
      Digest: digest,
      Size: size,
    })),
    History: config.history ?? [],
  };
}
