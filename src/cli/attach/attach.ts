/**
 * The user's side of an attached container: bytes and signals between this process and a supervisor, until the container ends, the user
 * leaves it, or the supervisor is gone.
 *
 *     user                          tsrun                                supervisor
 *      | -- keys, stdin ----------> | -- STDIN … STDIN_EOF -----------> |     the user's end of file half-closes the container's stdin
 *      | -- window, signals ------> | -- RESIZE, SIGNAL --------------> |
 *      | <--------- stdout, stderr  | <---------------- STDOUT, STDERR  |     the next message is fetched when this one is written
 *      | -- detach keys ----------> | -- DETACH ----------------------> |     an exec'd command goes on, too
 *      | <------------ exit status  | <-------------------------- EXIT  |     after the last byte of output
 *
 * Nothing is buffered here: a slow reader of stdout slows the container, a slow container slows the writer of stdin.
 */
import { detach, resize, type Streams, stdinEof, stdin as stdinFrames } from '../../supervisor/messages.ts';
import { say } from '../output.ts';
import { breakPipe } from './broken-pipe.ts';
import type { AttachEnd, Connection } from './connection.ts';
import { DetachKeys } from './detach-keys.ts';
import { OutputStream } from './output-stream.ts';

export interface AttachOptions {
  streams: Streams;
  /** The container has a terminal. */
  tty: boolean;
  /** Of the command, on the host. */
  pid: number;
  /** parseDetachKeys() */
  detachKeys: Uint8Array;
}

/** Relays until the end. Rejects with the system's error when the user's stdout cannot be written. */
export async function attach(client: Connection, options: AttachOptions): Promise<AttachEnd> {
  const { promise: left, resolve: leave } = Promise.withResolvers<AttachEnd>();
  using _terminal = options.tty ? await takeTerminal(client, options.streams.stdin) : undefined;
  if (options.streams.stdin) {
    // Only keys of a terminal are looked at: a pipe's bytes are none.
    const keys = options.tty && _terminal ? options.detachKeys : new Uint8Array();
    const end = options.tty ? END_OF_TYPING : undefined;
    void sendStdin(client, keys, end).then((detached) => detached && leave({ kind: 'detached' }));
  }
  try {
    return await Promise.race([receive(client, options.pid), left]);
  } finally {
    client.close();
  }
}

/** Raw mode, and the window's size, if keys are passed on. */
async function takeTerminal(client: Connection, withKeys: boolean): Promise<Disposable | undefined> {
  const { isatty } = await import('node:tty');
  if (!withKeys || !isatty(0)) return undefined;
  const { RawTerminal } = await import('./terminal.ts');
  return new RawTerminal(({ rows, columns }) => void client.send(resize(rows, columns)));
}

/** ^D, VEOF of termios(3): a terminal cannot be half-closed. After a line that was begun the first ends the line, the second the file. */
const END_OF_TYPING = Buffer.of(4);
const NEWLINE = 10;

/**
 * Passes stdin on to its end.
 * @param end what is typed at the end of a stdin that is no terminal, for a command that has one
 * @returns whether the user typed the detach keys
 */
async function sendStdin(
  client: Connection,
  detachKeys: Uint8Array,
  end: Buffer | undefined,
): Promise<boolean> {
  const keys = new DetachKeys(detachKeys);
  let last: number | undefined = NEWLINE;
  try {
    for await (const chunk of process.stdin as AsyncIterable<Buffer>) {
      const { pass, detached } = keys.push(chunk);
      if (pass.length > 0) await client.send(stdinFrames(pass));
      last = pass.at(-1) ?? last;
      if (detached) {
        // An exec'd command ends with its client, but not when its user leaves it on purpose.
        await client.send(detach());
        return true;
      }
    }
  } catch (error) {
    // A terminal that was hung up (EIO), or a stdin that was never open: to the container both are its end.
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'EIO' && code !== 'EBADF')
      say(`tsrun: warning: cannot read stdin: ${(error as Error).message}\n`);
  }
  if (end) await client.send(stdinFrames(last === NEWLINE ? end : Buffer.concat([end, end])));
  await client.send(stdinEof());
  return false;
}

async function receive(client: Connection, pid: number): Promise<AttachEnd> {
  const stdout = new OutputStream(1);
  const stderr = new OutputStream(2);
  for (;;) {
    const message = await client.next();
    if (message === undefined) return { kind: 'closed' };
    switch (message.type) {
      case 'stdout':
        if ((await stdout.write(message.bytes)) === 'closed') return await breakPipe(client, pid);
        break;
      case 'stderr':
        await stderr.write(message.bytes);
        break;
      case 'lost':
        say(`tsrun: warning: ${message.bytes} bytes of output were not shown; \`tsrun logs\` has them\n`);
        break;
      case 'failed':
        say('tsrun: warning: cleaning up after the container failed; `tsrun rm -f` does the rest\n');
        break;
      case 'exit':
        return { kind: 'exit', status: message.status };
      case 'started':
      case 'probed':
        break;
    }
  }
}
