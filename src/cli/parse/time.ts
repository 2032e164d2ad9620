/** Moments as `--since` and `--until` take them. */
import { usageError } from './usage.ts';

const UNIT_MS: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
};

/** `1h30m`, `10s` in milliseconds; undefined when it is none. */
export function parseDuration(text: string): number | undefined {
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)/g)];
  if (parts.length === 0 || parts.map(([part]) => part).join('') !== text) return undefined;
  return parts.reduce((sum, [, figure, unit = '']) => sum + Number(figure) * (UNIT_MS[unit] ?? 0), 0);
}

/**
 * RFC 3339 in UTC of `2026-01-02T15:04:05.5Z` (kept to the nanosecond), a date, a date and time of this machine's zone, seconds since 1970,
 * or so long ago: `10m`. Throws ERR_TSRUN_USAGE.
 *
 * @param option as it is written before the time: `--since`, `--filter until=`; @param now milliseconds since 1970
 * @param direction where a duration leads from now
 */
export function parseMoment(
  text: string,
  option: string,
  now: number,
  direction: 'ago' | 'ahead' = 'ago',
): string {
  const words = option.endsWith('=') ? option : `${option} `;
  const fail = (): Error =>
    usageError(`${words}${text}: not a time`, `${words}10m   # or ${words}2026-01-02T15:04:05Z`);
  const iso = (ms: number): string => {
    if (Number.isNaN(new Date(ms).getTime())) throw fail();
    return new Date(ms).toISOString();
  };
  const duration = parseDuration(text);
  if (duration !== undefined) return iso(direction === 'ago' ? now - duration : now + duration);
  if (/^\d+(?:\.\d+)?$/.test(text)) return iso(Number(text) * 1000);
  const [, whole = '', fraction = '', zone = ''] =
    /^(\d{4}-\d\d-\d\d(?:[T ]\d\d(?::\d\d(?::\d\d)?)?)?)(\.\d{1,9})?(Z|[+-]\d\d:?\d\d)?$/.exec(text) ?? [];
  if (whole === '') throw fail();
  const time = /^.{10}[T ]\d\d$/.test(whole) ? `${whole}:00` : whole;
  const seconds = Date.parse(
    time.length === 10 ? `${time}T00:00:00${zone}` : `${time.replace(' ', 'T')}${zone}`,
  );
  return iso(seconds).replace(/\.\d{3}Z$/, `${fraction}Z`);
}
