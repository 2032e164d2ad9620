/**
 * The log of what has happened: one for all of a user's containers, images, volumes and networks. Commands add to it, and supervisors
 * (native/supervisor/event-log.c), which are the only ones to know when a container ends.
 *
 *     {"time":"2026-01-02T15:04:05.123456789Z","status":"died","exitCode":1,"type":"container","id":"…","name":"web","image":"…"}
 *
 * Nobody serves it, and nobody waits for anybody: a line is one write(2) with O_APPEND, which the kernel makes whole. What a power cut or a
 * full disk left of a line is passed over by the reader. At EVENT_LOG_MAX bytes events.log becomes events.log.1, in place of the older one.
 */
import { closeSync, fstatSync, openSync, renameSync, statSync, writeSync } from 'node:fs';
import { EVENT_LOG_MAX } from '../supervisor/protocol.ts';
import { timestamp } from '../sys/clock.ts';
import { flock } from '../sys/flock.ts';
import { eventLogPath, type StorePaths } from './paths.ts';

export type EventType = 'container' | 'image' | 'network' | 'system' | 'volume';

/** What a line of the log says. */
export interface StoredEvent {
  /** RFC 3339 in UTC, with nanoseconds */
  time: string;
  /** podman's names: `create`, `died`, … */
  status: string;
  type: EventType;
  id?: string;
  name?: string;
  /** Of a container. */
  image?: string;
  /** Of a container's end; absent when it is unknown. */
  exitCode?: number;
  /** Of health_status. */
  health?: string;
  /** Labels, and what else there is to say: the signal of `kill`, the container of a network's `connect`. */
  attributes?: Readonly<Record<string, string>>;
}

export type NewEvent = Omit<StoredEvent, 'time'>;

const append = (path: string): number => openSync(path, 'a', 0o600);

/** Renames a full log. Of several that find it full at once, the one that holds its lock does, if nobody has done so before. */
function rotate(path: string, fd: number): number {
  if (!flock(fd, 'exclusive', true)) return fd;
  const [ours, named] = [fstatSync(fd), statSync(path, { throwIfNoEntry: false })];
  if (ours.ino === named?.ino && ours.dev === named.dev) renameSync(path, `${path}.1`);
  const next = append(path);
  closeSync(fd);
  return next;
}

/**
 * Adds an event to the log. It never fails: what has been done is done, also where a full disk or a read-only store cannot keep that it was.
 */
export function logEvent(paths: StorePaths, event: NewEvent): void {
  const path = eventLogPath(paths);
  let fd: number | undefined;
  try {
    fd = append(path);
    if (fstatSync(fd).size >= EVENT_LOG_MAX) fd = rotate(path, fd);
    const { status, ...rest } = event;
    writeSync(fd, `${JSON.stringify({ time: timestamp(), status, ...rest })}\n`);
  } catch {
    // As a container's log does: see above.
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}

/** @param imageId digest of its configuration */
export function logImageEvent(paths: StorePaths, status: string, imageId: string, name: string): void {
  logEvent(paths, { status, type: 'image', id: imageId.slice(imageId.indexOf(':') + 1), name });
}

const BEGIN = '{"time":"';

/** The event of a line; undefined for what is left of one. */
export function parseEvent(line: string): StoredEvent | undefined {
  // The rest of a torn line stands before the next one's begin.
  const begin = line.lastIndexOf(BEGIN);
  if (begin === -1) return undefined;
  try {
    const event = JSON.parse(line.slice(begin)) as Partial<StoredEvent>;
    const isWhole =
      typeof event.time === 'string' && typeof event.status === 'string' && typeof event.type === 'string';
    return isWhole ? (event as StoredEvent) : undefined;
  } catch {
    return undefined;
  }
}
