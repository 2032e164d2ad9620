/** `tsrun import`: the archive of a root file system becomes an image of one layer. */

import { createReadStream } from 'node:fs';
import {
  decompressByProgram,
  HEAD_BYTES,
  sniffProgramCompression,
} from '../image/archive/decompress-by-program.ts';
import { READ_BYTES } from '../image/archive/file-set.ts';
import { openInput } from '../image/archive/open-archive.ts';
import { takeHead } from '../image/archive/take-head.ts';
import { makeImage } from '../image/make/make-image.ts';
import { spoolLayer } from '../image/make/spool-layer.ts';
import { admission } from '../image/policy/admit-image.ts';
import type { PullListener } from '../image/pull/events.ts';
import type { UnpackLimits } from '../image/unpack/limits.ts';
import type { ImageRunConfig, Platform } from '../spec/image.ts';
import { applyChange } from '../spec/image-change.ts';
import type { Reference } from '../spec/reference.ts';
import { logImageEvent } from '../store/event-log.ts';
import type { ImageRecord } from '../store/image-record.ts';
import { download, isUrl } from './download.ts';
import type { Engine } from './open-engine.ts';
import { unpackLimits } from './unpack-limits.ts';
import { engineHooks, engineUnpacker } from './unpacker.ts';

export interface ImportOptions {
  /** A file, a URL of http or https, or `-` for standard input. */
  source: string;
  name: Reference | undefined;
  /** Instructions of a Dockerfile. */
  changes: readonly string[];
  message: string | undefined;
  platform: Platform;
  /** --signature-policy */
  signaturePolicy?: string | undefined;
  onEvent: PullListener;
}

/** @throws ERR_TSRUN_USAGE, ERR_TSRUN_INPUT_FILE, ERR_TSRUN_DOWNLOAD, ERR_TSRUN_LAYER_… for what is no such archive, ERR_TSRUN_POLICY_REFUSED */
export async function importImage(engine: Engine, options: ImportOptions): Promise<ImageRecord> {
  const { source, name, platform, message } = options;
  const run = options.changes.reduce<ImageRunConfig>(applyChange, {});
  const limits = await unpackLimits();
  const input = withoutForeignCompression(sourceLabel(source), await openSource(source), limits);
  using layer = await spoolLayer(engine.paths, input, limits);
  const created = new Date().toISOString();
  const comment = message ?? `Imported from ${source}`;
  const image = await makeImage({
    paths: engine.paths,
    unpacker: engineUnpacker(engine),
    hooks: engineHooks(engine),
    emit: options.onEvent,
    layer,
    admit: admission({ identity: { transport: 'tarball' } }, { file: options.signaturePolicy }),
    config: { created, ...platform, config: run },
    history: { created, created_by: `tsrun import ${source}`, comment },
    name,
  });
  logImageEvent(engine.paths, 'import', image.imageId, image.reference);
  return image;
}

const sourceLabel = (source: string): string =>
  source === '-' ? 'archive from standard input' : `archive ${source}`;

async function openSource(source: string): Promise<AsyncIterable<Uint8Array>> {
  if (isUrl(source)) return await download(source);
  const fd = source === '-' ? 0 : openInput(source);
  return createReadStream('', { fd, highWaterMark: READ_BYTES });
}

/** What is compressed as no layer may be is decompressed. */
async function* withoutForeignCompression(
  label: string,
  input: AsyncIterable<Uint8Array>,
  limits: UnpackLimits,
): AsyncGenerator<Uint8Array> {
  const { head, all } = await takeHead(input, HEAD_BYTES);
  const program = sniffProgramCompression(head);
  yield* program === undefined ? all : decompressByProgram(label, all, program, limits);
}
