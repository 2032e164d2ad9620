/** Whether an image is mounted by `tsrun image mount`: in which namespace nobody keeps a record of, so the processes are asked. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { containersUsing } from './container-layers.ts';
import type { ImageRecord } from './image-record.ts';
import { lookedAt, type StorePaths } from './paths.ts';

function mountsOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/mountinfo`, 'utf8');
  } catch {
    return ''; // it has ended, or is another user's
  }
}

/** The directory that it is mounted on is there only while it is, or when its namespace ended without `image unmount`. */
export function isImageMounted(paths: StorePaths, imageId: string): boolean {
  const mountpoint = lookedAt(paths, imageId);
  if (!existsSync(mountpoint)) return false;
  // mountinfo writes a space as \040 (proc(5)).
  const field = ` ${mountpoint.replace(/[ \t\n\\]/g, (c) => `\\${c.charCodeAt(0).toString(8).padStart(3, '0')}`)} `;
  return readdirSync('/proc').some((name) => /^\d+$/.test(name) && mountsOf(name).includes(field));
}

/** Whether containers or `image mount` need it. */
export const isImageUsed = (paths: StorePaths, record: ImageRecord): boolean =>
  containersUsing(paths, record).length > 0 || isImageMounted(paths, record.imageId);
