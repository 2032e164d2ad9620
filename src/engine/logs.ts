/**
 * Reading a container's log: k8s-file lines (`2026-01-02T15:04:05.123456789Z stdout F text`), rotated by rename (container.log →
 * container.log.1 …). `F` is a full line; `P` a part, without the newline that the log's own line ends in. Lines of json-file are
 * docker's: `{"log":"text\n","stream":"stdout","time":"2026-01-02T15:04:05.123456789Z"}`.
 */
import { closeSync, fstatSync, openSync, readSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { tsrunError } from '../errors.ts';
import { type ContainerView, viewContainer } from './container-view.ts';
import { logFile } from './log-spec.ts';
import type { Engine } from './open-engine.ts';
import { watchDirectory } from './watch-directory.ts';

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

const NEWLINE = 10;
const BRACE = 123;
const CHUNK = 1 << 16;
/** How often a followed log is looked at, should the watch not say anything. */
const LOOK_MS = 250;

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

/** Reads one file to its end, again and again, line by line. */
class LogFile {
  readonly #fd: number;
  #rest = Buffer.alloc(0);
  constructor(path: string) {
    this.#fd = openSync(path, 'r');
  }
  get inode(): number {
    return fstatSync(this.#fd).ino;
  }
  /** The lines that are complete by now. */
  *lines(): Generator<LogRecord> {
    const chunk = Buffer.alloc(CHUNK);
    for (;;) {
      const length = readSync(this.#fd, chunk, 0, chunk.length, null);
      if (length === 0) return;
      const bytes = Buffer.concat([this.#rest, chunk.subarray(0, length)]);
      let start = 0;
      for (let end = bytes.indexOf(NEWLINE); end !== -1; end = bytes.indexOf(NEWLINE, start)) {
        const record = parseLogLine(bytes.subarray(start, end));
        if (record) yield record;
        start = end + 1;
      }
      this.#rest = Buffer.from(bytes.subarray(start));
    }
  }
  close(): void {
    closeSync(this.#fd);
  }
}

function openLog(path: string): LogFile | undefined {
  try {
    return new LogFile(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** The rotated files that are there, the oldest first. */
function rotated(path: string): string[] {
  const found: string[] = [];
  for (let n = 1; statSync(`${path}.${n}`, { throwIfNoEntry: false }); n++) found.unshift(`${path}.${n}`);
  return found;
}

export const isWanted = (record: LogRecord, { since, until }: LogOptions): boolean =>
  (since === undefined || compareTimes(record.time, since) >= 0) &&
  (until === undefined || compareTimes(record.time, until) <= 0);

/** Compares RFC 3339 times in UTC, which may have different numbers of fractional digits. */
function compareTimes(a: string, b: string): number {
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

/** Yields what is in the log; with `follow`, what comes until the container has ended. */
export async function* readLogs(
  engine: Engine,
  view: ContainerView,
  options: LogOptions,
): AsyncGenerator<LogRecord> {
  if (view.record.logDriver === 'none') {
    throw tsrunError('ERR_TSRUN_USAGE', {
      problem: `container ${view.name} keeps no log: it was made with --log-driver none`,
      hint: `tsrun attach ${view.name}`,
    });
  }
  const path = logFile(engine.paths, view.record);
  if (path === undefined) {
    const { readJournal } = await import('./read-journal.ts');
    for await (const record of readJournal(engine, view, options)) yield record;
    return;
  }
  const old: LogRecord[] = [];
  for (const name of rotated(path)) {
    const file = openLog(name);
    if (file) old.push(...file.lines());
    file?.close();
  }
  let current = openLog(path);
  const records = [...old, ...(current?.lines() ?? [])].filter((record) => isWanted(record, options));
  yield* options.tail === undefined ? records : lastLines(records, options.tail);
  if (!options.follow) return;
  using changes = watchDirectory(dirname(path));
  for (;;) {
    // Whether it has ended is asked before the last look, so that nothing written in between is missed.
    const record = engine.containers.read(view.id);
    const ended = !record || viewContainer(engine, record).state.phase === 'exited';
    for (const line of current?.lines() ?? []) if (isWanted(line, options)) yield line;
    const now = statSync(path, { throwIfNoEntry: false });
    if (now && now.ino !== current?.inode) {
      current?.close();
      current = openLog(path);
      continue;
    }
    if (ended || options.signal?.aborted) return;
    await changes.next(LOOK_MS);
  }
}
