/** Sizes in bytes as docker and podman read them: `64m`, `1g`, `1.5GiB`, `4096`; the units are powers of 1024. */
const UNITS = ['', 'k', 'm', 'g', 't', 'p'];

/** Bytes, rounded down; undefined for what is no size. */
export function bytesOf(text: string): number | undefined {
  const [, figure, unit = ''] = /^(\d+(?:\.\d+)?) ?([kmgtp]?)(?:i?b)?$/i.exec(text.trim()) ?? [];
  if (figure === undefined) return undefined;
  const bytes = Math.floor(Number(figure) * 1024 ** UNITS.indexOf(unit.toLowerCase()));
  return Number.isSafeInteger(bytes) ? bytes : undefined;
}
