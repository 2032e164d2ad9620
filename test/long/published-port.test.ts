/** AC-3.2: ten thousand connections to a published port one after the other, then 200 at a time, without a single reset. The service is Apache. */
import { connect } from 'node:net';
import { expect, it } from 'vitest';
import { fetchText, publishedPort } from '../support/http.ts';
import { startRegistry } from '../support/registry.ts';
import { useTsrun } from '../support/tsrun.ts';

const SEQUENTIAL = 10_000;
const AT_ONCE = 200;
const ROUNDS = 10;

const tsrun = useTsrun();

/** One request and its whole answer; rejects when the connection is reset or refused. */
function ask(port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1');
    let answer = '';
    socket.on('data', (chunk) => {
      answer += chunk;
    });
    socket.on('error', reject);
    socket.on('end', () => resolve(answer));
    socket.write('GET / HTTP/1.0\r\n\r\n');
  });
}

it('answers every one of them', async () => {
  await using registry = await startRegistry();
  const image = await registry.push('apache', 'httpd');
  await tsrun.ok('run', '-d', '--name', 'web', '-p', '127.0.0.1::80', image);
  const port = publishedPort(await tsrun.ok('port', 'web', '80'));
  await fetchText(port);
  const wrong: string[] = [];
  const one = async (): Promise<void> => {
    const answer = await ask(port).catch((error: NodeJS.ErrnoException) => `${error.code}`);
    if (!answer.includes('It works!')) wrong.push(answer.slice(0, 100));
  };
  for (let i = 0; i < SEQUENTIAL; i++) await one();
  expect(wrong).toEqual([]);
  for (let i = 0; i < ROUNDS; i++) await Promise.all(Array.from({ length: AT_ONCE }, one));
  expect(wrong).toEqual([]);
});
