/** Reading a container's log: what the rotated files and the current one hold, then what comes. */
import { dirname } from 'node:path';
import { tsrunError } from '../errors.ts';
import { type ContainerView, viewContainer } from './container-view.ts';
import { type LineFile, openLineFiles } from './line-file.ts';
import { isWanted, type LogOptions, type LogRecord, lastLines, parseLogLine } from './log-record.ts';
import { logFile } from './log-spec.ts';
import type { Engine } from './open-engine.ts';
import { watchDirectory } from './watch-directory.ts';

/** How often a followed log is looked at, should the watch not say anything. */
const LOOK_MS = 250;

/** Yields what is in the log; with `follow`, what comes until the container has ended. */
export async function* readLogs(
  engine: Engine,
  view: ContainerView,
  options: LogOptions,
): AsyncGenerator<LogRecord> {
  const { logDriver } = view.record;
  if (logDriver === 'none' || logDriver === 'passthrough') {
    throw tsrunError('ERR_TSRUN_USAGE', {
      problem: `container ${view.name} keeps no log: it was made with --log-driver ${logDriver}`,
      hint: logDriver === 'none' ? `tsrun attach ${view.name}` : undefined,
    });
  }
  const path = logFile(engine.paths, view.record);
  if (path === undefined) {
    const { readJournal } = await import('./read-journal.ts');
    for await (const record of readJournal(engine, view, options)) yield record;
    return;
  }
  const files = openLineFiles(path, parseLogLine);
  const newest = files.at(-1);
  const records = files.flatMap((file) => [...file.lines()]).filter((record) => isWanted(record, options));
  for (const file of files) if (file !== newest || !options.follow) file.close();
  yield* options.tail === undefined ? records : lastLines(records, options.tail);
  if (!options.follow) return;
  for await (const record of followLog(engine, view, path, newest, options.signal)) {
    if (isWanted(record, options)) yield record;
  }
}

/** What comes after the end of `newest`, across rotations, until the container has ended. Closes the file. */
async function* followLog(
  engine: Engine,
  view: ContainerView,
  path: string,
  newest: LineFile<LogRecord> | undefined,
  signal: AbortSignal | undefined,
): AsyncGenerator<LogRecord> {
  using changes = watchDirectory(dirname(path));
  let current = newest;
  try {
    for (;;) {
      // Whether it has ended is asked before the last look, so that nothing written in between is missed.
      const record = engine.containers.read(view.id);
      const ended = !record || viewContainer(engine, record).state.phase === 'exited';
      yield* current?.lines() ?? [];
      const newer = openLineFiles(path, parseLogLine, current);
      for (const file of newer) {
        yield* current?.lines() ?? []; // what came between the look above and the rotation
        current?.close();
        current = file;
      }
      if (newer.length > 0) continue;
      if (ended || signal?.aborted) return;
      await changes.next(LOOK_MS);
    }
  } finally {
    current?.close();
  }
}
