/** A container's log in systemd's journal, read with journalctl(1) as JSON. */
import { execFile } from 'node:child_process';
import { setTimeout } from 'node:timers/promises';
import { tsrunError } from '../errors.ts';
import { type ContainerView, viewContainer } from './container-view.ts';
import { isWanted, type LogOptions, type LogRecord, lastLines } from './log-record.ts';
import type { Engine } from './open-engine.ts';

/** How often a followed journal is looked at. */
const LOOK_MS = 1000;
const PRIORITY_ERROR = '3';
const MOST_BYTES = 1 << 30;

interface Entry {
  __CURSOR: string;
  /** Microseconds since 1970. */
  __REALTIME_TIMESTAMP: string;
  /** A list of bytes when it is no text. */
  MESSAGE: string | number[];
  PRIORITY?: string;
  CONTAINER_PARTIAL_MESSAGE?: string;
}

function toRecord(entry: Entry): LogRecord {
  const micros = BigInt(entry.__REALTIME_TIMESTAMP);
  const time = new Date(Number(micros / 1000n)).toISOString().slice(0, 19);
  return {
    time: `${time}.${String(micros % 1_000_000n).padStart(6, '0')}000Z`,
    stream: entry.PRIORITY === PRIORITY_ERROR ? 'stderr' : 'stdout',
    partial: entry.CONTAINER_PARTIAL_MESSAGE === 'true',
    bytes: Buffer.from(entry.MESSAGE as string),
  };
}

/** The entries after `cursor`. @throws ERR_TSRUN_USAGE with journalctl's own words */
function readEntries(id: string, cursor: string | undefined): Promise<Entry[]> {
  const after = cursor === undefined ? [] : [`--after-cursor=${cursor}`];
  const words = ['--quiet', '--all', '--no-pager', '--output=json', ...after, `CONTAINER_ID_FULL=${id}`];
  return new Promise((resolve, reject) => {
    execFile('journalctl', words, { maxBuffer: MOST_BYTES }, (error, stdout, stderr) => {
      const lines = stdout.split('\n').filter((line) => line !== '');
      if (!error || (stderr === '' && error.code === 1))
        resolve(lines.map((line) => JSON.parse(line) as Entry));
      else reject(unreadable(error, stderr));
    });
  });
}

const unreadable = (cause: Error, words: string): Error =>
  tsrunError(
    'ERR_TSRUN_USAGE',
    { problem: `the journal cannot be read: ${words.trim() || cause.message}`, hint: 'journalctl --user' },
    cause,
  );

/** Yields what the journal has; with `follow`, what comes until the container has ended. */
export async function* readJournal(
  engine: Engine,
  view: ContainerView,
  options: LogOptions,
): AsyncGenerator<LogRecord> {
  let entries = await readEntries(view.id, undefined);
  const records = entries.map(toRecord).filter((record) => isWanted(record, options));
  yield* options.tail === undefined ? records : lastLines(records, options.tail);
  let cursor = entries.at(-1)?.__CURSOR;
  while (options.follow && !options.signal?.aborted) {
    const record = engine.containers.read(view.id);
    const ended = !record || viewContainer(engine, record).state.phase === 'exited';
    await setTimeout(LOOK_MS);
    entries = await readEntries(view.id, cursor);
    cursor = entries.at(-1)?.__CURSOR ?? cursor;
    for (const line of entries.map(toRecord)) if (isWanted(line, options)) yield line;
    if (ended) return;
  }
}
