/** The log that the supervisor writes, also when it cannot. */
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { stdinEof } from '../../../src/supervisor/messages.ts';
import { loggedOutput, parseLog } from '../../support/k8s-log.ts';
import { shell } from '../../support/shell-program.ts';
import { supervise } from '../../support/supervisor-harness.ts';
import { until } from '../../support/until.ts';

const attach = { stdin: true, stdout: true, stderr: true };
const log = { name: 'log', maxBytes: 0, files: 1 };
const brief = (text: string) => parseLog(text).map((r) => `${r.stream} ${r.end} ${r.text}`);

describe('the log', () => {
  test('has a record per line', async () => {
    // What comes by different ways at the same moment has no order.
    const logged = (lines: number) => `until [ $(wc -l <log) -ge ${lines} ]; do sleep 0.02; done`;
    const script = `echo one; echo; ${logged(2)}; echo two >&2; ${logged(3)}; printf rest`;
    const run = supervise({ start: shell(script), log });
    await run.exited;
    expect(brief(run.log())).toEqual(['stdout F one', 'stdout F ', 'stderr F two', 'stdout P rest']);
    expect(statSync(join(run.directory, 'log')).mode & 0o777).toBe(0o600);
  });

  test('does not split a line because it was written in pieces', async () => {
    // Half a second after its beginning a line is written as far as it has come, which on a busy machine may be sooner than its end.
    await until('a line in one record', async () => {
      const run = supervise({ start: shell('for i in a b c; do printf $i; sleep 0.02; done; echo'), log });
      await run.exited;
      expect(loggedOutput(run.log(), 'stdout')).toBe('abc\n');
      return brief(run.log()).join() === 'stdout F abc';
    });
  });

  test('shows a prompt without waiting for its line to end', async () => {
    const run = supervise({ start: shell('printf "name? "; read line; echo bye'), log, attach });
    await run.first.message('started');
    while (run.log() === '') await new Promise((resolve) => setTimeout(resolve, 20));
    expect(brief(run.log())).toEqual(['stdout P name? ']);
    run.first.send(stdinEof());
    await run.exited;
    expect(loggedOutput(run.log(), 'stdout')).toBe('name? bye\n');
  });

  test('has huge lines in parts', async () => {
    // Written in one piece, because of one that pauses for half a second the parts are others.
    const script = '(head -c 20000 /dev/zero | tr "\\0" x; echo) >line; cat line; echo end';
    const run = supervise({ start: shell(script), log });
    await run.exited;
    expect(loggedOutput(run.log(), 'stdout')).toBe(`${'x'.repeat(20_000)}\nend\n`);
    expect(parseLog(run.log()).map(({ end, text }) => `${end}${text.length}`)).toEqual([
      'P8192',
      'P8192',
      'F3616',
      'F3',
    ]);
  });

  test('has 10 000 000 bytes exactly', async () => {
    const run = supervise({ start: shell('yes 0123456789abcde | head -c 10000000'), log });
    await run.exited;
    expect(loggedOutput(run.log(), 'stdout')).toBe('0123456789abcde\n'.repeat(625_000));
  });

  test('is continued by the next start, after a torn record too', async () => {
    const torn = '2006-01-02T15:04:05.000000000Z stdout F befo';
    const run = supervise({ start: shell('echo next'), log, files: { log: torn } });
    await run.exited;
    const [first, ...rest] = run.log().split('\n');
    expect(first).toBe(torn);
    expect(brief(rest.join('\n'))).toEqual(['stdout F next']);
  });
});

describe('rotation', () => {
  const numbers = Array.from({ length: 20_000 }, (_, i) => `${i + 1}\n`).join('');

  test('keeps the newest lines in so many files of bounded size, none torn', async () => {
    const run = supervise({ start: shell('seq 20000'), log: { name: 'log', maxBytes: 65536, files: 3 } });
    await run.exited;
    const files = ['.2', '.1', ''].map(run.log);
    for (const file of files) expect(file.length).toBeLessThanOrEqual(65536);
    expect(files[0]?.length).toBeGreaterThan(65536 - 100);
    const kept = files.map((file) => loggedOutput(file, 'stdout')).join('');
    expect(kept.length).toBeGreaterThan(10_000);
    expect(numbers.endsWith(kept)).toBe(true);
    expect(existsSync(join(run.directory, 'log.3'))).toBe(false);
  });

  test('with one file starts it anew', async () => {
    const run = supervise({ start: shell('seq 20000'), log: { name: 'log', maxBytes: 10_000, files: 1 } });
    await run.exited;
    expect(run.log().length).toBeLessThanOrEqual(10_000);
    expect(numbers.endsWith(loggedOutput(run.log(), 'stdout'))).toBe(true);
    expect(existsSync(join(run.directory, 'log.1'))).toBe(false);
  });

  test('of a record that is longer than a file may be: it has one of its own', async () => {
    const run = supervise({ start: shell('seq 5'), log: { name: 'log', maxBytes: 1, files: 9 } });
    await run.exited;
    expect(['.4', '.3', '.2', '.1', ''].map((suffix) => loggedOutput(run.log(suffix), 'stdout'))).toEqual([
      '1\n',
      '2\n',
      '3\n',
      '4\n',
      '5\n',
    ]);
  });
});

test('a full disk stops neither the container nor its clients; what is missing is counted', async () => {
  const run = supervise({ start: shell('seq 20000; exit 3'), log, attach, fileLimit: 8192 });
  await run.exited;
  expect(run.first.output('stdout').length).toBe(108_894);
  expect(run.exit()).toMatchObject({ kind: 'exited', value: 3 });
  const logged = loggedOutput(run.log(), 'stdout');
  expect(logged.startsWith('1\n2\n3\n')).toBe(true);
  expect(run.exit().logDroppedBytes).toBeGreaterThan(500_000);
});
