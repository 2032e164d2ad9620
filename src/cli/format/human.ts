/** Durations, times and sizes as docker words them. */

const HOUR = 3600;
const DAY = 24 * HOUR;

/** `2 minutes`, `About an hour`, `3 weeks`. @param seconds not negative */
export function humanDuration(seconds: number): string {
  const whole = Math.floor(seconds);
  if (whole < 1) return 'Less than a second';
  if (whole === 1) return '1 second';
  if (whole < 60) return `${whole} seconds`;
  const minutes = Math.floor(seconds / 60);
  if (minutes === 1) return 'About a minute';
  if (minutes < 60) return `${minutes} minutes`;
  const hours = Math.round(seconds / HOUR);
  if (hours === 1) return 'About an hour';
  if (hours < 48) return `${hours} hours`;
  const days = Math.floor(seconds / DAY);
  if (days < 14) return `${days} days`;
  if (days < 60) return `${Math.floor(days / 7)} weeks`;
  if (days < 730) return `${Math.floor(days / 30)} months`;
  return `${Math.floor(days / 365)} years`;
}

/** How long `time` (RFC 3339) is ago; clocks may have been set back since. @param now milliseconds since 1970 */
export const durationSince = (time: string, now: number): string =>
  humanDuration(Math.max(0, (now - Date.parse(time)) / 1000));

/** `2 minutes ago` */
export const ago = (time: string, now: number): string => `${durationSince(time, now)} ago`;

/**
 * `2026-01-02 15:04:05 -0500 EST`, in this machine's time zone; where the zone has no letters, its offset stands twice, as in Go.
 * Takes 10 ms at the first call, for the names of time zones.
 */
export function localTime(time: string): string {
  const date = new Date(time);
  if (Number.isNaN(date.getTime())) return '';
  const two = (number: number): string => String(number).padStart(2, '0');
  const offset = -date.getTimezoneOffset();
  const zone = `${offset < 0 ? '-' : '+'}${two(Math.floor(Math.abs(offset) / 60))}${two(Math.abs(offset) % 60)}`;
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  const clock = `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
  return `${day} ${clock} ${zone} ${zoneLetters(date) ?? zone}`;
}

/** `UTC`, `EST`; undefined where there are none. */
function zoneLetters(date: Date): string | undefined {
  const parts = new Intl.DateTimeFormat('en-US', { timeZoneName: 'short' }).formatToParts(date);
  const name = parts.find(({ type }) => type === 'timeZoneName')?.value ?? '';
  return /^[A-Z]{2,5}$/.test(name) ? name : undefined;
}

const UNITS = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'];
const BINARY_UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];

/** @param most what would be rounded to a figure with too many digits */
function scaled(bytes: number, base: number, most: number, units: readonly string[], digits: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= most && unit < units.length - 1) {
    value /= base;
    unit++;
  }
  return `${Number(value.toPrecision(digits))}${units[unit]}`;
}

/** `146MB`, `4.26MB`, `0B`: powers of 1000, three digits that count. */
export const humanSize = (bytes: number): string => scaled(bytes, 1000, 999.5, UNITS, 3);

/** `1.949GiB`, `512KiB`: powers of 1024, four digits that count. */
export const humanBinarySize = (bytes: number): string => scaled(bytes, 1024, 1023.5, BINARY_UNITS, 4);
