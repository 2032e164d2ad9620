/** docker-credential-<name> get: programs that keep passwords (github.com/docker/docker-credential-helpers). */
import { spawn } from 'node:child_process';
import { tsrunError } from '../errors.ts';
import type { Credentials } from './auth-files.ts';

/** The user name with which a helper says that the secret is an identity token. */
const TOKEN_USER = '<token>';
const NOT_FOUND = /credentials not found/i;

interface Answer {
  status: number | null;
  stdout: string;
  stderr: string;
}

function run(program: string, input: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, ['get'], { stdio: 'pipe' });
    const out: Buffer[] = [];
    const err: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => err.push(chunk));
    child.on('error', reject);
    child.on('close', (status) =>
      resolve({ status, stdout: Buffer.concat(out).toString(), stderr: Buffer.concat(err).toString() }),
    );
    child.stdin.on('error', () => {}); // EPIPE: it ended without reading; its status says why
    child.stdin.end(input);
  });
}

/** Asks the helper for the login of `serverUrl`; undefined when it has none. Throws ERR_TSRUN_CREDENTIALS. */
export async function askCredentialHelper(name: string, serverUrl: string): Promise<Credentials | undefined> {
  const source = `docker-credential-${name}`;
  const fail = (problem: string, cause?: unknown): Error =>
    tsrunError('ERR_TSRUN_CREDENTIALS', { source, problem }, cause);
  if (!/^[A-Za-z0-9._-]+$/.test(name)) throw fail('that is not the name of a helper');
  let answer: Answer;
  try {
    answer = await run(source, `${serverUrl}\n`);
  } catch (error) {
    throw fail('it cannot be run', error);
  }
  if (answer.status !== 0) {
    // By the protocol, the reason comes on standard output.
    const words = `${answer.stdout}${answer.stderr}`.trim();
    if (NOT_FOUND.test(words)) return undefined;
    throw fail(`it failed with status ${answer.status}`, new Error(words));
  }
  let value: { Username?: unknown; Secret?: unknown };
  try {
    value = JSON.parse(answer.stdout) as typeof value;
  } catch {
    throw fail('its answer is not JSON');
  }
  if (typeof value.Username !== 'string' || typeof value.Secret !== 'string') {
    throw fail('its answer has no Username and Secret');
  }
  if (value.Username === TOKEN_USER) return { identityToken: value.Secret };
  return { username: value.Username, password: value.Secret };
}
