/** The supervisor again, built with AddressSanitizer and UBSan: its parts alone, with clients that send anything, and as a whole. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import '../../support/supervisor-harness.ts'; // here, so that what it does after each test is for all of them

const root = join(import.meta.dirname, '..', '..', '..');
const out = mkdtempSync(join(tmpdir(), 'tsrun-sanitized-'));
execFileSync('sh', [join(root, 'native', 'build.sh'), out, 'sanitize'], { stdio: 'inherit' });
afterAll(() => rmSync(out, { recursive: true, force: true }));

const run = (name: string, ...args: string[]): string =>
  execFileSync(join(out, name), args, { cwd: out, encoding: 'utf8' });

test('parts', () => {
  expect(run('noun-tests', out)).toBe('noun-tests: ok\n');
  expect(run('forward-tests')).toBe('forward-tests: ok\n');
  expect(run('forward-events-tests')).toBe('forward-events-tests: ok\n');
  expect(run('hub-tests')).toBe('hub-tests: ok\n');
});

/** A forwarder beside a program that has taken all the pages for pipes that the user may have. */
test('pipes that are counted for a subordinate id', () => {
  const inside = ['--user', '--map-root-user', '--map-auto', join(out, 'forward-tests'), 'pipes'];
  expect(execFileSync('unshare', inside, { encoding: 'utf8' })).toBe('forward-tests: pipes are wide\n');
});

test('datagrams that are sent as one, where they are longer than a packet', () => {
  const script = 'ip link set lo mtu 1500 up && exec "$0" segments';
  const inside = ['--user', '--map-root-user', '--net', 'sh', '-c', script, join(out, 'forward-tests')];
  expect(execFileSync('unshare', inside, { encoding: 'utf8' })).toBe('forward-tests: short packets\n');
});

test('clients that send anything', () => {
  const seed = String(Date.now());
  expect(run('frames-fuzz', '2000', seed)).toBe(`frames-fuzz: 2000 rounds, seed ${seed}\n`);
});

process.env.TSRUN_TEST_SUPERVISOR = join(out, 'supervisor');
describe('life', async () => void (await import('./life.test.ts')));
describe('streams', async () => void (await import('./streams.test.ts')));
describe('restart', async () => void (await import('./restart.test.ts')));
describe('log', async () => void (await import('./log.test.ts')));
