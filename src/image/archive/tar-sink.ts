/** Writes an archive of documents and blobs, by tar-stream. One archive of the same content is always the same bytes. */
import { once } from 'node:events';
import { type Pack, pack } from 'tar-stream';
import { ArchiveOutput } from '../pack/archive-output.ts';
import type { FileSink } from './file-sink.ts';

const EPOCH = new Date(0);

export class TarSink implements FileSink {
  readonly #pack: Pack = pack({});
  /** Settles when the archive is written, or cannot be. */
  readonly #written: Promise<void>;
  readonly #directories = new Set<string>();

  /** @param fd where the archive goes; the caller closes it */
  constructor(fd: number) {
    this.#written = this.#drain(new ArchiveOutput(fd, false));
    this.#written.catch(() => undefined); // whoever waits for it is told
  }

  async file(name: string, content: string | Uint8Array): Promise<void> {
    const bytes = Buffer.from(content);
    await this.stream(name, bytes.length, [bytes]);
  }

  async stream(
    name: string,
    size: number,
    content: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  ): Promise<void> {
    this.#addDirectories(name);
    const entry = this.#pack.entry({ name, size, mode: 0o644, mtime: EPOCH });
    const closed = once(entry, 'close');
    closed.catch(() => undefined); // awaited below, if nothing else fails before
    try {
      for await (const chunk of content)
        if (!entry.write(Buffer.from(chunk))) await this.#unlessFailed(once(entry, 'drain'));
      entry.end(undefined);
      await this.#unlessFailed(closed);
    } catch (error) {
      this.#pack.destroy(error as Error);
      throw error;
    }
  }

  async end(): Promise<void> {
    this.#pack.finalize();
    await this.#written;
  }

  /** Nothing goes on when the archive cannot be written any more. */
  async #unlessFailed(progress: Promise<unknown>): Promise<void> {
    await Promise.race([progress, this.#written.then(() => progress)]);
  }

  #addDirectories(name: string): void {
    const parts = name.split('/').slice(0, -1);
    for (let i = 1; i <= parts.length; i++) {
      const directory = parts.slice(0, i).join('/');
      if (this.#directories.has(directory)) continue;
      this.#directories.add(directory);
      this.#pack.entry({ name: `${directory}/`, type: 'directory', mode: 0o755, mtime: EPOCH });
    }
  }

  async #drain(output: ArchiveOutput): Promise<void> {
    for await (const chunk of this.#pack) output.write(chunk as Buffer);
    output.flush();
  }
}
