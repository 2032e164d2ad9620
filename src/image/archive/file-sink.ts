/** Where a saved image's files go: an archive or a directory. */
import { createWriteStream, existsSync, readdirSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { tsrunError } from '../../errors.ts';
import { makeDirectories } from '../../sys/make-directories.ts';
import { whenEnded } from '../../sys/when-ended.ts';

export interface FileSink {
  file(name: string, content: string | Uint8Array): Promise<void>;
  /** @param content exactly `size` bytes */
  stream(name: string, size: number, content: AsyncIterable<Uint8Array>): Promise<void>;
  end(): Promise<void>;
}

/** Does what writes at `path`. Throws ERR_TSRUN_OUTPUT_FILE for the system's error. */
export function writing<T>(path: string, act: () => T): T {
  try {
    return act();
  } catch (error) {
    throw tsrunError('ERR_TSRUN_OUTPUT_FILE', { path }, error);
  }
}

/** Whether there is nothing at `path`, or an empty directory. Throws ERR_TSRUN_OUTPUT_FILE for what is no directory, or cannot be read. */
export const isUnused = (path: string): boolean =>
  !existsSync(path) || writing(path, () => readdirSync(path)).length === 0;

/** A directory that is whole when `write` is, or as unused as before, after ^C too. Throws what `write` throws. */
export async function toUnusedDirectory(
  directory: string,
  write: (sink: FileSink) => Promise<void>,
): Promise<void> {
  const wasThere = existsSync(directory);
  const empty = (): void => {
    for (const name of existsSync(directory) ? readdirSync(directory) : [])
      rmSync(join(directory, name), { recursive: true, force: true });
    if (!wasThere && existsSync(directory)) rmdirSync(directory);
  };
  using _interrupted = whenEnded(empty);
  try {
    await write(new DirectorySink(directory));
  } catch (error) {
    empty();
    throw error;
  }
}

/** Throws ERR_TSRUN_OUTPUT_FILE for what the directory does not take; what reading the content throws stays as it is. */
export class DirectorySink implements FileSink {
  protected readonly directory: string;
  constructor(directory: string) {
    this.directory = directory;
    writing(directory, () => makeDirectories(directory));
  }
  async file(name: string, content: string | Uint8Array): Promise<void> {
    const path = this.#path(name);
    writing(path, () => writeFileSync(path, content));
  }
  async stream(name: string, _size: number, content: AsyncIterable<Uint8Array>): Promise<void> {
    const path = this.#path(name);
    const file = createWriteStream(path);
    try {
      await pipeline(content, file);
    } catch (error) {
      // It may be made only now, though the content has failed: who takes it away must come after that.
      if (!file.closed) await new Promise<void>((resolve) => file.once('close', resolve));
      const { syscall, path: at } = error as NodeJS.ErrnoException;
      if (syscall !== 'write' && at !== path) throw error;
      throw tsrunError('ERR_TSRUN_OUTPUT_FILE', { path }, error);
    }
  }
  async end(): Promise<void> {}
  #path(name: string): string {
    const path = join(this.directory, name);
    writing(path, () => makeDirectories(dirname(path)));
    return path;
  }
}
