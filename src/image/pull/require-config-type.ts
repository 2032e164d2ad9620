/** What the configuration of an image is, before it is fetched. */
import { tsrunError } from '../../errors.ts';
import type { Descriptor } from '../../spec/image.ts';
import { isArtifactConfig } from '../../spec/media-types.ts';

const CONFIG_LIMIT_BYTES = 8 << 20;

/** Throws ERR_TSRUN_MEDIA_TYPE for an artifact, ERR_TSRUN_DOCUMENT. */
export function requireConfigType(config: Descriptor, reference: string): void {
  if (isArtifactConfig(config.mediaType)) {
    const expected = 'the configuration of a container image';
    const what = `${reference} is an artifact: its config`;
    throw tsrunError('ERR_TSRUN_MEDIA_TYPE', { what, mediaType: config.mediaType, expected });
  }
  if (config.size <= CONFIG_LIMIT_BYTES) return;
  const problem = `it has ${config.size} bytes, more than ${CONFIG_LIMIT_BYTES >> 20} MiB`;
  throw tsrunError('ERR_TSRUN_DOCUMENT', { what: `the config of ${reference}`, problem });
}
