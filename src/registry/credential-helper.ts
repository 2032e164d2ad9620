/** docker-credential-<name> get|store|erase|list: programs that keep passwords (github.com/docker/docker-credential-helpers). */
import { spawn } from 'node:child_process';
import { tsrunError } from '../errors.ts';
import type { Credentials } from './auth-file.ts';

/** The user name with which a helper says that the secret is an identity token. */
const TOKEN_USER = '<token>';
const NOT_FOUND = /credentials not found/i;

type Verb = 'get' | 'store' | 'erase' | 'list';

interface Answer {
  status: number | null;
  stdout: string;
  stderr: string;
}

function run(program: string, verb: Verb, input: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, [verb], { stdio: 'pipe' });
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

const problemWith = (name: string, problem: string, cause?: unknown): Error =>
  tsrunError('ERR_TSRUN_CREDENTIALS', { source: `docker-credential-${name}`, problem }, cause);

/** What the helper prints; undefined when it says that it has no such login. Throws ERR_TSRUN_CREDENTIALS. */
async function ask(name: string, verb: Verb, input: string): Promise<string | undefined> {
  if (!/^[A-Za-z0-9._-]+$/.test(name)) throw problemWith(name, 'that is not the name of a helper');
  let answer: Answer;
  try {
    answer = await run(`docker-credential-${name}`, verb, input);
  } catch (error) {
    throw problemWith(name, 'it cannot be run', error);
  }
  if (answer.status === 0) return answer.stdout;
  // By the protocol, the reason comes on standard output.
  const words = `${answer.stdout}${answer.stderr}`.trim();
  if (NOT_FOUND.test(words)) return undefined;
  throw problemWith(name, `${verb} failed with status ${answer.status}`, new Error(words));
}

/** The object that a helper printed. Its text is in no message: it holds a password. */
function parseObject(name: string, text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null) return value as Record<string, unknown>;
  } catch {
    // The parser's message would quote the text.
  }
  throw problemWith(name, 'its answer is no JSON object');
}

/** Asks the helper for the login of `serverUrl`; undefined when it has none. Throws ERR_TSRUN_CREDENTIALS. */
export async function askCredentialHelper(name: string, serverUrl: string): Promise<Credentials | undefined> {
  const text = await ask(name, 'get', `${serverUrl}\n`);
  if (text === undefined) return undefined;
  const { Username, Secret } = parseObject(name, text);
  if (typeof Username !== 'string' || typeof Secret !== 'string') {
    throw problemWith(name, 'its answer has no Username and Secret');
  }
  if (Username === TOKEN_USER) return { identityToken: Secret };
  return { username: Username, password: Secret };
}

/** Has the helper keep a login. Throws ERR_TSRUN_CREDENTIALS. */
export async function storeWithHelper(
  name: string,
  serverUrl: string,
  login: { username: string; password: string },
): Promise<void> {
  const { username, password } = login;
  await ask(name, 'store', JSON.stringify({ ServerURL: serverUrl, Username: username, Secret: password }));
}

/** Has the helper forget a login; false when it had none. Throws ERR_TSRUN_CREDENTIALS. */
export async function eraseWithHelper(name: string, serverUrl: string): Promise<boolean> {
  // Many helpers erase what is not there without a word: the answer would then be wrong.
  if ((await ask(name, 'get', `${serverUrl}\n`)) === undefined) return false;
  return (await ask(name, 'erase', `${serverUrl}\n`)) !== undefined;
}

/** The servers that the helper has logins for. Throws ERR_TSRUN_CREDENTIALS. */
export async function listWithHelper(name: string): Promise<string[]> {
  return Object.keys(parseObject(name, (await ask(name, 'list', '')) || '{}'));
}
