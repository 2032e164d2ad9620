/** Where a saved image's files go: an archive or a directory. */
import { createWriteStream, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';

export interface FileSink {
  file(name: string, content: string | Uint8Array): Promise<void>;
  /** @param content exactly `size` bytes */
  stream(name: string, size: number, content: AsyncIterable<Uint8Array>): Promise<void>;
  end(): Promise<void>;
}

export class DirectorySink implements FileSink {
  readonly #directory: string;
  constructor(directory: string) {
    this.#directory = directory;
    mkdirSync(directory, { recursive: true });
  }
  async file(name: string, content: string | Uint8Array): Promise<void> {
    writeFileSync(this.#path(name), content);
  }
  async stream(name: string, _size: number, content: AsyncIterable<Uint8Array>): Promise<void> {
    await pipeline(content, createWriteStream(this.#path(name)));
  }
  async end(): Promise<void> {}
  #path(name: string): string {
    const path = join(this.#directory, name);
    mkdirSync(dirname(path), { recursive: true });
    return path;
  }
}
