import type { Platform } from '../spec/image.ts';
import { parsePlatform, platformDistance } from '../spec/platform.ts';
import type { ImageRecord } from '../store/image-record.ts';

/** Whether an image of the store is for a platform. */
export function servesPlatform(record: ImageRecord, wanted: Platform): boolean {
  return platformDistance(wanted, parsePlatform(record.platform)) !== undefined;
}
