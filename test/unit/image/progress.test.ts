import { beforeEach, describe, expect, test, vi } from 'vitest';
import { createProgress } from '../../../src/image/progress/create-progress.ts';
import { formatBar, formatBytes } from '../../../src/image/progress/format.ts';
import type { ProgressMode } from '../../../src/image/progress/progress.ts';
import type { PullEvent } from '../../../src/image/pull/events.ts';
import type { Digest } from '../../../src/spec/image.ts';

const A = `sha256:${'a'.repeat(64)}` as Digest;
const B = `sha256:${'b'.repeat(64)}` as Digest;
const EVENTS: PullEvent[] = [
  { type: 'resolved', written: 'httpd', reference: 'docker.io/library/httpd:latest' },
  { type: 'pulling', from: 'docker.io/library/httpd', tag: 'latest' },
  { type: 'layer', digest: A, status: 'exists' },
  { type: 'layer', digest: B, status: 'waiting' },
  { type: 'layer', digest: B, status: 'downloading', current: 0, total: 45_000_000 },
  { type: 'layer', digest: B, status: 'downloading', current: 12_345_678, total: 45_000_000 },
  { type: 'retry', digest: B, problem: 'connection lost', delayMs: 1500 },
  { type: 'layer', digest: B, status: 'verifying' },
  { type: 'layer', digest: B, status: 'downloaded' },
  { type: 'layer', digest: B, status: 'extracting', current: 1, total: 2 },
  { type: 'warning', text: 'careful' },
  { type: 'layer', digest: B, status: 'complete' },
  { type: 'done', reference: 'docker.io/library/httpd:latest', digest: A, imageId: B, isNew: true },
];

// Whatever terminal the tests themselves have.
beforeEach(() => {
  vi.stubEnv('TERM', 'xterm');
  return () => vi.unstubAllEnvs();
});

function shown(mode: ProgressMode, events: PullEvent[], isTTY = false, columns = 100, rows = 24): string {
  let text = '';
  const progress = createProgress(mode, { write: (t: string) => (text += t), isTTY, columns, rows });
  for (const event of events) progress.listen(event);
  progress.end();
  return text;
}

/** What is on a terminal after `text`: enough of one for the moves that the display makes. */
function screen(text: string): string[] {
  const lines: string[] = [''];
  let row = 0;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences are what is read
  for (const token of text.match(/\x1b\[\d*[AJ]|\n|\r|[^\x1b\n\r]+/g) ?? []) {
    const up = /\[(\d+)A/.exec(token);
    if (up) row -= Number(up[1]);
    else if (token.endsWith('J') && token.startsWith('\x1b')) lines.splice(row, lines.length, '');
    else if (token === '\n') row++;
    else if (token !== '\r') lines[row] = (lines[row] ?? '') + token;
  }
  return lines.filter((line) => line !== '');
}

test('plain lines', () => {
  expect(shown('auto', EVENTS).split('\n')).toEqual([
    'httpd → docker.io/library/httpd:latest',
    'latest: Pulling from library/httpd',
    'aaaaaaaaaaaa: Already exists',
    'bbbbbbbbbbbb: Pulling fs layer',
    'bbbbbbbbbbbb: Retrying in 2 s (connection lost)',
    'bbbbbbbbbbbb: Download complete',
    'warning: careful',
    'bbbbbbbbbbbb: Pull complete',
    `Digest: ${A}`,
    'Status: Downloaded newer image for httpd:latest',
    '',
  ]);
  expect(shown('plain', [{ ...EVENTS.at(-1)!, isNew: false } as PullEvent])).toContain(
    'Status: Image is up to date for httpd:latest',
  );
});

test('quiet, but for warnings', () => expect(shown('quiet', EVENTS)).toBe('warning: careful\n'));

test('JSON lines', () => {
  const lines = shown('json', EVENTS)
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as PullEvent);
  expect(lines[0]).toEqual(EVENTS[0]);
  expect(lines.filter((e) => e.type === 'layer' && e.status === 'downloading')).toHaveLength(1);
  expect(lines.at(-1)).toEqual(EVENTS.at(-1));
});

describe('a terminal', () => {
  test('ends up with one line for each layer, below the others', () => {
    expect(screen(shown('auto', EVENTS, true))).toEqual([
      'httpd → docker.io/library/httpd:latest',
      'latest: Pulling from library/httpd',
      'bbbbbbbbbbbb: Retrying in 2 s (connection lost)',
      'warning: careful',
      'aaaaaaaaaaaa: Already exists',
      'bbbbbbbbbbbb: Pull complete',
      `Digest: ${A}`,
      'Status: Downloaded newer image for httpd:latest',
    ]);
  });

  test('shows how far a layer is', () => {
    const lines = screen(shown('tty', EVENTS.slice(0, 6)));
    expect(lines.at(-1)).toBe(`bbbbbbbbbbbb: Downloading [${`${'='.repeat(12)}>`.padEnd(50)}]  12.35MB/45MB`);
  });

  test.each([10, 30, 60])('of %i columns never has a line too long', (columns) => {
    for (const line of screen(shown('tty', EVENTS.slice(2, 6), true, columns)))
      expect(line.length).toBeLessThan(columns);
  });

  test('of no known size (0 × 0: a serial line, script(1) in a pipe) shows as much as one of 80 × 24', () => {
    const events = EVENTS.slice(0, 6);
    expect(screen(shown('tty', events, true, 0, 0))).toEqual(screen(shown('tty', events, true, 80, 24)));
  });

  test('with few rows shows few layers', () => {
    const many = Array.from(
      { length: 30 },
      (_, i): PullEvent => ({
        type: 'layer',
        digest: `sha256:${String(i).padStart(64, '0')}` as Digest,
        status: 'waiting',
      }),
    );
    const lines = screen(shown('tty', many, true, 80, 10));
    expect(lines).toHaveLength(8);
    expect(lines.at(-1)).toBe('… and 23 more layers');
  });
});

test.each([
  [0, '0B'],
  [999, '999B'],
  [1000, '1kB'],
  [12_345_678, '12.35MB'],
  [2e9, '2GB'],
])('%i bytes are %s', (n, text) => expect(formatBytes(n)).toBe(text));
test.each([
  [0, '[>    ]'],
  [40, '[=>   ]'],
  [100, '[=====]'],
  [200, '[=====]'],
])('%i of 100 is %s', (n, bar) => expect(formatBar(n, 100, 5)).toBe(bar));
