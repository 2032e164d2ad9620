import { call } from './calls.ts';
import { nativeRunner } from './run.ts';
import { Slots } from './step.ts';

const CLOCK_REALTIME = 0;
const DAY = 86_400;

/** Year, month and day of a day counted from 1970-01-01, in the calendar without end (http://howardhinnant.github.io/date_algorithms.html). */
function dateOf(day: number): [year: number, month: number, day: number] {
  const z = day + 719_468; // from 0000-03-01: a leap day is the last day of its year
  const era = Math.floor(z / 146_097);
  const ofEra = z - era * 146_097;
  const yearOfEra = Math.floor(
    (ofEra - Math.floor(ofEra / 1460) + Math.floor(ofEra / 36_524) - Math.floor(ofEra / 146_096)) / 365,
  );
  const ofYear = ofEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const fromMarch = Math.floor((5 * ofYear + 2) / 153);
  const month = fromMarch < 10 ? fromMarch + 3 : fromMarch - 9;
  const dayOfMonth = ofYear - Math.floor((153 * fromMarch + 2) / 5) + 1;
  return [yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfMonth];
}

const digits = (value: number, count: number): string => `${value}`.padStart(count, '0');

/** `seconds` and `nanoseconds` since 1970 as RFC 3339 has them: `2026-01-02T15:04:05.123456789Z` */
export function rfc3339(seconds: number, nanoseconds: number): string {
  const day = Math.floor(seconds / DAY);
  const ofDay = seconds - day * DAY;
  const [year, month, dayOfMonth] = dateOf(day);
  const time = [Math.floor(ofDay / 3600), Math.floor(ofDay / 60) % 60, ofDay % 60];
  return `${digits(year, 4)}-${digits(month, 2)}-${digits(dayOfMonth, 2)}T${time.map((part) => digits(part, 2)).join(':')}.${digits(nanoseconds, 9)}Z`;
}

/**
 * This moment as the supervisor writes it, with the nanoseconds of clock_gettime(2). Date knows milliseconds only, and reads the time zone when it is
 * first used, which costs 0.5 ms of every start; performance.now() takes 2 ms to load.
 */
export function timestamp(): string {
  const slots = new Slots();
  const [seconds, nanoseconds] = [slots.new('seconds'), slots.new('nanoseconds')];
  const timespec = {
    fields: [
      { width: 8, into: seconds },
      { width: 8, into: nanoseconds },
    ],
  } as const;
  const steps = [call('user', 'know what time it is', 'clock_gettime', [CLOCK_REALTIME, timespec])];
  const results = nativeRunner.run({ slots, steps });
  return rfc3339(results(seconds), results(nanoseconds));
}
