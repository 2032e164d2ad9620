/** What `run --rootfs` is given instead of an image: `DIRECTORY`, or `DIRECTORY:O` to leave it as it is. */
import { realpathSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import type { RootfsRequest } from '../../engine/request.ts';
import { usageError } from './usage.ts';

/** Throws ERR_TSRUN_USAGE. */
export function parseRootfs(text: string, directory: string): RootfsRequest {
  const [, written = text, option] = /^(.*):([^/:]*)$/s.exec(text) ?? [];
  if (option !== undefined && option !== 'O')
    throw usageError(`--rootfs ${text}: "${option}" is not supported; O leaves the directory as it is`);
  const path = resolve(directory, written);
  try {
    if (statSync(path, { throwIfNoEntry: false })?.isDirectory())
      return { path: realpathSync(path), overlay: option === 'O' };
  } catch (error) {
    throw usageError(`--rootfs ${text}: ${(error as Error).message}`);
  }
  throw usageError(`--rootfs ${text}: there is no directory ${path}`, 'tsrun run --rootfs ./tree sh');
}
