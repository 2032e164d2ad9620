/** The files of an image layout and of skopeo's `dir:`, whoever saves what in them. */
import { type DigestAlgorithm, digestAlgorithm, digestHex } from '../../spec/digest.ts';
import type { Descriptor, Digest } from '../../spec/image.ts';
import { OCI_INDEX } from '../../spec/media-types.ts';
import type { FileSink } from './file-sink.ts';

interface Part {
  size: number;
  bytes: AsyncIterable<Uint8Array>;
}

/** Writes each file once, though images share them. */
export class Once {
  readonly #sink: FileSink;
  readonly #names = new Set<string>();
  constructor(sink: FileSink) {
    this.#sink = sink;
  }
  async file(name: string, content: string | Uint8Array): Promise<void> {
    if (this.#isNew(name)) await this.#sink.file(name, content);
  }
  async stream(name: string, part: () => Part | Promise<Part>): Promise<void> {
    if (!this.#isNew(name)) return;
    const { size, bytes } = await part();
    await this.#sink.stream(name, size, bytes);
  }
  #isNew(name: string): boolean {
    return !this.#names.has(name) && this.#names.add(name) !== undefined;
  }
}

/** What makes a directory an image layout, and its content. */
export const MARK = 'oci-layout';
export const LAYOUT_MARK = JSON.stringify({ imageLayoutVersion: '1.0.0' });
export const INDEX = 'index.json';

/** Where a layout has a blob. */
export const blobName = (digest: Digest): string =>
  `${blobFolder(digestAlgorithm(digest))}/${digestHex(digest)}`;
export const blobFolder = (algorithm: DigestAlgorithm): string => `blobs/${algorithm}`;

/** What makes a layout of the blobs: the index of its images (image-layout.md). */
export async function endLayout(sink: FileSink, manifests: readonly Descriptor[]): Promise<void> {
  await sink.file(MARK, LAYOUT_MARK);
  await sink.file(INDEX, JSON.stringify({ schemaVersion: 2, mediaType: OCI_INDEX, manifests }));
  await sink.end();
}

/** What makes a `dir:` of the blobs. @param manifest or index, as it is */
export async function endPlain(sink: FileSink, manifest: string | Uint8Array): Promise<void> {
  await sink.file('version', 'Directory Transport Version: 1.1\n');
  await sink.file('manifest.json', manifest);
  await sink.end();
}
