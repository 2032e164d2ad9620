/** The starter's side of the packer. */
import { closeSync } from 'node:fs';
import { Socket } from 'node:net';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { tsrunError } from '../../errors.ts';
import { pipe } from '../../sys/calls.ts';
import { O_CLOEXEC } from '../../sys/constants.ts';
import { nativeRunner } from '../../sys/run.ts';
import { Slots } from '../../sys/step.ts';
import type { StartInNamespaces, UnpackProcess } from '../unpack/unpack-process.ts';
import { reviveError } from '../unpack/worker-protocol.ts';
import type { PackAnswer, PackJob, PackResult } from './pack-job.ts';

export interface PackerOptions {
  start: StartInNamespaces;
  /** Node by its path, and the worker's file: what the job is appended to. */
  workerCommand: readonly string[];
  /** What a failure means, where the caller knows better: its tree may have been removed. */
  explain?(error: unknown): unknown;
}

/**
 * Packs a tree into the descriptor `output`, to which the packer writes by itself: nothing goes through this process.
 * @throws ERR_TSRUN_PACK naming the file that could not be read
 */
export async function packTo(options: PackerOptions, job: PackJob, output: number): Promise<PackResult> {
  const { start, workerCommand } = options;
  const process = start([...workerCommand, JSON.stringify(job)], { output });
  process.stdin.end();
  try {
    return await outcomeOf(process);
  } catch (error) {
    throw options.explain?.(error) ?? error;
  }
}

/** An archive that is being written. */
export interface PackedStream {
  /** Its bytes. When the packer fails, the stream fails with the same error, so that no cut archive is taken for a whole one. */
  archive: Readable;
  /** Settles after the last byte was read. */
  result: Promise<PackResult>;
}

/** Packs a tree into a stream. A reader that gives up ends the packer. */
export function packToStream(options: PackerOptions, job: PackJob): PackedStream {
  const { read, write } = makePipe();
  let result: Promise<PackResult>;
  try {
    result = packTo(options, job, write);
  } finally {
    closeSync(write);
  }
  result.catch(() => undefined); // `archive` fails with it
  const bytes = new Socket({ fd: read, readable: true, writable: false });
  const archive = Readable.from(checked(bytes, result), { objectMode: false });
  archive.once('close', () => bytes.destroy());
  return { archive, result };
}

async function* checked(bytes: Readable, result: Promise<PackResult>): AsyncGenerator<Uint8Array, void> {
  for await (const chunk of bytes) yield chunk as Uint8Array;
  await result;
}

function makePipe(): { read: number; write: number } {
  const slots = new Slots();
  const read = slots.new('archive.r');
  const write = slots.new('archive.w');
  const results = nativeRunner.run({
    slots,
    steps: [pipe('user', 'read the archive', read, write, O_CLOEXEC)],
  });
  return { read: results(read), write: results(write) };
}

async function outcomeOf(process: UnpackProcess): Promise<PackResult> {
  const [line, output] = await Promise.all([text(process.result), text(process.stderr)]);
  const ending = process.reap();
  if (!line.endsWith('\n')) {
    throw tsrunError('ERR_TSRUN_PACK_WORKER', { ending, output: output.trim().slice(-2000) });
  }
  const answer = JSON.parse(line) as PackAnswer;
  if (!answer.ok) throw reviveError(answer.error);
  return answer.result;
}
