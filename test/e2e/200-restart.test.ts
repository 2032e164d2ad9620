/**
 * Restart policies (SUP-10): kept by the container's own supervisor, with no daemon; a stop is respected; `tsrun restart`.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { containerPids, isRunning } from '../support/container-processes.ts';
import { fetchText } from '../support/http.ts';
import { canListen, freePort } from '../support/ports.ts';
import { useTsrun } from '../support/tsrun.ts';
import { until } from '../support/until.ts';

const tsrun = useTsrun();
const IMAGE = 'localhost/busybox';
const RUN = ['run', '-d', '--network', 'none'];

const field = (name: string, format: string): Promise<string> =>
  tsrun.ok('inspect', '--format', format, name);
const phase = (name: string): Promise<string> => field(name, '{{.State.Status}}');
const restarts = async (name: string): Promise<number> => Number(await field(name, '{{.RestartCount}}'));

describe('--restart', () => {
  it('on-failure:2: three runs, and the last exit status', async () => {
    await tsrun.ok(
      ...RUN,
      '--name',
      'failing',
      '--restart',
      'on-failure:2',
      IMAGE,
      'sh',
      '-c',
      'echo run; exit 7',
    );
    await until('it gave up', async () => (await phase('failing')) === 'exited');
    expect(await field('failing', '{{.RestartCount}} {{.State.ExitCode}}')).toBe('2 7');
    expect(
      await field(
        'failing',
        '{{.HostConfig.RestartPolicy.Name}} {{.HostConfig.RestartPolicy.MaximumRetryCount}}',
      ),
    ).toBe('on-failure 2');
    expect(await tsrun.ok('logs', 'failing')).toBe('run\nrun\nrun');
    expect(await tsrun.ok('wait', 'failing')).toBe('7');
    // A start by hand counts anew.
    await tsrun.ok('start', 'failing');
    await until('it gave up again', async () => (await phase('failing')) === 'exited');
    expect(await restarts('failing')).toBe(2);
    expect((await tsrun.ok('logs', 'failing')).split('\n')).toHaveLength(6);
  });

  it('always: a killed container comes back with its published port, its volume and its own network helper', async () => {
    const port = await freePort();
    const words = [
      'run',
      '-d',
      '--name',
      'web',
      '--restart',
      'always',
      '-p',
      `127.0.0.1:${port}:80`,
      'localhost/httpd',
    ];
    await tsrun.ok(...words);
    expect(await fetchText(port)).toContain('It works!');
    await tsrun.ok('exec', 'web', 'touch', '/tmp/mark');
    const { init, supervisor } = await containerPids(tsrun, 'web');
    process.kill(init, 'SIGKILL');
    await until(
      'it was restarted',
      async () => (await restarts('web')) === 1 && (await phase('web')) === 'running',
    );
    await until('it answers', async () => (await fetchText(port).catch(() => '')).includes('It works!'));
    expect((await containerPids(tsrun, 'web')).supervisor).toBe(supervisor);
    await tsrun.ok('exec', 'web', 'test', '-e', '/tmp/mark');

    expect(await tsrun.ok('stop', 'web')).toBe('web');
    expect(await phase('web')).toBe('exited');
    await until('nothing of it is left', () => !isRunning(supervisor));
    expect(await canListen(port, '127.0.0.1')).toBe(true);
    expect(await restarts('web')).toBe(1);
  });

  it.each(['stop', 'kill', 'rm'])('is over with %s, also in the pause before a restart', async (verb) => {
    const name = `ends-by-${verb}`;
    await tsrun.ok(...RUN, '--name', name, '--restart', 'unless-stopped', IMAGE, 'false');
    const status = () => tsrun.ok('ps', '--filter', `name=${name}`, '--format', '{{.Status}}');
    await until(
      'a long pause',
      async () => (await restarts(name)) >= 4 && /^Restarting \(1\) /.test(await status()),
    );
    const { supervisor } = await containerPids(tsrun, name);
    await tsrun.ok(verb, ...(verb === 'rm' ? ['-f'] : []), name);
    await until('its supervisor is gone', () => !isRunning(supervisor));
    if (verb === 'rm') await tsrun.expect(125, ['inspect', name]);
    else expect(await field(name, '{{.State.Status}} {{.State.ExitCode}}')).toBe('exited 1');
  });

  it('a signal that only asks something of it does not end the policy', async () => {
    const script = 'trap "exit 5" HUP; echo up; while :; do sleep 0.1; done';
    await tsrun.ok(...RUN, '--name', 'hup', '--restart', 'always', IMAGE, 'sh', '-c', script);
    await until('it listens', async () => (await tsrun.ok('logs', 'hup')).includes('up'));
    await tsrun.ok('kill', '-s', 'HUP', 'hup');
    await until('it came back', async () => (await restarts('hup')) === 1);
    await tsrun.ok('rm', '-f', 'hup');
  });

  it('logs -f follows through restarts and ends with the container', async () => {
    await tsrun.ok(
      ...RUN,
      '--name',
      'followed',
      '--restart',
      'on-failure:2',
      IMAGE,
      'sh',
      '-c',
      'sleep 0.2; echo run; exit 1',
    );
    expect(await tsrun.ok('logs', '-f', 'followed')).toBe('run\nrun\nrun');
    await tsrun.ok('rm', 'followed');
  });

  it('in the foreground: tsrun ends with the first exit status, as docker does', async () => {
    const words = [
      'run',
      '--name',
      'front',
      '--network',
      'none',
      '--restart',
      'always',
      IMAGE,
      'sh',
      '-c',
      'echo once; exit 9',
    ];
    const { stdout } = await tsrun.expect(9, words);
    expect(stdout).toBe('once\n');
    await until('it was restarted', async () => (await restarts('front')) >= 1);
    await tsrun.ok('rm', '-f', 'front');
  });

  it('with --rm, or a policy that is none, is refused before anything is made', async () => {
    const { stderr } = await tsrun.expect(125, [
      'run',
      '--rm',
      '--restart',
      'always',
      '--name',
      'never',
      IMAGE,
      'true',
    ]);
    expect(stderr).toContain('--rm and --restart always contradict each other');
    for (const policy of ['sometimes', 'always:3', 'on-failure:x', 'on-failure:1:2'])
      await tsrun.expect(125, ['run', '--restart', policy, '--name', 'never', IMAGE, 'true']);
    await tsrun.ok('run', '--rm', '--network', 'none', '--restart', 'no', IMAGE, 'true');
    expect(existsSync(join(tsrun.store.root, 'names', 'never'))).toBe(false);
  });

  it('a first start that fails is not repeated', async () => {
    await tsrun.expect(127, [
      'run',
      '--network',
      'none',
      '--restart',
      'always',
      '--name',
      'absent',
      IMAGE,
      '/no/such',
    ]);
    expect(await phase('absent')).toBe('created');
    await tsrun.ok('rm', 'absent');
  });
});

describe('tsrun restart', () => {
  it('of a running container: a new process, with its files', async () => {
    await tsrun.ok(...RUN, '--name', 'again', '--init', IMAGE, 'sleep', '1000');
    const before = await containerPids(tsrun, 'again');
    await tsrun.ok('exec', 'again', 'touch', '/tmp/mark');
    expect(await tsrun.ok('restart', 'again')).toBe('again');
    const after = await containerPids(tsrun, 'again');
    expect(after.init).not.toBe(before.init);
    expect(isRunning(before.init)).toBe(false);
    await tsrun.ok('exec', 'again', 'test', '-e', '/tmp/mark');
    await tsrun.ok('stop', 'again');
    await tsrun.ok('restart', 'again');
    expect(await phase('again')).toBe('running');
    await tsrun.ok('rm', '-f', 'again');
  });

  it('-t 0 kills at once; --signal says with what', async () => {
    const script = 'trap "echo int; exit 0" INT; echo up; while :; do sleep 0.1; done';
    await tsrun.ok(...RUN, '--name', 'stubborn', '--stop-timeout', '1000', IMAGE, 'sh', '-c', script);
    await until('it listens', async () => (await tsrun.ok('logs', 'stubborn')).includes('up'));
    await tsrun.ok('restart', '-t', '0', 'stubborn');
    await until('it listens again', async () => (await tsrun.ok('logs', 'stubborn')) === 'up\nup');
    await tsrun.ok('restart', '-s', 'INT', 'stubborn');
    await until('it heard that', async () => (await tsrun.ok('logs', 'stubborn')) === 'up\nup\nint\nup');
    await tsrun.ok('rm', '-f', 'stubborn');
  });

  it('of a --rm container: it is there again, and removed when it ends', async () => {
    await tsrun.ok(
      'run',
      '-d',
      '--rm',
      '--network',
      'none',
      '--init',
      '--name',
      'passing',
      IMAGE,
      'sleep',
      '1000',
    );
    await tsrun.ok('restart', 'passing');
    expect(await phase('passing')).toBe('running');
    await tsrun.ok('stop', 'passing');
    await until('it is removed', () => !existsSync(join(tsrun.store.root, 'names', 'passing')));
  });
});
