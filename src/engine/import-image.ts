/** `tsrun import`: the archive of a root file system becomes an image of one layer. */

import { createReadStream } from 'node:fs';
import { archiveError, READ_BYTES } from '../image/archive/file-set.ts';
import { openInput } from '../image/archive/open-archive.ts';
import { makeImage } from '../image/make/make-image.ts';
import { spoolLayer } from '../image/make/spool-layer.ts';
import { admission } from '../image/policy/admit-image.ts';
import type { PullListener } from '../image/pull/events.ts';
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
  using layer = await spoolLayer(
    engine.paths,
    checked(source, await openSource(source)),
    await unpackLimits(),
  );
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

async function openSource(source: string): Promise<AsyncIterable<Uint8Array>> {
  if (isUrl(source)) return await download(source);
  const fd = source === '-' ? 0 : openInput(source);
  return createReadStream('', { fd, highWaterMark: READ_BYTES });
}

const FOREIGN: readonly (readonly [start: string, name: string])[] = [
  ['fd377a58', 'xz'],
  ['425a68', 'bzip2'],
];

/** Compressions that an image cannot have are refused before anything is kept of them. */
async function* checked(source: string, input: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let isFirst = true;
  for await (const chunk of input) {
    const start = Buffer.from(chunk.subarray(0, 4)).toString('hex');
    const [, foreign] = FOREIGN.find(([bytes]) => isFirst && start.startsWith(bytes)) ?? [];
    if (foreign !== undefined)
      throw archiveError(source, `it is compressed by ${foreign}: ${foreign} -dc FILE | tsrun import -`);
    isFirst = false;
    yield chunk;
  }
}
