import type { Platform } from '../spec/image.ts';
import type { StorePaths } from '../store/paths.ts';
import type { Admission } from './policy/admit-image.ts';
import type { PullListener } from './pull/events.ts';
import type { ImageSource } from './pull/image-source.ts';

/** What is to be fetched of an image that goes from one place to another, and is not unpacked. */
export interface TransitOptions {
  paths: StorePaths;
  source: ImageSource;
  /** Full reference; undefined for an image without a name. */
  name: string | undefined;
  /** How messages call it. */
  label: string;
  platform: Platform;
  /** The user asked for it: an image without an index must be for it. */
  isPlatformExplicit: boolean;
  /** As in fetchImage(). */
  admit: Admission;
  emit: PullListener;
}
