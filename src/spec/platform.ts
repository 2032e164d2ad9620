/**
 * Platforms: which entry of an index is for this machine (image-spec image-index.md, `platform`).
 *
 * Variants are ordered: an arm v7 machine runs v6 and v5, arm64 means v8, amd64 means v1. What is not asked for by variant gets
 * the baseline, so that an image never needs more than the machine surely has.
 */
import { tsrunError } from '../errors.ts';
import type { Descriptor, Platform } from './image.ts';

const ARCHITECTURES: Record<string, { architecture: string; variant?: string }> = {
  x64: { architecture: 'amd64' },
  x86_64: { architecture: 'amd64' },
  'x86-64': { architecture: 'amd64' },
  aarch64: { architecture: 'arm64' },
  ia32: { architecture: '386' },
  i386: { architecture: '386' },
  i686: { architecture: '386' },
  armhf: { architecture: 'arm', variant: 'v7' },
  armel: { architecture: 'arm', variant: 'v6' },
};
/** The variant that an absent one means. */
const DEFAULT_VARIANTS: Record<string, string> = { amd64: 'v1', arm64: 'v8', arm: 'v7' };

function normalize(platform: Platform): Platform & { variant: string } {
  const known = ARCHITECTURES[platform.architecture.toLowerCase()];
  const architecture = known?.architecture ?? platform.architecture.toLowerCase();
  const variant = platform.variant ?? known?.variant ?? DEFAULT_VARIANTS[architecture] ?? '';
  return {
    os: platform.os.toLowerCase(),
    architecture,
    variant: /^\d/.test(variant) ? `v${variant}` : variant,
  };
}

/** The platform of a machine that Node calls `arch` (process.arch). */
export function hostPlatform(arch: string): Platform {
  const { os, architecture } = normalize({ os: 'linux', architecture: arch });
  return { os, architecture };
}

/** `linux/arm64/v8` and its parts: `linux/arm64`, `arm64`. Throws ERR_TSRUN_USAGE. */
export function parsePlatform(text: string): Platform {
  const parts = text.split('/');
  const [first = '', second, third] = parts;
  if (parts.length > 3 || parts.some((part) => !/^[A-Za-z0-9_.-]+$/.test(part))) {
    const problem = `"${text}" is not a platform`;
    throw tsrunError('ERR_TSRUN_USAGE', { problem, hint: '--platform linux/amd64' });
  }
  const written: Platform =
    second === undefined ? { os: 'linux', architecture: first } : { os: first, architecture: second };
  if (third !== undefined) written.variant = third;
  const { os, architecture, variant } = normalize(written);
  return variant === (DEFAULT_VARIANTS[architecture] ?? '')
    ? { os, architecture }
    : { os, architecture, variant };
}

export function formatPlatform(platform: Platform): string {
  return [platform.os, platform.architecture, platform.variant].filter((part) => part).join('/');
}

const variantNumber = (variant: string): number => Number(/^v(\d+)/.exec(variant)?.[1] ?? Number.NaN);

/** How well `offered` serves `wanted`: 0 is exact, more is worse, undefined not at all. */
export function platformDistance(wanted: Platform, offered: Platform): number | undefined {
  const want = normalize(wanted);
  const offer = normalize(offered);
  if (want.os !== offer.os || want.architecture !== offer.architecture) return undefined;
  if (want.variant === offer.variant) return 0;
  const distance = variantNumber(want.variant) - variantNumber(offer.variant);
  return distance > 0 ? distance : undefined;
}

/** Throws ERR_TSRUN_PLATFORM unless an image for `offered` serves `wanted`. */
export function requirePlatform(reference: string, wanted: Platform, offered: Platform): void {
  if (platformDistance(wanted, offered) !== undefined) return;
  const available = [formatPlatform(offered)];
  throw tsrunError('ERR_TSRUN_PLATFORM', { reference, wanted: formatPlatform(wanted), available });
}

/** Attestations and signatures that builders put beside the images (`unknown/unknown`). */
function isImage(descriptor: Descriptor): boolean {
  if (descriptor.artifactType !== undefined) return false;
  return (
    descriptor.annotations?.['vnd.docker.reference.type'] === undefined &&
    descriptor.platform?.os !== 'unknown'
  );
}

/**
 * The entry of an index that serves `wanted` best, the first among equals. An index of a single entry without a platform
 * serves everybody. Throws ERR_TSRUN_PLATFORM with the platforms that exist.
 */
export function choosePlatform(
  reference: string,
  manifests: readonly Descriptor[],
  wanted: Platform,
): Descriptor {
  const images = manifests.filter(isImage);
  let best: { descriptor: Descriptor; distance: number } | undefined;
  for (const descriptor of images) {
    const distance = descriptor.platform && platformDistance(wanted, descriptor.platform);
    if (distance !== undefined && (best === undefined || distance < best.distance))
      best = { descriptor, distance };
  }
  if (best !== undefined) return best.descriptor;
  const [only] = images;
  if (images.length === 1 && only !== undefined && only.platform === undefined) return only;
  const available = images.flatMap((d) => (d.platform === undefined ? [] : [formatPlatform(d.platform)]));
  throw tsrunError('ERR_TSRUN_PLATFORM', {
    reference,
    wanted: formatPlatform(wanted),
    available: [...new Set(available)],
  });
}
