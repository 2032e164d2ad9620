/** Reading the log of events (store/event-log.ts): what is there, and what comes. */
import { statSync } from 'node:fs';
import { dirname } from 'node:path';
import { parseEvent, type StoredEvent } from '../store/event-log.ts';
import { eventLogPath } from '../store/paths.ts';
import { type LineFile, openLineFiles } from './line-file.ts';
import { compareTimes } from './log-record.ts';
import type { Engine } from './open-engine.ts';
import { watchDirectory } from './watch-directory.ts';

export interface EventOptions {
  /** RFC 3339; events at or after. With `follow`, undefined = those to come */
  since?: string | undefined;
  until?: string | undefined;
  /** Go on with what comes, until `until` or for ever. */
  follow: boolean;
  signal?: AbortSignal | undefined;
}

/** How often a followed log is looked at, should the watch not say anything. */
const LOOK_MS = 250;

/** A supervisor knows the name that its container had when it was started: after a rename, events have the new one. */
class Names {
  readonly #renamed = new Map<string, string>();
  current(event: StoredEvent): StoredEvent {
    const { id, name, status } = event;
    if (event.type !== 'container' || id === undefined) return event;
    if (status === 'rename' && name !== undefined) this.#renamed.set(id, name);
    const now = this.#renamed.get(id);
    return now === undefined ? event : { ...event, name: now };
  }
}

const parseLine = (line: Buffer): StoredEvent | undefined => parseEvent(line.toString());

/** The log's files, of which the last but one may still get a line, from a writer that had it open when it was rotated. */
class EventFiles {
  readonly #path: string;
  readonly #names = new Names();
  #files: LineFile<StoredEvent>[];

  constructor(path: string) {
    this.#path = path;
    this.#files = openLineFiles(path, parseLine);
  }

  /** What is there by now and has not been read. */
  *events(): Generator<StoredEvent> {
    const newest = this.#files.at(-1);
    const now = statSync(this.#path, { throwIfNoEntry: false });
    if (now && now.ino !== newest?.inode) this.#files.push(...openLineFiles(this.#path, parseLine, newest));
    for (const file of this.#files) for (const event of file.lines()) yield this.#names.current(event);
    while (this.#files.length > 2) this.#files.shift()?.close();
  }

  [Symbol.dispose](): void {
    for (const file of this.#files) file.close();
  }
}

/** The events of the log, in their order. */
export async function* readEvents(engine: Engine, options: EventOptions): AsyncGenerator<StoredEvent> {
  const { since, until, follow, signal } = options;
  const path = eventLogPath(engine.paths);
  using changes = follow ? watchDirectory(dirname(path)) : undefined;
  using files = new EventFiles(path);
  const isWanted = ({ time }: StoredEvent): boolean =>
    (since === undefined || compareTimes(time, since) >= 0) &&
    (until === undefined || compareTimes(time, until) <= 0);
  const end = until === undefined ? Number.POSITIVE_INFINITY : Date.parse(until);
  for (let isFirst = true; ; isFirst = false) {
    const isOver = !follow || signal?.aborted || Date.now() > end;
    // Without --since, what is there already is only read for the names in it.
    const isShown = !isFirst || !follow || since !== undefined;
    for (const event of files.events()) if (isShown && isWanted(event)) yield event;
    if (isOver) return;
    await changes?.next(Math.min(LOOK_MS, Math.max(1, end - Date.now() + 1)));
  }
}
