/** Sizes in bytes as docker and podman read them: `64m`, `1g`, `1.5GiB`, `4096`; the units are powers of 1024. */
import { usageError } from './usage.ts';

const UNITS = ['', 'k', 'm', 'g', 't', 'p'];

/** Bytes, rounded down. `option` names the option in the error. Throws ERR_TSRUN_USAGE. */
export function parseSize(text: string, option: string): number {
  const [, figure, unit = ''] = /^(\d+(?:\.\d+)?) ?([kmgtp]?)(?:i?b)?$/i.exec(text.trim()) ?? [];
  const bytes = Math.floor(Number(figure) * 1024 ** UNITS.indexOf(unit.toLowerCase()));
  if (figure !== undefined && Number.isSafeInteger(bytes)) return bytes;
  throw usageError(`${option} ${text}: not a size`, `${option} 64m`);
}
