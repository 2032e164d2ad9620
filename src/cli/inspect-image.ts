/** `inspect` of an image, under docker's field names. */
import type { Engine } from '../engine/open-engine.ts';
import { type ImageRecord, isDangling } from '../store/image-record.ts';
import { layerDiff } from '../store/paths.ts';
import { imageSize, splitReference } from './image-row.ts';

/** @returns a plain object, ready for JSON and templates. Throws ERR_TSRUN_STORE, ERR_TSRUN_DOCUMENT when the image is damaged. */
export function inspectImage(engine: Engine, record: ImageRecord): Record<string, unknown> {
  const config = engine.images.config(record);
  const names = engine.images.namesOf(record).filter((image) => !isDangling(image));
  return {
    Id: record.imageId,
    RepoTags: names.map(({ reference }) => reference).filter((reference) => !reference.includes('@')),
    RepoDigests: names.map((image) => `${splitReference(image).repository}@${image.digest}`),
    Comment: config.history?.at(-1)?.comment ?? '',
    Created: config.created ?? '',
    Author: config.author ?? '',
    Architecture: config.architecture,
    Variant: config.variant ?? '',
    Os: config.os,
    Size: imageSize(engine, record),
    Digest: record.digest,
    ManifestDigest: record.manifestDigest,
    PulledAt: record.pulledAt,
    GraphDriver: {
      Name: 'layers',
      Data: {
        LowerDir: record.layers
          .map(({ chainId }) => layerDiff(engine.paths, chainId))
          .reverse()
          .join(':'),
      },
    },
    RootFS: { Type: config.rootfs.type, Layers: config.rootfs.diff_ids },
    Config: config.config ?? {},
    Labels: config.config?.Labels ?? {},
    History: config.history ?? [],
  };
}
