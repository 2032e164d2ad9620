/** Descriptors that the caller hands to the container's command: `--preserve-fds`, and sockets of systemd's (sd_listen_fds(3)). LCH-11, EXE-1. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { shellLine } from '../support/shell-line.ts';
import { BINARY, start, useTsrun } from '../support/tsrun.ts';
import { until } from '../support/until.ts';

const tsrun = useTsrun();
const IMAGE = 'localhost/busybox';
const RUN = 'run --rm --network none';

const directory = mkdtempSync(join(tmpdir(), 'tsrun-descriptors-'));
afterAll(() => rmSync(directory, { recursive: true }));

const shell = (line: string) => shellLine(tsrun, directory, line);
const file = (): string => {
  writeFileSync(join(directory, 'given'), 'what is in it\n');
  return 'given';
};

it('a file is read, and a pipe written, at the same numbers; no others are there', async () => {
  const inside = `'cat <&3; echo said >&4; ls /proc/self/fd | tr "\\n" " "'`;
  const line = `tsrun ${RUN} --preserve-fds 2 ${IMAGE} sh -c ${inside} 3<${file()} 4>&1 5<given`;
  const { stdout, stderr, status } = await shell(line);
  expect({ stderr, status }).toEqual({ stderr: '', status: 0 });
  // The last is the directory that ls reads.
  // What goes through the pipe is not relayed, and may be first.
  expect(stdout.split('\n').sort()).toEqual(['0 1 2 3 4 5 ', 'said', 'what is in it']);
});

it('as many as are asked for; each must be open', async () => {
  const many = Array.from({ length: 12 }, (_, i) => `${3 + i}<given`);
  const redirections = many.slice(0, 7).join(' ');
  const line = `tsrun ${RUN} --preserve-fds 7 ${IMAGE} sh -c 'cat <&3; cat /proc/self/fd/9' ${redirections}`;
  file();
  expect((await shell(line)).stdout).toBe('what is in it\n'.repeat(2));
  const { status, stderr } = await shell(`tsrun ${RUN} --preserve-fds 2 ${IMAGE} true 3<given`);
  expect(status).toBe(125);
  expect(stderr).toContain('descriptor 4 is not open');
  // The shell that starts Node has its script at 10: that is nobody's to pass on.
  const closed = `bash -c 'exec 10<&-; exec "$0" "$@"'`;
  const own = await shell(`${closed} tsrun ${RUN} --preserve-fds 8 ${IMAGE} true ${redirections}`);
  expect(own.stderr).toContain('descriptor 10 is not open');
});

it('exec passes them, too, and so does exec -d, which returns at once', async () => {
  await tsrun.ok('run', '-d', '--name', 'web', '--network', 'none', IMAGE, 'sleep', '1000');
  const { stdout } = await shell(`tsrun exec --preserve-fds 1 web cat /proc/self/fd/3 3<${file()}`);
  expect(stdout).toBe('what is in it\n');
  const inside = `'cat <&3 >/got; until test -e /go; do sleep 0.05; done; touch /went'`;
  await shell(`tsrun exec -d --preserve-fds 1 web sh -c ${inside} 3<given`);
  await tsrun.expect(1, ['exec', 'web', 'test', '-e', '/went']);
  await tsrun.ok('exec', 'web', 'touch', '/go');
  await until('its end', async () => (await tsrun.run(['exec', 'web', 'cat', '/went'])).status === 0);
  expect(await tsrun.ok('exec', 'web', 'cat', '/got')).toBe('what is in it');
  await tsrun.ok('rm', '-f', 'web');
});

// Once those that waited for their places had numbers among these places: of 110 or more, some were lost and others there twice.
it('each of many is the file that it is here', async () => {
  const count = 150;
  for (let i = 0; i < count; i++) writeFileSync(join(directory, `${i}`), `${i}\n`);
  const inside = `i=0; while [ $i -lt ${count} ]; do cat /proc/self/fd/$((3 + i)); i=$((i + 1)); done`;
  const script = `
import os, sys
for i in range(${count}):
    fd = os.open(str(i), os.O_RDONLY)
    os.dup2(fd, 3 + i)
    os.set_inheritable(3 + i, True)
    if fd != 3 + i: os.close(fd)
os.execvp(sys.argv[1], sys.argv[1:])`;
  const words = [...RUN.split(' '), '--preserve-fds', `${count}`, IMAGE, 'sh', '-c', inside];
  const { stdout, stderr } = await start('python3', ['-c', script, BINARY, ...words], {
    env: tsrun.store.env,
    cwd: directory,
  }).ended;
  expect({ stdout, stderr }).toEqual({
    stdout: Array.from({ length: count }, (_, i) => `${i}\n`).join(''),
    stderr: '',
  });
});

it('the container alone holds them: their end is seen while it goes on', async () => {
  const inside = `'echo hi >&3; exec 3>&-; exec sleep 1000'`;
  const line = `{ tsrun run -d --name going --network none --preserve-fds 1 ${IMAGE} sh -c ${inside} 3>&1 >/dev/null; } | cat`;
  expect((await shell(line)).stdout).toBe('hi\n');
  expect(await tsrun.ok('inspect', '--format', '{{.State.Status}}', 'going')).toBe('running');
  await tsrun.ok('rm', '-f', 'going');
});

it('sockets that systemd has opened are handed on, to start as well; not those that were for somebody else', async () => {
  const inside = `'echo $LISTEN_FDS $LISTEN_PID $LISTEN_FDNAMES; cat <&3 2>/dev/null'`;
  // As systemd does it: the pid is that of the process which becomes tsrun.
  const systemd = (pid: string, words: string) =>
    shell(`exec 3<${file()}; export LISTEN_FDS=1 LISTEN_FDNAMES=web LISTEN_PID=${pid}; exec tsrun ${words}`);
  const own = (words: string) => systemd('$$', words);
  expect((await own(`${RUN} ${IMAGE} sh -c ${inside}`)).stdout).toBe('1 1 web\nwhat is in it\n');
  expect((await own(`${RUN} --init ${IMAGE} sh -c ${inside}`)).stdout).toBe('1 2 web\nwhat is in it\n');
  await shell(`tsrun create --name later --network none ${IMAGE} sh -c ${inside}`);
  expect((await own('start -a later')).stdout).toBe('1 1 web\nwhat is in it\n');
  await tsrun.ok('rm', 'later');
  expect((await systemd('1', `${RUN} ${IMAGE} sh -c ${inside}`)).stdout.trim()).toBe('');
});

it('they contradict a restart policy and a trace, and create cannot keep them', async () => {
  const refused = async (words: string): Promise<string> => {
    const { status, stderr } = await shell(`tsrun ${words} 3<${file()}`);
    expect(status).toBe(125);
    return stderr;
  };
  const restarting = `run --network none --name again --restart always --preserve-fds 1 ${IMAGE} true`;
  expect(await refused(restarting)).toContain('restart policy');
  await tsrun.ok('rm', '-f', 'again');
  expect(await refused(`${RUN} --trace --preserve-fds 1 ${IMAGE} true`)).toContain('--trace');
  const activated = `exec 3<${file()}; export LISTEN_FDS=1 LISTEN_PID=$$; exec tsrun ${RUN} --trace ${IMAGE} true`;
  expect((await shell(activated)).stderr).toContain('--trace has no room for descriptors');
  expect(await refused(`create --preserve-fds 1 ${IMAGE} true`)).toContain('--preserve-fds');
});
