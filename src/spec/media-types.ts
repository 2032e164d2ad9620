/** Media types of images: OCI's (image-spec media-types.md) and Docker's equivalents, which registries serve just as often. */

export const OCI_INDEX = 'application/vnd.oci.image.index.v1+json';
export const OCI_MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
export const OCI_CONFIG = 'application/vnd.oci.image.config.v1+json';
export const OCI_LAYER_GZIP = 'application/vnd.oci.image.layer.v1.tar+gzip';
export const DOCKER_INDEX = 'application/vnd.docker.distribution.manifest.list.v2+json';
export const DOCKER_MANIFEST = 'application/vnd.docker.distribution.manifest.v2+json';
export const DOCKER_CONFIG = 'application/vnd.docker.container.image.v1+json';

const DOCKER_SCHEMA1 = [
  'application/vnd.docker.distribution.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.v1+prettyjws',
];

/** The documents that tsrun asks a registry for. */
export const ACCEPTED_DOCUMENTS: readonly string[] = [OCI_INDEX, OCI_MANIFEST, DOCKER_INDEX, DOCKER_MANIFEST];

export const isIndexType = (type: string): boolean => type === OCI_INDEX || type === DOCKER_INDEX;
export const isManifestType = (type: string): boolean => type === OCI_MANIFEST || type === DOCKER_MANIFEST;
export const isConfigType = (type: string): boolean => type === OCI_CONFIG || type === DOCKER_CONFIG;
/** Docker before 1.10 pushed configurations without a type of their own. */
const LEGACY_CONFIG = 'application/octet-stream';
/** Of a manifest whose config has this type: what it names is a chart, a signature, a module …, and nothing to run. */
export const isArtifactConfig = (type: string): boolean => !isConfigType(type) && type !== LEGACY_CONFIG;
export const isSchema1Type = (type: string): boolean => DOCKER_SCHEMA1.includes(type);

/** A media type without parameters, in lowercase: `application/json; charset=utf-8` is `application/json`. */
export function bareMediaType(header: string): string {
  return (header.split(';', 1)[0] ?? '').trim().toLowerCase();
}

export type Compression = 'none' | 'gzip' | 'zstd';

const LAYER_COMPRESSIONS: Record<string, Compression> = {
  'application/vnd.oci.image.layer.v1.tar': 'none',
  'application/vnd.oci.image.layer.v1.tar+gzip': 'gzip',
  'application/vnd.oci.image.layer.v1.tar+zstd': 'zstd',
  'application/vnd.oci.image.layer.nondistributable.v1.tar': 'none',
  'application/vnd.oci.image.layer.nondistributable.v1.tar+gzip': 'gzip',
  'application/vnd.oci.image.layer.nondistributable.v1.tar+zstd': 'zstd',
  'application/vnd.docker.image.rootfs.diff.tar': 'none',
  'application/vnd.docker.image.rootfs.diff.tar.gzip': 'gzip',
  'application/vnd.docker.image.rootfs.diff.tar.zstd': 'zstd',
  'application/vnd.docker.image.rootfs.foreign.diff.tar': 'none',
  'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip': 'gzip',
};

/**
 * What a layer is called. Docker's word for one in zstd is not understood by all; its foreign layers have no other forms.
 * @param isForeign the registry need not hold it
 */
export function layerType(kind: 'oci' | 'docker', compression: Compression, isForeign: boolean): string {
  if (kind === 'oci') {
    const suffix = compression === 'none' ? '' : `+${compression}`;
    return `application/vnd.oci.image.layer.${isForeign ? 'nondistributable.' : ''}v1.tar${suffix}`;
  }
  const suffix = compression === 'none' ? '' : `.${compression}`;
  return `application/vnd.docker.image.rootfs.${isForeign ? 'foreign.' : ''}diff.tar${suffix}`;
}

/** How a layer of this media type is compressed; undefined when it is no layer that tsrun knows. */
export function layerCompression(mediaType: string): Compression | undefined {
  return Object.hasOwn(LAYER_COMPRESSIONS, mediaType) ? LAYER_COMPRESSIONS[mediaType] : undefined;
}

/** Layers that a registry need not hold; their descriptors say where else they are (`urls`). */
export function isForeignLayer(mediaType: string): boolean {
  return mediaType.includes('.nondistributable.') || mediaType.includes('.foreign.');
}

/** The compression that the first bytes of a layer show (RFC 1952, RFC 8878): some builders label layers wrongly. */
export function sniffCompression(head: Uint8Array): Compression {
  if (head[0] === 0x1f && head[1] === 0x8b) return 'gzip';
  if (head[0] === 0x28 && head[1] === 0xb5 && head[2] === 0x2f && head[3] === 0xfd) return 'zstd';
  // a frame to skip (RFC 8878, 3.1.2), with which pzstd begins
  if (((head[0] ?? 0) & 0xf0) === 0x50 && head[1] === 0x2a && head[2] === 0x4d && head[3] === 0x18)
    return 'zstd';
  return 'none';
}
