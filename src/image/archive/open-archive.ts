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
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { tsrunError } from '../../errors.ts';
import { sniffCompression } from '../../spec/media-types.ts';
import type { StorePaths } from '../../store/paths.ts';
import { temporaryPath } from '../../store/temporary.ts';
import { decompress } from '../unpack/decompress.ts';
import { DEFAULT_LIMITS, SizeMeter, type UnpackLimits } from '../unpack/limits.ts';
import { archiveError, directoryFiles, type FileSet } from './file-set.ts';
import { tarFiles } from './tar-files.ts';

const HEAD_BYTES = 6;

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
  if (isPlain(head, label)) return tarFiles(fd, label);
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

/** False when it is compressed as we can read. Throws ERR_TSRUN_IMAGE_ARCHIVE for other compressions. */
function isPlain(head: Buffer, label: string): boolean {
  const hex = head.toString('hex');
  if (hex.startsWith('fd377a58'))
    throw archiveError(label, 'it is compressed by xz: xz -dc FILE | tsrun load');
  if (hex.startsWith('425a68'))
    throw archiveError(label, 'it is compressed by bzip2: bzip2 -dc FILE | tsrun load');
  return sniffCompression(head) === 'none';
}

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
  const bytes = await withHead(input);
  isPlain(bytes.head, label);
  const plain = decompress(bytes.all, sniffCompression(bytes.head), new SizeMeter(limits));
  await pipeline(plain, createWriteStream('', { fd, autoClose: false }));
  return fd;
}

/** The first bytes of a stream, and all of it. */
async function withHead(input: Readable): Promise<{ head: Buffer; all: Readable }> {
  const iterator = input[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  let head = Buffer.alloc(0);
  while (head.length < HEAD_BYTES) {
    const next = await iterator.next();
    if (next.done) break;
    head = Buffer.concat([head, next.value]);
  }
  const rest = async function* (): AsyncGenerator<Buffer> {
    yield head;
    for (let next = await iterator.next(); !next.done; next = await iterator.next()) yield next.value;
  };
  return { head, all: Readable.from(rest(), { objectMode: false }) };
}
