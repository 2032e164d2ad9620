/** `tsrun pull --os OS --arch ARCHITECTURE --variant VARIANT`: podman's way to write `--platform`. */
import { formatPlatform, hostPlatform, parsePlatform } from '../../spec/platform.ts';
import { usageError } from './usage.ts';

interface Given {
  platform: string | undefined;
  os: string | undefined;
  arch: string | undefined;
  variant: string | undefined;
}

/** One part of a platform; a slash would make several of it. */
export const platformPart =
  (option: string) =>
  (text: string): string => {
    if (/^[A-Za-z0-9_.-]+$/.test(text)) return text;
    throw usageError(`${option} ${text}: not a part of a platform`, '--platform linux/arm/v7');
  };

/** `os/architecture[/variant]`, what is not said being this machine's; undefined: nothing was said. Throws ERR_TSRUN_USAGE. */
export function chosenPlatform({ platform, os, arch, variant }: Given): string | undefined {
  if (os === undefined && arch === undefined && variant === undefined) return platform;
  if (platform !== undefined)
    throw usageError(
      '--platform and --os, --arch, --variant contradict each other',
      '--platform linux/arm/v7',
    );
  const own = hostPlatform(process.arch);
  const parts = [os ?? own.os, arch ?? own.architecture, ...(variant === undefined ? [] : [variant])];
  return formatPlatform(parsePlatform(parts.join('/')));
}
