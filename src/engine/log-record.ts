/**
 * One record of a container's log, as the drivers write it. k8s-file: `2026-01-02T15:04:05.123456789Z stdout F text`; `F` is a full line,
 * `P` a part, without the newline that the log's own line ends in. json-file: docker's
 * `{"log":"text\n","stream":"stdout","time":"2026-01-02T15:04:05.123456789Z"}`.
 */

export interface LogRecord {
  /** RFC 3339 with nanoseconds, UTC */
  time: string;
  stream: 'stdout' | 'stderr';
  /** The record is a part of a line: no newline follows it. */
  partial: boolean;
  bytes: Buffer;
}

export interface LogOptions {
  follow: boolean;
  /** RFC 3339; records at or after */
  since?: string | undefined;
  until?: string | undefined;
  /** How many of the last lines; undefined = all */
  tail?: number | undefined;
  signal?: AbortSignal | undefined;
}

const BRACE = 123;

/** One line of the log, without its newline; undefined when it is none (a torn line after a power cut). */
export function parseLogLine(line: Buffer): LogRecord | undefined {
  if (line[0] === BRACE) return parseJsonLine(line);
  const match = /^(\S+) (stdout|stderr) ([FP]) /.exec(line.toString('latin1', 0, 80));
  if (!match) return undefined;
  const [head, time = '', stream = 'stdout', flag] = match;
  return {
    time,
    stream: stream as 'stdout' | 'stderr',
    partial: flag === 'P',
    bytes: line.subarray(head.length),
  };
}

function parseJsonLine(line: Buffer): LogRecord | undefined {
  try {
    const { log, stream, time } = JSON.parse(line.toString()) as Record<string, unknown>;
    if (typeof log !== 'string' || typeof time !== 'string') return undefined;
    const partial = !log.endsWith('\n');
    const bytes = Buffer.from(partial ? log : log.slice(0, -1));
    return { time, stream: stream === 'stderr' ? 'stderr' : 'stdout', partial, bytes };
  } catch {
    return undefined; // torn by a power cut, as above
  }
}

export const isWanted = (record: LogRecord, { since, until }: LogOptions): boolean =>
  (since === undefined || compareTimes(record.time, since) >= 0) &&
  (until === undefined || compareTimes(record.time, until) <= 0);

/** Compares RFC 3339 times in UTC, which may have different numbers of fractional digits. */
export function compareTimes(a: string, b: string): number {
  const normal = (time: string): string => {
    const [whole = '', fraction = ''] = time.replace(/Z$/, '').split('.');
    return `${whole}.${fraction.padEnd(9, '0')}`;
  };
  return normal(a) < normal(b) ? -1 : normal(a) > normal(b) ? 1 : 0;
}

/** The last `count` lines: parts belong to the line that their F record ends. */
export function lastLines(records: LogRecord[], count: number): LogRecord[] {
  let lines = 0;
  for (let i = records.length - 1; i >= 0; i--) {
    const endsLine = records[i]?.partial === false || i === records.length - 1;
    if (endsLine && ++lines > count) return records.slice(i + 1);
  }
  return records;
}
