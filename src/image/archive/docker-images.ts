/**
 * The images of an archive as `docker save` writes it: `manifest.json` names for each image its configuration, its layers (usually
 * uncompressed) and its names. It has no manifest of its own, so one is made; configuration and layers are verified as always.
 */
import { tsrunError } from '../../errors.ts';
import { parseImageConfig } from '../../spec/document.ts';
import { parseForeignJson } from '../../spec/foreign-json.ts';
import type { Descriptor, Digest, Manifest } from '../../spec/image.ts';
import {
  type Compression,
  DOCKER_CONFIG,
  DOCKER_MANIFEST,
  sniffCompression,
} from '../../spec/media-types.ts';
import { Digester, sha256 } from '../../store/hash.ts';
import { archiveError, type FileSet } from './file-set.ts';
import { fileSource, type PackagedImage } from './packaged-image.ts';

interface SavedImage {
  Config: string;
  RepoTags: string[];
  Layers: string[];
}

const LAYER_TYPES: Readonly<Record<Compression, string>> = {
  none: 'application/vnd.docker.image.rootfs.diff.tar',
  gzip: 'application/vnd.docker.image.rootfs.diff.tar.gzip',
  zstd: 'application/vnd.docker.image.rootfs.diff.tar.zstd',
};

const isStrings = (value: unknown): value is string[] =>
  Array.isArray(value) && value.every((item) => typeof item === 'string');

function parseSaved(files: FileSet): SavedImage[] {
  const invalid = (problem: string, cause?: unknown): Error =>
    tsrunError('ERR_TSRUN_DOCUMENT', { what: `manifest.json of ${files.label}`, problem }, cause);
  let value: unknown;
  try {
    value = parseForeignJson(files.read('manifest.json').toString('utf8'));
  } catch (error) {
    if (error instanceof SyntaxError) throw invalid('it is not JSON', error);
    throw error;
  }
  if (!Array.isArray(value)) throw invalid('it is not a list of images');
  if (value.length === 0) throw archiveError(files.label, 'it holds no image');
  return value.map((item: Partial<SavedImage> | null) => {
    const { Config, RepoTags, Layers } = item ?? {};
    const tags = RepoTags ?? [];
    if (typeof Config !== 'string' || !isStrings(Layers ?? []) || !isStrings(tags))
      throw invalid('one of its images has no Config, Layers and RepoTags');
    return { Config, RepoTags: tags, Layers: Layers ?? [] };
  });
}

/** Docker's before 1.10, whose images have other ids. */
export const isLegacyArchive = (files: FileSet): boolean =>
  files.size('manifest.json') === undefined && files.size('repositories') !== undefined;

/** Throws ERR_TSRUN_IMAGE_ARCHIVE, ERR_TSRUN_DOCUMENT. */
export async function dockerImages(files: FileSet): Promise<PackagedImage[]> {
  const images: PackagedImage[] = [];
  for (const saved of parseSaved(files)) images.push(await dockerImage(files, saved));
  return images;
}

async function dockerImage(files: FileSet, saved: SavedImage): Promise<PackagedImage> {
  const config = files.read(saved.Config);
  const imageId = sha256(config);
  const { rootfs } = parseImageConfig(config.toString('utf8'), `${saved.Config} of ${files.label}`);
  if (rootfs.diff_ids.length !== saved.Layers.length) {
    const problem = `manifest.json has ${saved.Layers.length} layers for ${saved.Config}, which has ${rootfs.diff_ids.length}`;
    throw archiveError(files.label, problem);
  }
  const places = new Map<Digest, string>([[imageId, saved.Config]]);
  const layers: Descriptor[] = [];
  for (const [i, name] of saved.Layers.entries()) {
    const layer = await describeLayer(files, name, rootfs.diff_ids[i] as Digest);
    places.set(layer.digest, name);
    layers.push(layer);
  }
  const manifest: Manifest = {
    schemaVersion: 2,
    mediaType: DOCKER_MANIFEST,
    config: { mediaType: DOCKER_CONFIG, size: config.length, digest: imageId },
    layers,
  };
  const bytes = Buffer.from(JSON.stringify(manifest));
  const digest = sha256(bytes);
  const source = fileSource({
    files,
    document: () => ({ bytes, contentType: DOCKER_MANIFEST, digest }),
    fileOf: (descriptor) => places.get(descriptor.digest),
  });
  return { names: saved.RepoTags, label: `${imageId} of ${files.label}`, source, digest };
}

/** A plain layer has the digest that the configuration gives it; of a compressed one it has to be computed. */
async function describeLayer(files: FileSet, name: string, diffId: Digest): Promise<Descriptor> {
  const size = files.size(name);
  if (size === undefined) throw archiveError(files.label, `layer ${name} is missing`);
  let head = Buffer.alloc(0);
  const hash = new Digester();
  for await (const chunk of files.stream(name)) {
    if (head.length < 4) head = Buffer.concat([head, chunk.subarray(0, 4)]);
    if (head.length >= 4 && sniffCompression(head) === 'none') break;
    hash.update(chunk);
  }
  const compression = sniffCompression(head);
  const digest = compression === 'none' ? diffId : hash.digest();
  return { mediaType: LAYER_TYPES[compression], size, digest };
}
