/** Output, input and terminals between the command and its clients. */
import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import * as messages from '../../../src/supervisor/messages.ts';
import { encodeFrame, FRAME_SIGNAL, FRAME_STDIN } from '../../../src/supervisor/protocol.ts';
import { loggedOutput } from '../../support/k8s-log.ts';
import { shell } from '../../support/shell-program.ts';
import { supervise } from '../../support/supervisor-harness.ts';

const attach = { stdin: true, stdout: true, stderr: true };
const outputOnly = { ...attach, stdin: false };
const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
const exitCode = { kind: 'exited', code: 0 };

describe('output', () => {
  test('stdout and stderr are apart, every byte value passes', async () => {
    const all = Buffer.from(Array.from({ length: 256 }, (_, i) => i));
    const octal = [...all].map((byte) => `\\${byte.toString(8).padStart(3, '0')}`).join('');
    const { first } = supervise({ start: shell(`printf '${octal}'; printf err >&2`), attach });
    await first.message('exit');
    expect(first.output('stdout')).toEqual(all);
    expect(first.output('stderr').toString()).toBe('err');
    expect(first.messages[0]?.type).toBe('started');
    expect(first.messages.at(-1)?.type).toBe('exit');
  });

  test('only the streams that were asked for', async () => {
    const { first } = supervise({
      start: shell('echo out; echo err >&2'),
      attach: { stdin: false, stdout: false, stderr: true },
    });
    await first.message('exit');
    expect(first.messages.map(({ type }) => type)).toEqual(['started', 'stderr', 'exit']);
  });

  test('10 000 000 bytes arrive exactly', async () => {
    const { first } = supervise({ start: shell('yes 0123456789abcde | head -c 10000000'), attach });
    await first.message('exit');
    const expected = Buffer.from('0123456789abcde\n'.repeat(625_000));
    expect(first.output('stdout').length).toBe(10_000_000);
    expect(sha256(first.output('stdout'))).toBe(sha256(expected));
  });

  test('a reader that pauses throttles the command, and then gets everything, also what came before an exit long ago', async () => {
    const run = supervise({ start: shell('head -c 3000000 /dev/zero; echo done >done; exit 7'), attach });
    run.first.socket.pause();
    const later = await run.connect(); // not attached: it stalls nobody, and nobody it
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(() => run.exit()).toThrow('ENOENT');
    run.first.socket.resume();
    expect((await run.first.message('exit')).status).toEqual({ kind: 'exited', code: 7 });
    expect(run.first.output('stdout').length).toBe(3_000_000);
    await later.message('exit');
  });

  test('a reader that is stopped does not delay the record of the exit, and finds everything later', async () => {
    const log = { name: 'log', maxBytes: 0, files: 1 };
    const script = 'seq 10000000 & until [ -s log ]; do sleep 0.02; done; sleep 0.3; kill -9 $!; exit 7';
    const run = supervise({ start: shell(script), attach, log });
    run.first.socket.pause();
    while (!isRecorded(run)) await new Promise((resolve) => setTimeout(resolve, 20));
    expect(run.process.exitCode).toBe(null);
    run.first.socket.resume();
    expect((await run.first.message('exit')).status).toEqual({ kind: 'exited', code: 7 });
    const text = run.first.output('stdout').toString();
    expect(text).toMatch(/^1\n2\n3\n/);
    expect(loggedOutput(run.log(), 'stdout') === text).toBe(true);
  });

  test('a reader that leaves in the middle does not hang the command', async () => {
    const run = supervise({ start: shell('head -c 10000000 /dev/zero; exit 9'), attach });
    await run.first.until(() => run.first.output('stdout').length > 0);
    run.first.socket.destroy();
    await run.exited;
    expect(run.exit()).toMatchObject({ kind: 'exited', value: 9 });
  });

  test('of two clients one is stopped: the command and the other go on, and the stopped one learns what it lost', async () => {
    const run = supervise({ start: shell('head -c 9000000 /dev/zero; read line; echo end'), attach });
    run.first.socket.pause();
    const other = await run.connect();
    other.send(messages.attach(attach));
    await other.until(() => other.output('stdout').length > 6_000_000);
    run.first.socket.resume();
    await run.first.message('lost');
    run.first.send(messages.stdin(Buffer.from('\n')));
    expect((await run.first.message('exit')).status).toEqual(exitCode);
    const lost = run.first.messages.reduce((sum, m) => sum + (m.type === 'lost' ? m.bytes : 0), 0);
    expect(lost).toBeGreaterThan(0);
    expect(run.first.output('stdout').length + lost).toBe(9_000_004);
    expect(run.first.output('stdout').toString('latin1')).toMatch(/end\n$/);
  });
});

const isRecorded = (run: { exit: () => unknown }): boolean => {
  try {
    return Boolean(run.exit());
  } catch {
    return false;
  }
};

