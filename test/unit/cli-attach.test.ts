import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { endsOnBrokenPipe } from '../../src/cli/attach/broken-pipe.ts';
import { isUnheard, UnheardSignals } from '../../src/cli/attach/unheard-signals.ts';
import {
  encodeFrame,
  FRAME_EXIT,
  FRAME_SIGNAL,
  FRAME_STDERR,
  FRAME_STDIN,
  FRAME_STDIN_EOF,
  FRAME_STDOUT,
  type Frame,
  FrameDecoder,
} from '../../src/supervisor/protocol.ts';

/** A program that attaches to the supervisor at a socket, and exits as its command does. */
const PROGRAM = join(import.meta.dirname, 'support', 'attach-to-socket.ts');

const uint32 = (...values: number[]): Buffer => {
  const bytes = Buffer.alloc(4 * values.length);
  for (const [index, value] of values.entries()) bytes.writeUInt32LE(value, 4 * index);
  return bytes;
};
const exitFrame = (kind: number, value: number): Buffer => encodeFrame(FRAME_EXIT, uint32(kind, value));

/** Plays the supervisor. */
class FakeSupervisor {
  readonly socket: Socket;
  readonly frames: Frame[] = [];
  constructor(socket: Socket) {
    this.socket = socket;
    const decoder = new FrameDecoder();
    socket.on('data', (chunk) => this.frames.push(...decoder.push(chunk)));
    socket.on('error', () => {});
  }
  /** The payload of all frames of a type, together. */
  received(type: number): Buffer {
    return Buffer.concat(this.frames.filter((frame) => frame.type === type).map(({ payload }) => payload));
  }
  async until(type: number): Promise<Frame> {
    for (;;) {
      const found = this.frames.find((frame) => frame.type === type);
      if (found) return found;
      await once(this.socket, 'data');
    }
  }
}

describe('an attached client', () => {
  let directory: string;
  let server: Server;
  let connected: Promise<FakeSupervisor>;

  beforeEach(async () => {
    directory = mkdtempSync(join(tmpdir(), 'tsrun-attach-'));
    server = createServer();
    connected = new Promise((resolve) =>
      server.once('connection', (socket) => resolve(new FakeSupervisor(socket))),
    );
    server.listen(join(directory, 'attach'));
    await once(server, 'listening');
  });
  afterEach(() => {
    server.close();
    rmSync(directory, { recursive: true });
  });

  const start = (options: object = {}) => {
    const child = spawn(process.execPath, [PROGRAM, join(directory, 'attach'), JSON.stringify(options)], {
      stdio: 'pipe',
    });
    const exited = new Promise<number | string | null>((resolve) =>
      child.on('exit', (code, signal) => resolve(code ?? signal)),
    );
    return { child, exited };
  };

  it('passes output on, each stream to its own, and ends as the command did', async () => {
    const { child, exited } = start();
    const outputs = Promise.all([text(child.stdout), text(child.stderr)]);
    const { socket } = await connected;
    socket.write(encodeFrame(FRAME_STDOUT, Buffer.from('out')));
    socket.write(encodeFrame(FRAME_STDERR, Buffer.from('err')));
    socket.end(exitFrame(0, 42));
    expect(await exited).toBe(42);
    expect(await outputs).toEqual(['out', 'err']);
  });

  it('gives 128+n for a signal, and does not make a lost status up', async () => {
    const killed = start();
    (await connected).socket.end(exitFrame(1, 9));
    expect(await killed.exited).toBe(137);
  });

  it('does not make a lost status up', async () => {
    const { child, exited } = start();
    const stderr = text(child.stderr);
    (await connected).socket.end(exitFrame(2, 0));
    expect(await exited).toBe(125);
    expect(await stderr).toContain('exit status of container web is not known');
  });

  it('loses no byte of ten million, in either direction, however slow the reader', async () => {
    const { child, exited } = start({ stdin: true });
    const bytes = Buffer.alloc(10_000_000, 'tsrun\n');
    const supervisor = await connected;
    child.stdin.end(bytes);
    await supervisor.until(FRAME_STDIN_EOF);
    expect(supervisor.received(FRAME_STDIN).equals(bytes)).toBe(true);
    for (let at = 0; at < bytes.length; at += 60_000) {
      supervisor.socket.write(encodeFrame(FRAME_STDOUT, bytes.subarray(at, at + 60_000)));
    }
    supervisor.socket.end(exitFrame(0, 0));
    // Nobody reads until the supervisor has to wait.
    while (supervisor.socket.writableLength === 0) await new Promise(setImmediate);
    expect(await text(child.stdout)).toBe(bytes.toString());
    expect(await exited).toBe(0);
  });

  it('half-closes stdin: output goes on after its end', async () => {
    const { child, exited } = start({ stdin: true });
    const stdout = text(child.stdout);
    child.stdin.end('question');
    const supervisor = await connected;
    await supervisor.until(FRAME_STDIN_EOF);
    supervisor.socket.write(encodeFrame(FRAME_STDOUT, Buffer.from('answer')));
    supervisor.socket.end(exitFrame(0, 0));
    expect(await stdout).toBe('answer');
    expect(await exited).toBe(0);
  });

  it.each([
    ['a line\n', 'a line\n\x04'],
    ['a line begun', 'a line begun\x04\x04'],
    ['', '\x04'],
  ])(
    'types ^D at the end of a stdin that is no terminal, for a command that has one: %j',
    async (input, typed) => {
      const { child, exited } = start({ stdin: true, tty: true });
      child.stdin.end(input);
      const supervisor = await connected;
      await supervisor.until(FRAME_STDIN_EOF);
      expect(supervisor.received(FRAME_STDIN).toString()).toBe(typed);
      supervisor.socket.end(exitFrame(0, 0));
      expect(await exited).toBe(0);
    },
  );

  it('leaves stdin alone unless it is wanted', async () => {
    const { child, exited } = start({ stdin: false });
    child.stdin.end('not for the container');
    const supervisor = await connected;
    supervisor.socket.end(exitFrame(0, 0));
    expect(await exited).toBe(0);
    expect(supervisor.frames).toEqual([]);
  });

  it.each(['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGUSR1', 'SIGTSTP', 'SIGWINCH'] as const)(
    'passes %s on',
    async (name) => {
      const { child, exited } = start();
      const supervisor = await connected;
      supervisor.socket.write(encodeFrame(FRAME_STDOUT, Buffer.from('ready')));
      await once(child.stdout, 'data');
      child.kill(name);
      const { payload } = await supervisor.until(FRAME_SIGNAL);
      expect(payload.readUInt32LE()).toBe((await import('node:os')).constants.signals[name]);
      supervisor.socket.end(exitFrame(0, 3));
      expect(await exited).toBe(3);
    },
  );

  it('ends quietly with 141 when nobody reads stdout any more, and tells the command', async () => {
    const { child, exited } = start();
    const stderr = text(child.stderr);
    const supervisor = await connected;
    child.stdout.destroy();
    const more = setInterval(() => supervisor.socket.write(encodeFrame(FRAME_STDOUT, Buffer.alloc(1000))), 1);
    const { payload } = await supervisor.until(FRAME_SIGNAL);
    clearInterval(more);
    expect([13, 9]).toContain(payload.readUInt32LE());
    supervisor.socket.end(exitFrame(1, 9));
    expect(await exited).toBe(141);
    expect(await stderr).toBe('');
  });

  it('says when the supervisor went without a word', async () => {
    const { child, exited } = start();
    const stdout = text(child.stdout);
    (await connected).socket.end();
    expect(await exited).toBe(0);
    expect(await stdout).toBe('closed');
  });
});

