/** One line of `tsrun images`: docker's fields and wording. */

import type { Engine } from '../engine/open-engine.ts';
import { digestHex, shortDigest } from '../spec/digest.ts';
import { containerLayers } from '../store/container-layers.ts';
import { type ImageRecord, isDangling } from '../store/image-record.ts';
import { LayerStore } from '../store/layers.ts';
import { ago, humanSize, localTime } from './format/human.ts';
import { labelFields, type Row, withTemplateFields } from './format/list.ts';

export const IMAGE_HEADINGS = {
  Repository: 'REPOSITORY',
  Tag: 'TAG',
  Digest: 'DIGEST',
  ID: 'IMAGE ID',
  CreatedSince: 'CREATED',
  CreatedAt: 'CREATED AT',
  Size: 'SIZE',
  Containers: 'CONTAINERS',
  Labels: 'LABELS',
  // podman's
  Id: 'IMAGE ID',
  Created: 'CREATED',
  Dangling: 'DANGLING',
  Names: 'NAMES',
  ReadOnly: 'READ ONLY',
  RepoDigests: 'DIGESTS',
  RepoTags: 'TAGS',
  VirtualSize: 'SIZE',
};

const NONE = '<none>';

/** `docker.io/library/httpd` and `latest`; `<none>` for what it has not. */
export function splitReference(record: ImageRecord): { repository: string; tag: string } {
  if (isDangling(record)) return { repository: NONE, tag: NONE };
  const [name = '', digest] = record.reference.split('@');
  if (digest !== undefined) return { repository: name, tag: NONE };
  const colon = name.lastIndexOf(':');
  return { repository: name.slice(0, colon), tag: name.slice(colon + 1) };
}

/** Bytes of all layers, unpacked. What is missing of a damaged image counts nothing. */
export function imageSize(engine: Engine, record: ImageRecord): number {
  const layers = new LayerStore(engine.paths);
  return record.layers.reduce(
    (sum, { chainId }) => sum + (layers.has(chainId) ? layers.record(chainId).size : 0),
    0,
  );
}

export interface ListedImage {
  record: ImageRecord;
  /** RFC 3339; undefined when the image does not say or its configuration is lost */
  created: string | undefined;
  size: number;
  labels: Record<string, string>;
}

/** How many containers are made from an image. */
export function imageUses(engine: Engine): (record: ImageRecord) => number {
  let containers: readonly (string | undefined)[] | undefined;
  return ({ imageId }) => {
    containers ??= containerLayers(engine.paths).map((container) => container.imageId);
    return containers.filter((id) => id === imageId).length;
  };
}

interface RowOptions {
  noTrunc: boolean;
  /** milliseconds since 1970 */
  now: number;
  containers: () => number;
  /** All records of the image, one for each name. */
  names: () => readonly ImageRecord[];
}

export function imageRow(image: ListedImage, options: RowOptions): Row {
  const { noTrunc, now, containers } = options;
  const { record, created, size } = image;
  const { repository, tag } = splitReference(record);
  const row = {
    Repository: repository,
    Tag: tag,
    Digest: isDangling(record) ? NONE : record.digest,
    ID: noTrunc ? record.imageId : shortDigest(record.imageId),
    get CreatedAt() {
      return created === undefined ? 'N/A' : localTime(created);
    },
    CreatedSince: created === undefined ? 'N/A' : ago(created, now),
    Size: humanSize(size),
    get Containers() {
      return containers();
    },
    ...labelFields(image.labels),
  };
  return withTemplateFields(row, podmanFields(image, row.CreatedSince, options));
}

/** Of `podman images --format`, what docker has not. */
function podmanFields(
  { record, size }: ListedImage,
  createdSince: string,
  { names }: RowOptions,
): Record<string, () => unknown> {
  const named = (): readonly ImageRecord[] => names().filter((image) => !isDangling(image));
  const tags = (): string[] =>
    named().flatMap(({ reference }) => (reference.includes('@') ? [] : [reference]));
  const digests = (): string[] => named().map((one) => `${splitReference(one).repository}@${one.digest}`);
  return {
    Id: () => digestHex(record.imageId),
    Created: () => createdSince,
    Dangling: () => isDangling(record),
    Names: () => named().map(({ reference }) => reference),
    ReadOnly: () => false,
    RepoDigests: () => [...new Set(digests())],
    RepoTags: tags,
    VirtualSize: () => size,
  };
}
