/**
 * Images from an OCI image layout (image-spec image-layout.md): a directory with `oci-layout`, `index.json` and `blobs/`.
 * The bytes go the same way as those of a registry, and are verified as strictly.
 */
import { createReadStream, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { tsrunError } from '../errors.ts';
import { digestHex } from '../spec/digest.ts';
import { parseDocument } from '../spec/document.ts';
import type { Descriptor, Digest, Platform } from '../spec/image.ts';
import { hostPlatform } from '../spec/platform.ts';
import { formatReference, parseReference } from '../spec/reference.ts';
import type { ImageRecord } from '../store/image-record.ts';
import { DEFAULT_STORE_HOOKS, type StoreHooks } from '../store/layers.ts';
import type { StorePaths } from '../store/paths.ts';
import type { LayerUnpacker } from './layer-sink.ts';
import type { PullListener } from './pull/events.ts';
import { fetchImage } from './pull/fetch-image.ts';
import type { ImageSource } from './pull/image-source.ts';

export interface LoadOptions {
  paths: StorePaths;
  /** The layout's directory. */
  directory: string;
  unpacker: LayerUnpacker;
  hooks?: StoreHooks;
  /** The name to give the image, or to choose one of several by; the layout's own annotation otherwise. */
  name?: string | undefined;
  platform?: Platform | undefined;
  onEvent?: PullListener | undefined;
  signal?: AbortSignal | undefined;
}

const REF_NAME = 'org.opencontainers.image.ref.name';
/** What docker and containerd write besides, with the full name. */
const IMAGE_NAME = 'io.containerd.image.name';

const READ_BYTES = 256 * 1024;

function layoutError(directory: string, problem: string, cause?: unknown): Error {
  return tsrunError('ERR_TSRUN_DOCUMENT', { what: `image layout ${directory}`, problem }, cause);
}

function readLayoutFile(directory: string, ...parts: string[]): Buffer {
  try {
    return readFileSync(join(directory, ...parts));
  } catch (error) {
    throw layoutError(directory, `${parts.join('/')} cannot be read`, error);
  }
}

function annotatedName(descriptor: Descriptor): string | undefined {
  return descriptor.annotations?.[IMAGE_NAME] ?? descriptor.annotations?.[REF_NAME];
}

/** Several entries may be one image for several platforms, which is what an index is; different names are different images. */
function chooseEntry(directory: string, entries: Descriptor[], name: string | undefined): Descriptor {
  const [first] = entries;
  if (first === undefined) throw layoutError(directory, 'it holds no image');
  if (entries.length === 1) return first;
  const named = entries.filter((entry) => name !== undefined && annotatedName(entry) === name);
  if (named.length === 1 && named[0] !== undefined) return named[0];
  const names = entries.map((entry) => annotatedName(entry) ?? entry.digest);
  throw layoutError(directory, `it holds several images, say which one: ${names.join(', ')}`);
}

function layoutSource(directory: string, root: Descriptor): ImageSource {
  const pathOf = (digest: Digest): string => join(directory, 'blobs', 'sha256', digestHex(digest));
  return {
    parallel: 1,
    document: async (digest = root.digest) => ({
      bytes: readLayoutFile(directory, 'blobs', 'sha256', digestHex(digest)),
      contentType: digest === root.digest ? root.mediaType : undefined,
      claimedDigest: digest,
    }),
    fill: async (descriptor, partial, { onProgress, signal }) => {
      const start = partial.received;
      const bytes = createReadStream(pathOf(descriptor.digest), { start, highWaterMark: READ_BYTES, signal });
      bytes.on('error', () => {}); // the loop below throws it
      try {
        for await (const chunk of bytes as AsyncIterable<Buffer>) {
          partial.append(chunk);
          onProgress(partial.received);
        }
      } catch (error) {
        signal.throwIfAborted();
        if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
        throw layoutError(directory, `blob ${descriptor.digest} is missing`, error);
      }
    },
  };
}

/** Takes an image of a layout into the store. Throws ERR_TSRUN_DOCUMENT when the layout is not one, and what fetchImage() throws. */
export async function loadLayout(options: LoadOptions): Promise<ImageRecord> {
  const { directory, paths, unpacker, signal } = options;
  const text = readLayoutFile(directory, 'index.json').toString('utf8');
  const document = parseDocument(text, undefined, `index.json of image layout ${directory}`);
  if (document.kind !== 'index') throw layoutError(directory, 'its index.json is a manifest');
  const root = chooseEntry(directory, document.index.manifests, options.name);
  const name = options.name ?? annotatedName(root);
  if (name === undefined) throw layoutError(directory, 'its image has no name, and none was given');
  const reference = parseReference(name);
  const emit: PullListener = options.onEvent ?? (() => {});
  return fetchImage({
    paths,
    hooks: options.hooks ?? DEFAULT_STORE_HOOKS,
    source: layoutSource(directory, root),
    unpacker,
    reference: formatReference(reference),
    digest: root.digest,
    platform: options.platform ?? hostPlatform(process.arch),
    isPlatformExplicit: options.platform !== undefined,
    emit,
    signal,
  });
}
