/**
 * Archives compressed by xz or bzip2, which users have at hand though no layer of an image may be so: what Debian's and kernel.org's
 * tarballs are, and `docker load` reads. Node has neither, and every distribution has the programs, so they do it.
 *
 * They get the bytes by a pipe and nothing else of us; XZ_DEFAULTS bounds the memory that a header can ask of xz (up to 4 GiB).
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { tsrunError } from '../../errors.ts';
import { SizeMeter, type UnpackLimits } from '../unpack/limits.ts';

/** Names of programs as well. */
export type ProgramCompression = 'xz' | 'bzip2';

/** As many bytes as tell all compressions from each other. */
export const HEAD_BYTES = 6;

const XZ_MEMORY = '--memlimit-decompress=1GiB';
/** bytes of a program's complaint that are kept. */
const MOST_WORDS = 2000;

/** The compression that the first bytes show, when it is one of these; `BZh` is followed by the size of its blocks. */
export function sniffProgramCompression(head: Uint8Array): ProgramCompression | undefined {
  const hex = Buffer.from(head.subarray(0, HEAD_BYTES)).toString('hex');
  if (hex === 'fd377a585a00') return 'xz';
  return /^425a683[1-9]/.test(hex) ? 'bzip2' : undefined;
}

/**
 * Yields what was compressed.
 * @param label how messages call the input
 * @throws (while iterated) ERR_TSRUN_DECOMPRESSOR without the program, ERR_TSRUN_LAYER_COMPRESSION, ERR_TSRUN_LAYER_LIMIT, and what reading the input throws
 */
export async function* decompressByProgram(
  label: string,
  input: AsyncIterable<Uint8Array>,
  program: ProgramCompression,
  limits: UnpackLimits,
): AsyncGenerator<Buffer> {
  const meter = new SizeMeter(limits);
  const child = spawn(program, ['-d', '-c'], {
    stdio: 'pipe',
    env: { XZ_DEFAULTS: XZ_MEMORY, ...process.env, LC_ALL: 'C' },
  });
  const started = once(child, 'spawn').catch((error: unknown) => {
    throw tsrunError('ERR_TSRUN_DECOMPRESSOR', { input: label, program }, error);
  });
  const closed = new Promise<number | null>((resolve) => child.once('close', resolve));
  let words = '';
  child.stderr.on('data', (chunk: Buffer) => {
    words = (words + chunk.toString()).slice(0, MOST_WORDS);
  });
  let readingFailed: unknown;
  const counted = async function* (): AsyncGenerator<Uint8Array> {
    try {
      for await (const chunk of input) {
        meter.compressed += chunk.length;
        yield chunk;
      }
    } catch (error) {
      readingFailed = error;
      throw error;
    }
  };
  try {
    await started;
    // A program that has ended early says why by its status.
    pipeline(Readable.from(counted(), { objectMode: false }), child.stdin).catch(() => undefined);
    for await (const chunk of child.stdout as AsyncIterable<Buffer>) {
      meter.uncompressed += chunk.length;
      meter.check();
      yield chunk;
    }
    const status = await closed;
    if (readingFailed !== undefined) throw readingFailed;
    if (status === 0) return;
    const problem = words.trim().split('\n')[0] || `${program} ended with status ${status}`;
    throw tsrunError('ERR_TSRUN_LAYER_COMPRESSION', { compression: program, problem });
  } finally {
    child.kill();
  }
}
