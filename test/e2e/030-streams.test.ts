/**
 * Input and output of a container's command are the user's, byte for byte: pipes and terminals, big and small, to the last byte before
 * the end (AC-5.2, AC-5.3, AC-5.6; peers have lost the end of the output, shown 0 rows, and left terminals raw).
 */
import { createHash, randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { containerPids, isRunning } from '../support/container-processes.ts';
import { onTerminal, type TerminalOptions } from '../support/terminal.ts';
import { BINARY, start, useTsrun } from '../support/tsrun.ts';
import { until } from '../support/until.ts';

const tsrun = useTsrun();
const IMAGE = 'localhost/busybox';
const RUN = ['run', '--rm', '--network', 'none'];
const MANY = 10_000_000;

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
const terminal = (words: readonly string[], options: TerminalOptions = {}) =>
  onTerminal(words, { ...options, env: tsrun.store.env, cwd: tsrun.store.directory });
/** A pipeline with tsrun in it, which is `$0` for the shell. */
const pipeline = (line: string) =>
  start('bash', ['-o', 'pipefail', '-c', line, BINARY], { env: tsrun.store.env, cwd: tsrun.store.directory })
    .ended;

beforeAll(async () => {
  await tsrun.ok('run', '-d', '-i', '--network', 'none', '--name', 'target', IMAGE, 'cat');
});

describe('pipes', () => {
  it('echo hi | tsrun run -i cat', async () => {
    const { stdout, status, stderr } = await pipeline(`echo hi | "$0" ${RUN.join(' ')} -i ${IMAGE} cat`);
    expect([status, stdout, stderr]).toEqual([0, 'hi\n', '']);
  });

  it.each([1, 2, 3, 4, 5])(`${MANY} bytes of output arrive, run %i`, async () => {
    const { status, stdout, stderr } = await pipeline(
      `"$0" ${RUN.join(' ')} ${IMAGE} sh -c 'yes | head -c ${MANY}' | sha256sum`,
    );
    expect([status, stderr]).toEqual([0, '']);
    expect(stdout.slice(0, 64)).toBe(sha256(Buffer.alloc(MANY, 'y\n')));
  });

  it.each(['run', 'exec'])(`${MANY} random bytes through cat and back, by %s`, async (verb) => {
    const input = randomBytes(MANY);
    const words = verb === 'run' ? [...RUN, '-i', IMAGE, 'cat'] : ['exec', '-i', 'target', 'cat'];
    const { output, stderr } = await tsrun.expect(0, words, { input });
    expect([output.length, sha256(output), stderr]).toEqual([MANY, sha256(input), '']);
  });

  it('the end of the input reaches the command, which then says more', async () => {
    const { stdout } = await tsrun.expect(0, [...RUN, '-i', IMAGE, 'sh', '-c', 'wc -c; echo done'], {
      input: 'x'.repeat(100_000),
    });
    expect(stdout.trim().split(/\s+/)).toEqual(['100000', 'done']);
  });

  it('without -i the command’s input is empty, and ours is not touched', async () => {
    const { stdout } = await pipeline(`(echo 1; echo 2) | ("$0" ${RUN.join(' ')} ${IMAGE} cat; cat)`);
    expect(stdout).toBe('1\n2\n');
  });

  it('a command that ends without reading its input does not hang or fail', async () => {
    const { status, stderr } = await pipeline(
      `yes | head -c 1000000 | "$0" ${RUN.join(' ')} -i ${IMAGE} true; exit $?`,
    );
    expect([0, 141], stderr).toContain(status); // 141: pipefail tells that `head` got SIGPIPE
  });

  it('stdout and stderr are kept apart, with exact bytes', async () => {
    const script = 'printf "a\\0b\\r\\n\\377"; printf "error" >&2';
    const { output, stderr } = await tsrun.expect(0, [...RUN, IMAGE, 'sh', '-c', script]);
    expect(output).toEqual(Buffer.from([97, 0, 98, 13, 10, 255]));
    expect(stderr).toBe('error');
  });

  it('`| head -c 5` ends, and so does the container', async () => {
    const { stdout } = await pipeline(`"$0" ${RUN.join(' ')} --name head ${IMAGE} yes | head -c 5`);
    expect(stdout).toBe('y\ny\ny');
    await until('the container is gone', async () => {
      return !(await tsrun.ok('ps', '-a', '--format', '{{.Names}}')).split('\n').includes('head');
    });
  });

  it('a reader who pauses holds the writer up, and loses nothing', async () => {
    const { child, ended } = tsrun.start([
      ...RUN,
      IMAGE,
      'sh',
      '-c',
      `yes | head -c ${MANY}; echo written >&2`,
    ]);
    child.stdout?.pause();
    let isWritten = false;
    child.stderr?.on('data', () => {
      isWritten = true;
    });
    await until('something has come, and nothing more moves', async () => {
      const before = child.stdout?.readableLength;
      await new Promise((resolve) => setTimeout(resolve, 200));
      return before !== 0 && before === child.stdout?.readableLength;
    });
    expect(isWritten).toBe(false);
    child.stdout?.resume();
    expect((await ended).output.length).toBe(MANY);
  });

  it('the last words of a command that ends at once are never lost', async () => {
    const runs = await Promise.all(
      Array.from({ length: 12 }, (_, i) =>
        tsrun.run([...RUN, IMAGE, 'sh', '-c', `echo out ${i}; echo err ${i} >&2`]),
      ),
    );
    expect(runs.map(({ stdout, stderr }) => `${stdout}${stderr}`)).toEqual(
      runs.map((_, i) => `out ${i}\nerr ${i}\n`),
    );
  });

  it('-a chooses the streams', async () => {
    const words = [...RUN, '-a', 'stderr', IMAGE, 'sh', '-c', 'echo out; echo err >&2'];
    const { stdout, stderr } = await tsrun.expect(0, words);
    expect([stdout, stderr]).toEqual(['', 'err\n']);
  });

  it('what a detached container has written is in its log, stream by stream', async () => {
    await tsrun.ok(
      'run',
      '-d',
      '--network',
      'none',
      '--name',
      'writer',
      IMAGE,
      'sh',
      '-c',
      'seq 1 20000; echo err >&2',
    );
    await tsrun.ok('wait', 'writer');
    const { stdout, stderr } = await tsrun.expect(0, ['logs', 'writer']);
    expect(sha256(Buffer.from(stdout))).toBe(
      sha256(Buffer.from(Array.from({ length: 20_000 }, (_, i) => `${i + 1}\n`).join(''))),
    );
    expect(stderr).toBe('err\n');
  });

  it('logs -f follows to the end of the container', async () => {
    await tsrun.ok(
      'run',
      '-d',
      '--network',
      'none',
      '--name',
      'counter',
      IMAGE,
      'sh',
      '-c',
      'for i in 1 2 3 4 5; do echo $i; sleep 0.1; done',
    );
    const { stdout } = await tsrun.expect(0, ['logs', '-f', 'counter']);
    expect(stdout).toBe('1\n2\n3\n4\n5\n');
  });
});

/** Shell code that waits until tsrun has taken the terminal. */
const WHEN_RAW = 'until stty -a </dev/tty | grep -q -- -icanon; do sleep 0.05; done';

describe('terminals', () => {
  it.each(['run', 'exec'])('%s -t: the command’s first look at the size is right', async (verb) => {
    for (const [rows, columns] of [
      [24, 80],
      [51, 132],
      [7, 33],
    ] as const) {
      const words = verb === 'run' ? [...RUN, '-it', IMAGE] : ['exec', '-it', 'target'];
      const { stdout, status } = await terminal([BINARY, ...words, 'stty', 'size'], { rows, columns }).ended;
      expect([status, stdout]).toEqual([0, `${rows} ${columns}\r\n`]);
    }
  });

  it('the size follows the user’s terminal', async () => {
    const shell = terminal([
      'sh',
      '-c',
      `(until [ -e resize ]; do sleep 0.05; done; ${WHEN_RAW}; stty rows 40 cols 100 </dev/tty) & exec ${BINARY} ${RUN.join(' ')} -it ${IMAGE} sh -c 'trap "stty size; exit" WINCH; stty size; while :; do sleep 0.1; done'`,
    ]);
    await shell.waitFor(/24 80\r\n/);
    writeFileSync(join(tsrun.store.directory, 'resize'), '');
    expect((await shell.ended).stdout).toMatch(/40 100\r\n$/);
  });

  it('everything is one stream, with the terminal’s line ends, and keys are echoed once', async () => {
    const shell = terminal([
      BINARY,
      ...RUN,
      '-it',
      IMAGE,
      'sh',
      '-c',
      'echo up; read line; echo "got $line"; echo err >&2',
    ]);
    await shell.waitFor(/up/);
    shell.write('hello\r');
    const { stdout, status } = await shell.ended;
    expect([status, stdout]).toEqual([0, 'up\r\nhello\r\ngot hello\r\nerr\r\n']);
  });

  it('^C is the command’s', async () => {
    const shell = terminal([
      BINARY,
      ...RUN,
      '-it',
      IMAGE,
      'sh',
      '-c',
      'trap "echo int; exit 9" INT; echo up; while :; do sleep 0.1; done',
    ]);
    await shell.waitFor(/up/);
    shell.write('\x03');
    expect((await shell.ended).status).toBe(9);
  });

  it('ctrl-p ctrl-q leaves the container running; attach comes back to it', async () => {
    const words = [
      'run',
      '-it',
      '--network',
      'none',
      '--name',
      'left',
      IMAGE,
      'sh',
      '-c',
      'echo up; read x; echo "got $x"; exit 4',
    ];
    const shell = terminal([BINARY, ...words]);
    await shell.waitFor(/up/);
    shell.write('\x10\x11');
    expect((await shell.ended).status).toBe(0);
    expect(isRunning((await containerPids(tsrun, 'left')).init)).toBe(true);
    const again = terminal([BINARY, 'attach', 'left']);
    again.write('back\r');
    const { stdout, status } = await again.ended;
    expect(stdout).toContain('got back\r\n');
    expect(status).toBe(4);
    await tsrun.ok('rm', 'left');
  });

  it('--detach-keys "" takes the keys as they are', async () => {
    const script = 'stty raw -echo; echo up; dd bs=1 count=2 2>/dev/null | od -An -tx1';
    const shell = terminal([BINARY, ...RUN, '-it', '--detach-keys', '', IMAGE, 'sh', '-c', script]);
    await shell.waitFor(/up/);
    shell.write('\x10\x11');
    expect((await shell.ended).stdout).toMatch(/10 11/);
  });

  /** Modes of the user's terminal before and after; `$0` is tsrun. */
  const MODES = `a=$(stty -g); "$@"; b=$(stty -g); [ "$a" = "$b" ] && echo same || echo "$a -> $b"`;
  it.each([
    ['after the command', ['sh', '-c', 'stty raw -echo; exit 3']],
    ['when there is no such command', ['no-such-command']],
    ['when the command is killed', ['sh', '-c', 'kill -9 $$; sleep 0.1; kill -SEGV $$']],
  ])('the modes of the terminal are as before: %s', async (_when, command) => {
    const words = ['sh', '-c', MODES, 'sh', BINARY, ...RUN, '-it', IMAGE, ...command];
    expect((await terminal(words).ended).stdout).toMatch(/same\r\n$/);
  });

  it.each(['TERM', 'HUP', 'INT'])(
    'the modes of the terminal are as before: tsrun gets SIG%s',
    async (signal) => {
      const line = `(${WHEN_RAW}; kill -${signal} $$) & exec "$0" ${RUN.join(' ')} -it ${IMAGE} sleep 1000`;
      const { stdout } = await terminal(['sh', '-c', MODES, 'sh', 'sh', '-c', line, BINARY]).ended;
      expect(stdout).toMatch(/same\r\n$/);
    },
  );

  it('-t without a terminal works, after a warning', async () => {
    const { stdout, stderr } = await tsrun.expect(0, [...RUN, '-it', IMAGE, 'echo', 'hi'], { input: '' });
    expect(stdout).toBe('hi\r\n');
    expect(stderr).toContain('not a terminal');
  });
});
