/** From what the user names to its files: a directory, an archive, a compressed one, a pipe. */
import {
  createReadStream,
  createWriteStream,
  fstatSync,
  openSync,
  readSync,
  rmSync,
  statSync,
} from 'node:fs';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { tsrunError } from '../../errors.ts';
import { sniffCompression } from '../../spec/media-types.ts';
import type { StorePaths } from '../../store/paths.ts';
import { temporaryPath } from '../../store/temporary.ts';
import { decompress } from '../unpack/decompress.ts';
import { DEFAULT_LIMITS, SizeMeter, type UnpackLimits } from '../unpack/limits.ts';
import { decompressByProgram, HEAD_BYTES, sniffProgramCompression } from './decompress-by-program.ts';
import { directoryFiles, type FileSet } from './file-set.ts';
import { takeHead } from './take-head.ts';
import { tarFiles } from './tar-files.ts';

/** @param path undefined: standard input. Throws ERR_TSRUN_IMAGE_ARCHIVE, ERR_TSRUN_INPUT_FILE */
export async function openArchive(
  paths: StorePaths,
  path: string | undefined,
  limits = DEFAULT_LIMITS,
): Promise<FileSet> {
  const label = path === undefined ? 'archive from standard input' : `archive ${path}`;
  if (path !== undefined && isDirectory(path)) return directoryFiles(path, 'directory');
  const fd = path === undefined ? 0 : openInput(path);
  if (!fstatSync(fd).isFile())
    return await openArchiveStream(paths, createReadStream('', { fd }), label, limits);
  const head = Buffer.alloc(HEAD_BYTES);
  readSync(fd, head, 0, HEAD_BYTES, 0);
  if (isPlain(head)) return tarFiles(fd, label);
  return await openArchiveStream(paths, createReadStream('', { fd, start: 0 }), label, limits);
}

/** The same of a stream, whose bytes are kept until the files are closed. Throws ERR_TSRUN_IMAGE_ARCHIVE. */
export const openArchiveStream = async (
  paths: StorePaths,
  input: Readable,
  label: string,
  limits: UnpackLimits,
): Promise<FileSet> => tarFiles(await spool(paths, input, label, limits), label);

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

/** Throws ERR_TSRUN_INPUT_FILE. */
export function openInput(path: string): number {
  try {
    return openSync(path, 'r');
  } catch (error) {
    throw tsrunError('ERR_TSRUN_INPUT_FILE', { path }, error);
  }
}

const isPlain = (head: Buffer): boolean =>
  sniffCompression(head) === 'none' && sniffProgramCompression(head) === undefined;

/** The uncompressed bytes in a file without a name, whose descriptor is returned: it goes when that is closed. */
async function spool(
  paths: StorePaths,
  input: Readable,
  label: string,
  limits: UnpackLimits,
): Promise<number> {
  const path = temporaryPath(paths, 'load');
  const fd = openSync(path, 'wx+', 0o600);
  rmSync(path);
  const { head, all } = await takeHead(input, HEAD_BYTES);
  const program = sniffProgramCompression(head);
  const plain =
    program === undefined
      ? decompress(all, sniffCompression(head), new SizeMeter(limits))
      : decompressByProgram(label, all, program, limits);
  await pipeline(plain, createWriteStream('', { fd, autoClose: false }));
  return fd;
}
