/** Published ports as a user sees them; what the forwarder does with connections is tried in test/integration/network-drivers.test.ts. */
import { describe, expect, it } from 'vitest';
import { containerPids } from '../support/container-processes.ts';
import { fetchText, publishedPort } from '../support/http.ts';
import { freePort } from '../support/ports.ts';
import { useTsrun } from '../support/tsrun.ts';
import { until } from '../support/until.ts';

const IMAGE = 'localhost/httpd';
const tsrun = useTsrun();

const fetchIpv6 = async (port: number): Promise<string> => (await fetch(`http://[::1]:${port}/`)).text();

describe('a published port', () => {
  it('is served on IPv4 and IPv6, and its clients are not the container’s own loopback', async () => {
    const port = await freePort();
    await tsrun.ok('run', '-d', '--name', 'web', '-p', `${port}:80`, IMAGE);
    expect(await fetchText(port)).toContain('It works!');
    expect(await fetchIpv6(port)).toContain('It works!');
    const gateway = await tsrun.ok('inspect', '-f', '{{.NetworkSettings.Gateway}}', 'web');
    const log = await until('its log has a client', async () => {
      const { stdout, stderr } = await tsrun.expect(0, ['logs', 'web']);
      return /\[.*\..*\]/.test(stdout + stderr) && stdout + stderr;
    });
    expect(log).toContain(`${gateway}]`);
    expect(log).not.toContain('127.0.0.1]');
    expect(await tsrun.ok('inspect', '-f', '{{.NetworkSettings.KeepsClientAddresses}}', 'web')).toBe('true');
    await tsrun.ok('rm', '-f', 'web');
  });

  it('that is taken is refused with the name of who has it', async () => {
    const port = await freePort();
    const id = await tsrun.ok('run', '-d', '--name', 'first', '-p', `127.0.0.1:${port}:80`, IMAGE);
    const { stderr } = await tsrun.expect(125, ['run', '--rm', '-p', `127.0.0.1:${port}:81`, IMAGE]);
    expect(stderr).toContain(`address already in use by container ${id.slice(0, 12)}`);
    await tsrun.ok('rm', '-f', 'first');
    // Not fetchText, which would wait for somebody to listen.
    await expect(fetch(`http://127.0.0.1:${port}/`)).rejects.toThrow();
  });

  it('is the first that is free of a range, and is not asked for twice by one container', async () => {
    const taken = await freePort();
    await tsrun.ok('run', '-d', '--name', 'first', '-p', `127.0.0.1:${taken}:80`, IMAGE);
    await tsrun.ok('run', '-d', '--name', 'second', '-p', `127.0.0.1:${taken}-${taken + 9}:80`, IMAGE);
    const chosen = publishedPort(await tsrun.ok('port', 'second', '80'));
    expect(chosen).toBeGreaterThan(taken);
    expect(chosen).toBeLessThan(taken + 10);
    expect(await fetchText(chosen)).toContain('It works!');
    await tsrun.ok('rm', '-f', 'first', 'second');
    const twice = ['-p', `127.0.0.1:${taken}:80`, '-p', `127.0.0.1:${taken}:81`];
    const { stderr } = await tsrun.expect(125, ['run', '--rm', ...twice, IMAGE]);
    expect(stderr).toContain(`address already in use by -p 127.0.0.1:${taken}:80 of the same container`);
    // Nobody was named: the port in the container is the same.
    const wider = ['-p', `127.0.0.1:${taken}:80`, '-p', `${taken}:80`];
    const both = await tsrun.expect(125, ['run', '--rm', ...wider, IMAGE]);
    expect(both.stderr).toContain(`in use by -p 127.0.0.1:${taken}:80 of the same container`);
    const all = await tsrun.expect(125, ['run', '--rm', ...wider.slice(0, 3), `0.0.0.0:${taken}:80`, IMAGE]);
    expect(all.stderr).toContain(`in use by -p 127.0.0.1:${taken}:80 of the same container`);
  });

  // From 490 on the supervisor's binary had the number of a socket: "the supervisor ended without a word". From 1000 on the program that starts it
  // had too many slots for its format, which was called a bug.
  it('may be one of fifteen hundred of a container', async () => {
    const range = '23000-24499';
    await tsrun.ok(
      'run',
      '-d',
      '--name',
      'many',
      '-p',
      `127.0.0.1:${range}:${range}`,
      '-p',
      '127.0.0.1::80',
      IMAGE,
    );
    expect(await fetchText(publishedPort(await tsrun.ok('port', 'many', '80')))).toContain('It works!');
    expect((await tsrun.ok('port', 'many')).split('\n')).toHaveLength(1501);
    await tsrun.ok('rm', '-f', 'many');
  });

  // It was said of "--network ns:/proc/PID/ns/net", which nobody had written.
  it('is not had with the network of another container, whose word is repeated', async () => {
    await tsrun.ok('run', '-d', '--name', 'owner', IMAGE);
    const { stderr } = await tsrun.expect(125, ['run', '--network', 'container:owner', '-p', '80', IMAGE]);
    expect(stderr).toContain('-p cannot be used with --network container:owner');
    await tsrun.ok(
      'run',
      '-d',
      '--name',
      'guest',
      '--network',
      'container:owner',
      '--entrypoint',
      'sleep',
      IMAGE,
      '1000',
    );
    const said = await tsrun.ok(
      'inspect',
      '-f',
      '{{.NetworkSettings.Driver}} {{len .NetworkSettings.Networks}}',
      'guest',
    );
    expect(said).toBe('container:owner 0');
    await tsrun.ok('rm', '-f', 'guest', 'owner');
  });

  it('is another one for each container when none is named', async () => {
    for (const name of ['one', 'two']) await tsrun.ok('run', '-d', '--name', name, '-p', '80', IMAGE);
    const [one = 0, two = 0] = await Promise.all(
      ['one', 'two'].map(async (name) => publishedPort(await tsrun.ok('port', name, '80'))),
    );
    expect(one).not.toBe(two);
    for (const port of [one, two]) expect(await fetchText(port)).toContain('It works!');
    await tsrun.ok('rm', '-f', 'one', 'two');
  });

  // httpd of busybox has room for ten that wait. Of 200 clients at once most were not answered, and the kernel asked again for them after 1, 3
  // and 7 s: `ab -n 2000 -c 200` took 15 s, or did not end at all. And of those that were answered, some had no room any more when the
  // handshake ended, which it does with the client's first bytes: these waited for timers of the kernel as well, one for 26 s.
  it('has its service asked anew when it had no room for so many at once', async () => {
    await tsrun.ok('run', '-d', '--name', 'crowded', '-p', '80', IMAGE);
    const port = publishedPort(await tsrun.ok('port', 'crowded', '80'));
    expect(await fetchText(port)).toContain('It works!');
    for (let crowd = 0; crowd < 3; crowd++) {
      const pages = await Promise.all(Array.from({ length: 200 }, () => fetchText(port)));
      expect(pages.filter((page) => page.includes('It works!'))).toHaveLength(200);
    }
    const [names = '', values = ''] = (await tsrun.ok('exec', 'crowded', 'cat', '/proc/net/netstat')).split(
      '\n',
    );
    const counted = (name: string): number => Number(values.split(' ')[names.split(' ').indexOf(name)]);
    expect(counted('TCPSynRetrans'), 'connections for which the kernel asked again').toBeLessThan(10);
    expect(counted('TCPTimeouts'), 'how often the kernel waited for an answer in vain').toBeLessThan(20);
    await tsrun.ok('rm', '-f', 'crowded');
  });

  // The first start is given the sockets by tsrun; a restart is the supervisor's alone, and makes them anew.
  it('is there again when the supervisor has restarted the container', async () => {
    const port = await freePort();
    await tsrun.ok('run', '-d', '--name', 'again', '--restart', 'always', '-p', `${port}:80`, IMAGE);
    expect(await fetchText(port)).toContain('It works!');
    const { init } = await containerPids(tsrun, 'again');
    process.kill(init, 'SIGKILL');
    await until(
      'it runs again',
      async () =>
        (await tsrun.ok('inspect', '-f', '{{.RestartCount}} {{.State.Status}}', 'again')) === '1 running',
    );
    expect(await fetchText(port)).toContain('It works!');
    await tsrun.ok('rm', '-f', 'again');
  });
});
