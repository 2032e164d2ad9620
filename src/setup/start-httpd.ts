/**
 * The end of `npm start`: the page of README.md's first command, served by a container, fetched once to prove it.
 *
 * The container `tsrun-httpd` of an earlier start is replaced.
 */
import { spawnSync } from 'node:child_process';
import { createServer } from 'node:net';
import { delimiter, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const CONTAINER = 'tsrun-httpd';
/** The one that was built here: this works without any network. */
const IMAGE = 'localhost/httpd';
const PAGE = 'It works!';
const FIRST_PORT = 8000;
const LAST_PORT = 8099;
const PATIENCE_MS = 10_000;

const program = join(import.meta.dirname, '..', '..', 'dist', 'bin', 'tsrun');

/** Runs tsrun with what it says shown, and ends this program when it fails. */
function tsrun(...words: string[]): void {
  const { status, error } = spawnSync(program, words, { stdio: ['ignore', 'inherit', 'inherit'] });
  if (error) throw error;
  if (status !== 0) process.exit(status ?? 1);
}

const isFree = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ port, host: '0.0.0.0' }, () => server.close(() => resolve(true)));
  });

async function freePort(): Promise<number> {
  for (let port = FIRST_PORT; port <= LAST_PORT; port++) if (await isFree(port)) return port;
  throw new Error(`all ports from ${FIRST_PORT} to ${LAST_PORT} are in use`);
}

/** The body of the page, asked for until the server in the container listens. */
async function fetchPage(url: string): Promise<string> {
  const end = Date.now() + PATIENCE_MS;
  for (;;) {
    try {
      const response = await fetch(url, { signal: AbortSignal.timeout(PATIENCE_MS) });
      return `${response.status} ${await response.text()}`;
    } catch (error) {
      if (Date.now() > end) throw error;
      await sleep(50);
    }
  }
}

/** How a person who called `npm start` calls tsrun. */
function asUser(line: string): string {
  const { TSRUN_ACCOUNT } = process.env;
  return TSRUN_ACCOUNT ? `su - ${TSRUN_ACCOUNT} -c '${line}'` : line;
}

function pathAdvice(): string[] {
  const { HOME = '', PATH = '', TSRUN_ACCOUNT } = process.env;
  const bin = join(HOME, '.local', 'bin');
  if (TSRUN_ACCOUNT || PATH.split(delimiter).includes(bin)) return [];
  return ['  first        export PATH="$HOME/.local/bin:$PATH"      (or log in again)'];
}

const known = spawnSync(program, ['inspect', CONTAINER], { stdio: 'ignore' }).status === 0;
if (known) tsrun('rm', '-f', CONTAINER);
const port = await freePort();
tsrun('run', '-d', '--name', CONTAINER, '-p', `${port}:80`, IMAGE);

const url = `http://localhost:${port}/`;
const answer = await fetchPage(url);
if (!answer.startsWith('200 ') || !answer.includes(PAGE)) {
  tsrun('logs', CONTAINER);
  throw new Error(`${url} answered: ${answer}`);
}

console.log(
  [
    '',
    `${url} says "${PAGE}", from a container that nothing running as root has made.`,
    '',
    ...pathAdvice(),
    `  look         ${asUser('tsrun ps')}`,
    `  stop it      ${asUser(`tsrun stop ${CONTAINER}`)}`,
    `  another one  ${asUser('tsrun run --rm -it busybox')}`,
    '',
  ].join('\n'),
);
