/**
 * AC-3.2: ten thousand connections to a published port one after the other, then 200 at a time, without a single reset.
 *
 * The service is a program of the test (quick-server.c): real ones have rooms for few waiting connections (busybox httpd: nine) or fork and
 * reap when many come, and what they drop would be taken for the forwarder's.
 */
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { publishedPort } from '../support/http.ts';
import { startRegistry } from '../support/registry.ts';
import { useTsrun } from '../support/tsrun.ts';
import { until } from '../support/until.ts';

const SEQUENTIAL = 10_000;
const AT_ONCE = 200;
const ROUNDS = 10;
/** Longer than the kernel's first four repetitions of a SYN: what takes this long hangs. */
const HANGS_MS = 30_000;

const tsrun = useTsrun();
const directory = mkdtempSync('/var/tmp/tsrun-quick-server-');
afterAll(() => rmSync(directory, { recursive: true }));

/** Resolves when connected. Whatever happens to the socket before its end rejects `answered`. */
function open(port: number): { socket: Socket; answer: Promise<string> } {
  const socket = connect(port, '127.0.0.1');
  socket.setTimeout(HANGS_MS, () => socket.destroy(new Error(`nothing came for ${HANGS_MS} ms`)));
  const answer = new Promise<string>((resolve, reject) => {
    let heard = '';
    socket.on('data', (chunk) => {
      heard += chunk;
    });
    socket.on('error', reject);
    socket.on('end', () => resolve(heard));
  });
  return { socket, answer };
}

/** @throws (rejects) when the connection is refused, reset or hangs, or the answer is another one */
async function ask(port: number, line: string): Promise<void> {
  const { socket, answer } = open(port);
  socket.write(line);
  if ((await answer) !== line) throw new Error(`asked ${line}, was answered ${await answer}`);
}

/** All are connected before the first one sends something. */
async function askAtOnce(port: number, round: number): Promise<void> {
  const all = Array.from({ length: AT_ONCE }, () => open(port));
  const answers = Promise.all(all.map(({ answer }) => answer));
  await Promise.race([Promise.all(all.map(({ socket }) => once(socket, 'connect'))), answers]);
  all.forEach(({ socket }, index) => {
    socket.write(`${round}/${index}\n`);
  });
  expect(await answers).toEqual(all.map((_, index) => `${round}/${index}\n`));
}

it('answers every one of them', async () => {
  await using registry = await startRegistry();
  const image = await registry.push('busybox');
  const source = join(import.meta.dirname, '..', 'support', 'network', 'quick-server.c');
  execFileSync('cc', ['-O2', '-static', '-o', join(directory, 'server'), source]);
  const words = ['-p', '127.0.0.1::80', '-v', `${directory}:/srv:ro`, image, '/srv/server', '80'];
  await tsrun.ok('run', '-d', '--name', 'server', ...words);
  const port = publishedPort(await tsrun.ok('port', 'server', '80'));
  // Until it listens, connections are reset.
  await until('the server listens', () =>
    ask(port, 'listening?\n').then(
      () => true,
      () => false,
    ),
  );
  for (let i = 0; i < SEQUENTIAL; i++) {
    await ask(port, `${i}\n`).catch((error: Error) => expect.fail(`connection ${i}: ${error.message}`));
  }
  for (let round = 0; round < ROUNDS; round++) {
    await askAtOnce(port, round).catch((error: Error) =>
      expect.fail(`round ${round} of ${AT_ONCE} at once: ${error.message}`),
    );
  }
  expect(await tsrun.ok('logs', 'server')).toBe('');
});
