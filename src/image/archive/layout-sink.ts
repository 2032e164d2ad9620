/**
 * An OCI image layout in a directory: a new one, or one to which an image is added, as skopeo does. An image that has the name of the new one
 * loses it. At any moment the layout is whole: blobs appear by rename, the index last.
 */
import {
  createWriteStream,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { parseDocument } from '../../spec/document.ts';
import type { Descriptor, Index } from '../../spec/image.ts';
import type { FileSink } from './file-sink.ts';
import { annotatedName } from './layout-images.ts';

const INDEX = 'index.json';

/** Whether images can be put there: nothing, an empty directory, or a layout. */
export const takesLayout = (directory: string): boolean =>
  !existsSync(directory) ||
  readdirSync(directory).length === 0 ||
  (existsSync(join(directory, 'oci-layout')) && existsSync(join(directory, INDEX)));

export class LayoutSink implements FileSink {
  readonly #directory: string;
  constructor(directory: string) {
    this.#directory = directory;
    mkdirSync(directory, { recursive: true });
  }

  async file(name: string, content: string | Uint8Array): Promise<void> {
    const isIndex = name === INDEX;
    const bytes = isIndex ? this.#merged(content.toString()) : content;
    if (!isIndex && this.#has(name, Buffer.byteLength(bytes))) return;
    const path = this.#path(name);
    writeFileSync(`${path}.new`, bytes);
    renameSync(`${path}.new`, path);
  }

  async stream(name: string, size: number, content: AsyncIterable<Uint8Array>): Promise<void> {
    if (this.#has(name, size)) {
      if (content instanceof Readable) content.destroy();
      return;
    }
    const path = this.#path(name);
    await pipeline(content, createWriteStream(`${path}.new`));
    renameSync(`${path}.new`, path);
  }

  async end(): Promise<void> {}

  #path(name: string): string {
    const path = join(this.#directory, name);
    mkdirSync(dirname(path), { recursive: true });
    return path;
  }

  /** Blobs are called what they are; one that was cut has another size. */
  #has(name: string, size: number): boolean {
    return statSync(join(this.#directory, name), { throwIfNoEntry: false })?.size === size;
  }

  /** The new index with the entries of the old one, but those whose name, or whose whole image, is in the new one. */
  #merged(text: string): string {
    const path = join(this.#directory, INDEX);
    if (!existsSync(path)) return text;
    const old = parseDocument(readFileSync(path, 'utf8'), undefined, `index.json of ${this.#directory}`);
    const index = JSON.parse(text) as Index;
    const isReplaced = (entry: Descriptor): boolean =>
      index.manifests.some((added) => {
        const name = annotatedName(added);
        return name === undefined ? added.digest === entry.digest : name === annotatedName(entry);
      });
    const kept = old.kind === 'index' ? old.index.manifests.filter((entry) => !isReplaced(entry)) : [];
    return JSON.stringify({ ...index, manifests: [...kept, ...index.manifests] });
  }
}