describe('a broken pipe', () => {
  const status = (ignored: string, caught: string): string =>
    `Name:\tx\nSigBlk:\t0000000000000000\nSigIgn:\t${ignored}\nSigCgt:\t${caught}\nCapInh:\t0\n`;
  const none = '0000000000000000';
  const pipe = '0000000000001000';

  it('ends what neither handles nor ignores SIGPIPE', () => {
    expect(endsOnBrokenPipe(status(none, none))).toBe(true);
    expect(endsOnBrokenPipe(status(pipe, none))).toBe(false);
    expect(endsOnBrokenPipe(status(none, pipe))).toBe(false);
    expect(endsOnBrokenPipe(status('fffffffffffeffff', '0000000000000800'))).toBe(false);
    expect(endsOnBrokenPipe(status('0000000000000800', '0000000000000002'))).toBe(true);
    expect(endsOnBrokenPipe('')).toBe(false);
  });
});

describe('a signal that process 1 does not handle', () => {
  const status = (pids: string, caught: string): string =>
    `Name:\tx\nNSpid:\t${pids}\nSigIgn:\t0\nSigCgt:\t${caught}\n`;

  it('is not heard; any other is', () => {
    expect(isUnheard(status('5739\t1', '0000000000000000'), 2)).toBe(true);
    expect(isUnheard(status('5739\t1', '0000000000000002'), 2)).toBe(false);
    expect(isUnheard(status('5739\t1', '0000000000000002'), 15)).toBe(true);
    expect(isUnheard(status('5739\t17', '0000000000000000'), 2)).toBe(false);
    expect(isUnheard(status('5739', '0000000000000000'), 2)).toBe(false);
    expect(isUnheard('', 2)).toBe(false);
  });

  it('is explained at the second, offers the end at the third and brings it with the fourth, to who is impatient', () => {
    let said = '';
    const signals = new UnheardSignals(5739, 'web', {
      read: () => status('5739\t1', '0000000000000000'),
      say: (text) => {
        said += text;
      },
    });
    expect(signals.note(2, 0)).toBe(false);
    expect(said).toBe('');
    expect(signals.note(2, 5000)).toBe(false);
    expect(said).toMatch(/does not handle SIGINT.*\n.*tsrun kill web/);
    expect([8000, 11_000].map((now) => signals.note(2, now))).toEqual([false, false]); // patient
    expect(said).not.toMatch(/kills it/);
    expect(signals.note(2, 12_000)).toBe(false);
    expect(said).toMatch(/once more within 2 s kills it/);
    expect(signals.note(15, 12_500)).toBe(false); // another program's, not the user's
    expect(signals.note(2, 13_000)).toBe(true);
  });

  it('is not the end of a command that has got a handler since', () => {
    let caught = '0000000000000000';
    const signals = new UnheardSignals(5739, 'web', { read: () => status('5739\t1', caught), say: () => {} });
    for (const now of [0, 100, 200]) signals.note(2, now);
    caught = '0000000000000002';
    expect(signals.note(2, 300)).toBe(false);
  });
});