describe('input', () => {
  test('and its end', async () => {
    const { first } = supervise({ start: shell('cat; echo end'), attach });
    first.send(messages.stdin(Buffer.from('hi\n')));
    first.send(messages.stdinEof());
    await first.message('exit');
    expect(first.output('stdout').toString()).toBe('hi\nend\n');
  });

  test('10 000 000 bytes arrive exactly, through a command that reads slowly at first', async () => {
    const { first } = supervise({ start: shell('sleep 0.3; sha256sum'), attach });
    const bytes = Buffer.from('0123456789abcde\n'.repeat(625_000));
    first.send(messages.stdin(bytes));
    first.send(messages.stdinEof());
    await first.message('exit');
    expect(first.output('stdout').toString()).toBe(`${sha256(bytes)}  -\n`);
  });

  test('that nobody reads any more is thrown away', async () => {
    const { first } = supervise({ start: shell('exec <&-; sleep 0.2; exit 0'), attach });
    first.send(messages.stdin(Buffer.alloc(1_000_000)));
    expect((await first.message('exit')).status).toEqual(exitCode);
  });

  test('of a client that sends and leaves at once arrives', async () => {
    const run = supervise({ start: shell('sleep 0.2; wc -c >count'), attach: outputOnly });
    const sender = await run.connect();
    sender.send(messages.attach(attach));
    sender.send(messages.stdin(Buffer.alloc(100_000)));
    sender.send(messages.stdinEof());
    sender.socket.destroySoon();
    await run.first.message('exit');
    expect(run.file('count')).toBe('100000\n');
  });

  test('stdinOnce: it ends when the attached client goes', async () => {
    const run = supervise({ start: shell('cat; exit 5'), attach, stdinOnce: true });
    await run.first.message('started');
    run.first.socket.destroy();
    await run.exited;
    expect(run.exit()).toMatchObject({ kind: 'exited', value: 5 });
  });

  test('of a client that is not attached to it is ignored', async () => {
    const run = supervise({ start: shell('cat'), attach });
    const other = await run.connect();
    other.send(messages.attach(outputOnly));
    other.send(messages.stdin(Buffer.from('wrong\n')));
    other.send(messages.stdinEof());
    other.send(encodeFrame(200, Buffer.from('of a newer version: skipped')));
    other.send(messages.attach(attach));
    other.send(messages.stdin(Buffer.from('right\n')));
    await run.first.until(() => run.first.output('stdout').length > 0);
    other.send(messages.stdinEof());
    await run.first.message('exit');
    expect(run.first.output('stdout').toString()).toBe('right\n');
  });
});

describe('frames that are none', () => {
  const tooLong = encodeFrame(FRAME_STDIN);
  tooLong.writeUInt32LE(65537, 4);
  const notZero = encodeFrame(FRAME_STDIN);
  notZero.writeUInt8(1, 2);

  test.each([
    ['too long', tooLong],
    ['not zero', notZero],
    ['a signal of three bytes', encodeFrame(FRAME_SIGNAL, Buffer.alloc(3))],
  ])('%s: this client is disconnected, the others stay', async (_, bytes) => {
    const run = supervise({ start: shell('cat'), attach });
    const wrong = await run.connect();
    wrong.send(bytes);
    await wrong.end();
    run.first.send(messages.stdinEof());
    expect((await run.first.message('exit')).status).toEqual(exitCode);
  });

  test('more clients than there are places wait', async () => {
    const run = supervise({ start: shell('cat'), attach });
    await run.first.message('started');
    const others = await Promise.all(Array.from({ length: 40 }, () => run.connect()));
    for (const other of others.slice(0, 20)) other.socket.destroy();
    const last = others.at(-1);
    last?.send(messages.attach(attach));
    last?.send(messages.stdinEof());
    await run.first.message('exit');
    await last?.message('exit');
  });
});

describe('a terminal', () => {
  test('is one stream, with echo; the last bytes come before the exit', async () => {
    const script = 'read line; echo out; echo err >&2; tty; seq 2000; exit 3';
    const { first } = supervise({ start: shell(script, { terminal: true }), attach });
    first.send(messages.stdin(Buffer.from('hi\n')));
    expect((await first.message('exit')).status).toEqual({ kind: 'exited', code: 3 });
    const text = first.output('stdout').toString();
    expect(text).toMatch(/^hi\r\nout\r\nerr\r\n\/dev\/pts\/\d+\r\n1\r\n/);
    expect(text).toMatch(/1999\r\n2000\r\n$/);
    expect(first.output('stderr').length).toBe(0);
  });

  test('is resized', async () => {
    const script = 'trap "stty size; exit" WINCH; echo ready; while :; do sleep 0.05; done';
    const { first } = supervise({ start: shell(script, { terminal: true }), attach });
    await first.until(() => first.output('stdout').includes('ready'));
    first.send(messages.resize(33, 77));
    await first.message('exit');
    expect(first.output('stdout').toString()).toBe('ready\r\n33 77\r\n');
  });

  test('^C is a signal, ^D an end', async () => {
    const { first } = supervise({
      start: shell('trap "echo int" INT; cat; cat; exit 4', { terminal: true }),
      attach,
    });
    await first.message('started');
    first.send(messages.stdin(Buffer.from('a\n')));
    await first.until(() => first.output('stdout').toString().endsWith('a\r\na\r\n'));
    first.send(messages.stdin(Buffer.from('\x03')));
    await first.until(() => first.output('stdout').includes('int'));
    first.send(messages.stdin(Buffer.from('\x04')));
    expect((await first.message('exit')).status).toEqual({ kind: 'exited', code: 4 });
  });

  test('that nobody has open for a while is not at its end', async () => {
    const script = `t=$(tty); exec <&- >&- 2>&-; sleep 0.3; echo again >$t; sleep 0.3; exit 2`;
    const { first } = supervise({ start: shell(script, { terminal: true }), attach });
    expect((await first.message('exit')).status).toEqual({ kind: 'exited', code: 2 });
    expect(first.output('stdout').toString()).toBe('again\r\n');
  });
});
