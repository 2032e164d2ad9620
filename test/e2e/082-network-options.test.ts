/** --network and -p do what they say, seen from inside the container and from the host. */
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { describe, expect, it } from 'vitest';
import { containerPids, namespaceOf } from '../support/container-processes.ts';
import { fetchText, publishedPort } from '../support/http.ts';
import { useRunOptions } from '../support/run-options.ts';
import { useTsrun } from '../support/tsrun.ts';

const tsrun = useTsrun();
const IMAGE = 'localhost/busybox';
const { sh, refused } = useRunOptions(tsrun, IMAGE);

describe('--network', () => {
  const interfaces =
    'ls /sys/class/net | grep -v -e sit -e tunl -e ip6 -e gre -e erspan -e bond -e dummy -e vti | xargs';

  it('none: only lo, which is up', async () => {
    expect(
      await sh(
        ['--network', 'none'],
        `${interfaces}; ip address show lo | grep -c 127.0.0.1; cat /etc/resolv.conf | wc -l`,
      ),
    ).toMatch(/^lo\n1\n/);
  });

  it('host: the host’s own, its name and the names that it knows', async () => {
    const own = namespaceOf(process.pid, 'net');
    expect(await sh(['--network', 'host'], 'readlink /proc/self/ns/net; hostname')).toBe(
      `${own}\n${hostname()}`,
    );
    const hosts = readFileSync('/etc/hosts', 'utf8').trim();
    expect(await sh(['--network', 'host', '--add-host', 'db:192.0.2.7'], 'cat /etc/hosts')).toMatch(
      new RegExp(`^${hosts.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}\\n192\\.0\\.2\\.7 db`),
    );
  });

  it.each(['pasta', 'slirp4netns', 'private'])(
    '%s: one of its own, with an address, a route and a resolver',
    async (mode) => {
      const output = await sh(
        ['--network', mode],
        'readlink /proc/self/ns/net; ip -4 -o address | grep -vc " lo "; ip route | grep -c default; grep -c nameserver /etc/resolv.conf',
      );
      const [namespace, addresses, routes, servers] = output.split('\n');
      expect(namespace).not.toBe(namespaceOf(process.pid, 'net'));
      expect([addresses, routes]).toEqual(['1', '1']);
      expect(Number(servers)).toBeGreaterThan(0);
    },
  );

  it('container:NAME: that container’s, with its names', async () => {
    await tsrun.ok(
      'run',
      '-d',
      '--name',
      'server',
      '--add-host',
      'db:192.0.2.1',
      '-p',
      '127.0.0.1::80',
      'localhost/httpd',
    );
    const port = await tsrun.ok('port', 'server', '80');
    await fetchText(publishedPort(port));
    expect(await tsrun.ok('port', '--latest', '80')).toBe(port);
    const script = 'readlink /proc/self/ns/net; cat /etc/resolv.conf /etc/hosts; wget -qO- http://127.0.0.1/';
    const namespace = async () => namespaceOf((await containerPids(tsrun, 'server')).init, 'net');
    const output = await sh(['--network', 'container:server'], script);
    expect(output.split('\n')[0]).toBe(await namespace());
    expect(output).toContain(await tsrun.ok('exec', 'server', 'cat', '/etc/resolv.conf', '/etc/hosts'));
    expect(output).toContain('It works!');

    // It is another namespace when that container was started again.
    await tsrun.ok(
      'create',
      '--name',
      'guest',
      '--network',
      'container:server',
      IMAGE,
      'readlink',
      '/proc/self/ns/net',
    );
    expect(await tsrun.ok('start', '-a', 'guest')).toBe(await namespace());
    await tsrun.ok('stop', '-t', '0', 'server');
    expect((await tsrun.expect(125, ['start', '-a', 'guest'])).stderr).toContain('server');
    await tsrun.ok('start', 'server');
    expect(await tsrun.ok('start', '-a', 'guest')).toBe(await namespace());
    await tsrun.ok('rm', '-f', 'server', 'guest');
    expect(await refused('--network', 'container:server', IMAGE, 'true')).toContain('server');
  });

  it('an unknown one is refused by name', async () => {
    expect(
      (await tsrun.expect(125, ['run', '--rm', '--network', 'nowhere', IMAGE, 'true'])).stderr,
    ).toContain('nowhere');
  });

  it('--dns, --dns-search, --add-host and --no-hosts', async () => {
    const words = [
      '--network',
      'private',
      '--dns',
      '192.0.2.53',
      '--dns-search',
      'corp.example',
      '--add-host',
      'db:192.0.2.1',
    ];
    const output = await sh(words, 'cat /etc/resolv.conf /etc/hosts');
    expect(output).toMatch(/^nameserver 192\.0\.2\.53$/m);
    expect(output).toMatch(/^search corp\.example$/m);
    expect(output).toMatch(/^192\.0\.2\.1\s+db$/m);
    expect(await sh(['--no-hostname'], 'cat /etc/hostname 2>/dev/null | grep $HOSTNAME | wc -l')).toBe('0');
    expect(await sh(['--no-hosts'], 'cat /etc/hosts 2>/dev/null | grep $HOSTNAME | wc -l')).toBe('0');
    // It was "none" is not an IP address; with podman the image's file stays.
    expect(await sh(['--dns', 'none'], 'grep resolv.conf /proc/self/mountinfo | wc -l')).toBe('0');
  }, 60_000);
});

describe('-p', () => {
  it('chooses a port, publishes ranges, protocols and addresses, and lists them', async () => {
    const id = await tsrun.ok(
      'run',
      '-d',
      '-p',
      '127.0.0.1::80',
      '-p',
      '127.0.0.2::81/udp',
      '-P',
      'localhost/httpd',
    );
    const lines = (await tsrun.ok('port', id)).split('\n');
    expect(lines).toContainEqual(expect.stringMatching(/^80\/tcp -> 127\.0\.0\.1:\d+$/));
    expect(lines).toContainEqual(expect.stringMatching(/^81\/udp -> 127\.0\.0\.2:\d+$/));
    await tsrun.ok('rm', '-f', id);
  });

  it('refuses a low port before anything is pulled, with the sysctl and another port', async () => {
    const { stderr } = await tsrun.expect(125, ['run', '--rm', '-p', '80:80', '127.0.0.1:1/never/there']);
    expect(stderr).toMatch(/port 80[\s\S]*ip_unprivileged_port_start[\s\S]*-p 8080:80/);
    expect(stderr).not.toContain('never/there');
  });

  it('refuses a port that is taken', async () => {
    const { createServer } = await import('node:net');
    const server = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const { port } = server.address() as { port: number };
    const { stderr } = await tsrun.expect(125, ['run', '--rm', '-p', `127.0.0.1:${port}:80`, IMAGE, 'true']);
    expect(stderr).toMatch(new RegExp(`${port}.*already in use`));
    server.close();
  });
});
