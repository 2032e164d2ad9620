import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type LineFile, openLineFiles } from '../../src/engine/line-file.ts';
import { type LogRecord, parseLogLine } from '../../src/engine/log-record.ts';

let directory: string;
let log: string;
const open: LineFile<LogRecord>[] = [];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'tsrun-log-'));
  log = join(directory, 'container.log');
});
afterEach(() => {
  for (const file of open.splice(0)) file.close();
  rmSync(directory, { recursive: true });
});

const write = (path: string, text: string): void =>
  writeFileSync(path, `2026-01-02T15:04:05.000000000Z stdout F ${text}\n`, { flag: 'a' });
const texts = (...files: LineFile<LogRecord>[]): string[] =>
  files.flatMap((file) => [...file.lines()].map(({ bytes }) => bytes.toString()));
function filesAfter(after?: LineFile<LogRecord>): LineFile<LogRecord>[] {
  const found = openLineFiles(log, parseLogLine, after);
  open.push(...found);
  return found;
}
function follow(): LineFile<LogRecord> {
  const file = filesAfter().at(-1);
  if (!file) throw new Error('there is no log yet');
  return file;
}

test('the files come oldest first, and none where there is no log yet', () => {
  expect(filesAfter()).toEqual([]);
  write(`${log}.2`, 'a');
  write(`${log}.1`, 'b');
  write(log, 'c');
  expect(texts(...filesAfter())).toEqual(['a', 'b', 'c']);
});

test('a name that is missing between two renames hides no older file', () => {
  write(`${log}.2`, 'a');
  write(log, 'b');
  expect(texts(...filesAfter())).toEqual(['a', 'b']);
});

test('a follower that was two rotations behind lost the file in between, and the last lines of its own', () => {
  write(log, 'a');
  const current = follow();
  expect(texts(current)).toEqual(['a']);
  expect(filesAfter(current)).toEqual([]);

  write(log, 'b');
  renameSync(log, `${log}.1`);
  write(log, 'c');
  renameSync(`${log}.1`, `${log}.2`);
  renameSync(log, `${log}.1`);
  write(log, 'd');
  expect(texts(current, ...filesAfter(current))).toEqual(['b', 'c', 'd']);
});

test('the supervisor has renamed the log and not yet opened the new one: nothing is newer', () => {
  write(log, 'a');
  const current = follow();
  renameSync(log, `${log}.1`);
  expect(filesAfter(current)).toEqual([]);
});
