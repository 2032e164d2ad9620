/**
 * `--sdnotify` (LCH-11): whom the service manager that has started tsrun hears, and what. The manager is a socket of the test's; a unit of systemd's
 * is in test/long/virtual-machine.test.ts.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { containerPids } from '../support/container-processes.ts';
import { NotifySocket } from '../support/notify-socket.ts';
import { type Result, useTsrun } from '../support/tsrun.ts';
import { until } from '../support/until.ts';

const tsrun = useTsrun();
const IMAGE = 'localhost/busybox';
const RUN = ['run', '-d', '--network', 'none', '--name', 'c'];

/** What sd_notify(3) does, in an image without it. */
const SAY = `
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
int main(int argc, char **argv)
{
	struct sockaddr_un a = {AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
	strcpy(a.sun_path, getenv("NOTIFY_SOCKET"));
	return argc < 2 || sendto(fd, argv[1], strlen(argv[1]), 0, (void *)&a, sizeof(a)) < 0;
}`;

const directory = mkdtempSync(join(tmpdir(), 'tsrun-notify-'));
const SPEAKING = ['-v', `${join(directory, 'say')}:/say:ro`, IMAGE, 'sh', '-c'];
let manager: NotifySocket;

beforeAll(() => {
  execFileSync('cc', ['-static', '-x', 'c', '-o', join(directory, 'say'), '-'], { input: SAY });
});
afterAll(() => rmSync(directory, { recursive: true }));
beforeEach(() => {
  manager = new NotifySocket(join(directory, 'notify'));
});
afterEach(async () => {
  manager[Symbol.dispose]();
  await tsrun.ok('rm', '-f', '--ignore', 'c');
});

/** Under the service manager. */
const told = (words: readonly string[], address = manager.address): Promise<Result> =>
  tsrun.run(words, { env: { NOTIFY_SOCKET: address } });
const ok = async (...words: string[]): Promise<void> => {
  const { status, stderr } = await told(words);
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
};
const supervisor = async (): Promise<number> => (await containerPids(tsrun, 'c')).supervisor;

it('conmon: tsrun says who is the main process, and that it is ready, when the container runs', async () => {
  await ok(...RUN, '--sdnotify', 'conmon', IMAGE, 'sleep', '1000');
  expect(manager.receive()).toEqual([`MAINPID=${await supervisor()}\nREADY=1`]);
  await tsrun.expect(1, ['exec', 'c', 'test', '-e', '/run/notify']);
  expect(await tsrun.ok('inspect', '--format', '{{.Config.sdNotifyMode}}', 'c')).toBe('conmon');
});

it('container, which is the default: it says itself what it may say, and nothing else', async () => {
  const script = 'until test -e /tmp/go; do sleep 0.02; done; /say "$(cat /tmp/go)"; exec sleep 1000';
  // An ordinary user of a read-only container whose /run is new each time.
  await ok(...RUN, '--user', '1234', '--read-only', '--tmpfs', '/tmp', ...SPEAKING, script);
  expect(manager.receive()).toEqual([`MAINPID=${await supervisor()}`]);
  const words = 'MAINPID=1\\nREADY=1\\nSTATUS=up\\nFDSTORE=1';
  await tsrun.ok('exec', 'c', 'sh', '-c', `printf '${words}' >/tmp/new; mv /tmp/new /tmp/go`);
  await manager.until('READY=1\nSTATUS=up');
  expect(manager.messages).toHaveLength(2);
  expect(await tsrun.ok('inspect', '--format', '{{.Config.sdNotifyMode}}', 'c')).toBe('container');
});

it('container: also to an abstract name, in user namespaces of its own, and after a restart by its supervisor', async () => {
  using abstract = new NotifySocket(`@tsrun-test-${process.pid}`);
  const options = ['--userns', 'nomap', '--restart', 'on-failure:1', '--env', 'NOTIFY_SOCKET=/mine'];
  const { status } = await told([...RUN, ...options, ...SPEAKING, '/say READY=1; exit 1'], abstract.address);
  expect(status).toBe(0);
  await until('two starts', () => abstract.receive().filter((message) => message === 'READY=1').length === 2);
});

it('what a short life says last is heard', async () => {
  await ok('run', '--rm', '--network', 'none', ...SPEAKING, '/say READY=1');
  // tsrun and the supervisor speak at the same time.
  expect(manager.receive().sort()).toEqual([expect.stringMatching(/^MAINPID=\d+$/), 'READY=1']);
});

it('healthy: ready with the first health check that succeeds, and once', async () => {
  const health = ['--health-cmd', 'test -e /well', '--health-interval', '50ms', '--sdnotify', 'healthy'];
  await ok(...RUN, ...health, IMAGE, 'sleep', '1000');
  const main = `MAINPID=${await supervisor()}`;
  await until(
    'a failed check',
    async () => (await tsrun.ok('inspect', '--format', '{{.State.Health.FailingStreak}}', 'c')) !== '0',
  );
  expect(manager.receive()).toEqual([main]);
  await tsrun.ok('exec', 'c', 'touch', '/well');
  await manager.until('READY=1');
  await tsrun.ok('exec', 'c', 'rm', '/well');
  await until(
    'it is unhealthy',
    async () => (await tsrun.ok('inspect', '--format', '{{.State.Health.Status}}', 'c')) === 'unhealthy',
  );
  await tsrun.ok('exec', 'c', 'touch', '/well');
  await until(
    'it is healthy again',
    async () => (await tsrun.ok('inspect', '--format', '{{.State.Health.Status}}', 'c')) === 'healthy',
  );
  expect(manager.receive()).toEqual([main, 'READY=1']);
  const { stderr } = await tsrun.expect(125, ['create', '--sdnotify', 'healthy', IMAGE, 'true']);
  expect(stderr).toContain('no health check');
});

it('ignore: nobody is told', async () => {
  await ok(...RUN, '--sdnotify', 'ignore', IMAGE, 'sh', '-c', 'echo "<$NOTIFY_SOCKET>"; sleep 1000');
  await until('its word', async () => (await tsrun.ok('logs', 'c')) === '<>');
  expect(manager.receive()).toEqual([]);
});

const TOO_LONG = `/${'a'.repeat(20_000)}`;

it.each([
  ['that is not there', '/nobody/here', 'cannot notify the service manager'],
  ['whose address no socket can have', TOO_LONG, 'of at most 107 bytes'],
])('a manager %s is a warning, and the container runs', async (_, address, warning) => {
  const { status, stderr } = await told([...RUN, IMAGE, 'sleep', '1000'], address);
  expect(status).toBe(0);
  expect(stderr).toContain(warning);
  expect(await tsrun.ok('inspect', '--format', '{{.State.Status}}', 'c')).toBe('running');
});
