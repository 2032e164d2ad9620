/**
 * A running container whose networks change. What an interface alone does not bring along was once left as it had been at the start: a
 * container taken off its first network had no way out and asked a server that was gone; its published port led to an address that it no
 * longer had; and when its restart policy started it again, it came back on the network that it had been taken off, at an address that
 * another container had by then.
 */
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { containerPids, kill } from '../support/container-processes.ts';
import { fetchText, publishedPort, untilServed } from '../support/http.ts';
import { useTsrun } from '../support/tsrun.ts';
import { until } from '../support/until.ts';

const tsrun = useTsrun();
const IMAGE = 'localhost/busybox';
const SERVE = [IMAGE, 'httpd', '-f', '-p', '80', '-h', '/etc'];
const inside = (name: string, script: string): Promise<string> => tsrun.ok('exec', name, 'sh', '-c', script);
const addressIn = (network: string, name: string): Promise<string> =>
  tsrun.ok('inspect', '-f', `{{(index .NetworkSettings.Networks "${network}").IPAddress}}`, name);
const gatewayOf = (network: string): Promise<string> =>
  tsrun.ok('network', 'inspect', '-f', '{{(index .IPAM.Config 0).Gateway}}', network);

afterEach(async () => {
  await tsrun.run(['rm', '-f', 'web', 'other', 'side']);
  await tsrun.run(['network', 'prune', '-f']);
});

describe('taken off its first network', () => {
  it('a container has its way out by the other, its server there, and true names', async () => {
    for (const name of ['one', 'two']) await tsrun.ok('network', 'create', name);
    await tsrun.ok('run', '-d', '--name', 'web', '--hostname', 'web-host', '--network', 'one', ...SERVE);
    await tsrun.ok('run', '-d', '--name', 'side', '--network', 'container:web', IMAGE, 'sleep', '1000');
    await inside('web', 'echo 192.0.2.7 mine >>/etc/hosts');
    await tsrun.ok('network', 'connect', 'two', 'web');
    const gateways = [await gatewayOf('one'), await gatewayOf('two')];
    expect(await inside('web', 'cat /etc/resolv.conf')).toMatch(
      new RegExp(gateways.map((gateway) => `nameserver ${gateway}\n?`).join('')),
    );
    await tsrun.ok('network', 'disconnect', 'one', 'web');
    const own = await addressIn('two', 'web');
    for (const name of ['web', 'side']) {
      const said = await inside(name, 'ip route; cat /etc/resolv.conf /etc/hosts; nslookup web');
      expect(said).toContain(`default via ${gateways[1]} `);
      expect(said).not.toContain(`nameserver ${gateways[0]}`);
      expect(said).toContain(`nameserver ${gateways[1]}`);
      expect(said).toContain(`${own} web-host`);
      expect(said).toContain(`Address: ${own}\n`);
    }
    expect(await inside('web', 'grep -c mine /etc/hosts')).toBe('1');
  });

  it('its published port leads to where it is now', async () => {
    for (const name of ['one', 'two']) await tsrun.ok('network', 'create', name);
    await tsrun.ok('run', '-d', '--name', 'web', '-p', '80', '--network', 'one', ...SERVE);
    const port = publishedPort(await tsrun.ok('port', 'web', '80'));
    await untilServed(tsrun, 'web');
    const page = `http://127.0.0.1:${port}/hostname`;
    const get = async () => (await fetch(page, { headers: { connection: 'close' } })).text();
    const served = await get();
    await tsrun.ok('network', 'disconnect', 'one', 'web');
    await tsrun.ok('network', 'connect', 'two', 'web');
    expect(await get()).toBe(served);
  });
});

it('restarted by its policy, a container is on the networks that it had last, not on those of its start', async () => {
  for (const name of ['one', 'two']) await tsrun.ok('network', 'create', name);
  await tsrun.ok(
    'run',
    '-d',
    '--name',
    'web',
    '--restart',
    'always',
    '-p',
    '80',
    '--network',
    'one',
    ...SERVE,
  );
  const port = publishedPort(await tsrun.ok('port', 'web', '80'));
  await tsrun.ok('network', 'connect', 'two', 'web');
  const released = await addressIn('one', 'web');
  await tsrun.ok('network', 'disconnect', 'one', 'web');
  await tsrun.ok('run', '-d', '--name', 'other', '--network', `one:ip=${released}`, IMAGE, 'sleep', '1000');
  for (const count of ['1', '2']) {
    kill((await containerPids(tsrun, 'web')).init);
    await until(
      `restart ${count}`,
      async () =>
        (await tsrun.ok('inspect', '-f', '{{.RestartCount}} {{.State.Status}}', 'web')) ===
        `${count} running`,
    );
    const addresses = await inside('web', 'ip -4 -o address show scope global');
    expect(addresses.trim().split('\n')).toHaveLength(1);
    expect(addresses).toContain(` ${await addressIn('two', 'web')}/`);
  }
  expect(await fetchText(port)).toBeDefined();
  // A start by tsrun begins anew.
  await tsrun.ok('restart', '-t', '0', 'web');
  expect(await inside('web', 'ip -4 -o address show scope global')).toContain(
    ` ${await addressIn('two', 'web')}/`,
  );
});

it('a network of IPv6 alone does not take the way out of IPv4 from the next one', async () => {
  await tsrun.ok('network', 'create', '--subnet', 'fd00:5eed:1::/64', 'six');
  const routes = await tsrun.ok('run', '--rm', '--network', 'six,bridge', IMAGE, 'sh', '-c', 'ip route');
  expect(routes).toContain(`default via ${await gatewayOf('bridge')} dev eth1`);
});

it('renamed while it runs, a container is found by its new name alone', async () => {
  await tsrun.ok('run', '-d', '--name', 'old', '--network-alias', 'www', IMAGE, 'sleep', '1000');
  await tsrun.ok('rename', 'old', 'web');
  const ask = async (name: string): Promise<string> =>
    (await tsrun.run(['exec', 'web', 'nslookup', `${name}.dns.tsrun`])).stdout;
  expect(await ask('old')).toContain('NXDOMAIN');
  const address = await tsrun.ok('inspect', '-f', '{{.NetworkSettings.IPAddress}}', 'web');
  for (const name of ['web', 'www']) expect(await ask(name)).toContain(`Address: ${address}\n`);
});

describe('network connect and disconnect of a running container', () => {
  const interfaces = () => tsrun.ok('exec', 'web', 'ls', '/sys/class/net');
  const attached = '{{range $name, $it := .NetworkSettings.Networks}}{{$name}} {{end}}';

  // A killed connect left an interface that nothing told of; each further one failed, "File exists", until the container was restarted.
  it.each(['its lease is written', 'it is connected at its next starts'])(
    'killed before %s: connect is done again',
    async (when) => {
      await tsrun.ok('network', 'create', 'one');
      await tsrun.ok('network', 'create', 'two');
      const id = await tsrun.ok('run', '-d', '--name', 'web', IMAGE, 'sleep', '1000');
      const written = [
        ...(when === 'its lease is written'
          ? [join(tsrun.store.runtime, 'containers', id, 'network.json')]
          : []),
        join(tsrun.store.root, 'containers', id, 'networks.json'),
      ];
      const before = written.map((path) => (existsSync(path) ? readFileSync(path) : undefined));
      await tsrun.ok('network', 'connect', 'one', 'web');
      written.forEach((path, i) => {
        const content = before[i];
        if (content) writeFileSync(path, content);
        else rmSync(path, { force: true });
      });
      for (const network of ['two', 'one']) await tsrun.ok('network', 'connect', network, 'web');
      expect((await interfaces()).split('\n').sort()).toEqual(['eth0', 'eth1', 'eth2', 'lo']);
      expect(await tsrun.ok('inspect', '-f', attached, 'web')).toBe('bridge one two ');
      const said = await inside('web', `nslookup web.dns.tsrun ${await gatewayOf('one')}`);
      expect(said).toContain(`Address: ${await addressIn('one', 'web')}\n`);
      expect(await inside('web', 'ip -4 -o address show dev eth2')).toContain(
        ` ${await addressIn('one', 'web')}/`,
      );
    },
  );

  it('killed when the interface was gone: disconnect is done again', async () => {
    await tsrun.ok('network', 'create', 'one');
    await tsrun.ok('run', '-d', '--name', 'web', '--cap-add', 'NET_ADMIN', IMAGE, 'sleep', '1000');
    await tsrun.ok('network', 'connect', 'one', 'web');
    await inside('web', 'ip link delete eth1');
    await tsrun.ok('network', 'disconnect', 'one', 'web');
    expect(await tsrun.ok('inspect', '-f', attached, 'web')).toBe('bridge ');
  });

  it('several at once take turns', async () => {
    const names = ['one', 'two', 'three', 'four'];
    for (const name of names) await tsrun.ok('network', 'create', name);
    await tsrun.ok('run', '-d', '--name', 'web', IMAGE, 'sleep', '1000');
    await Promise.all(names.map((name) => tsrun.ok('network', 'connect', name, 'web')));
    expect((await interfaces()).split('\n').sort()).toEqual(['eth0', 'eth1', 'eth2', 'eth3', 'eth4', 'lo']);
    await Promise.all(names.map((name) => tsrun.ok('network', 'disconnect', name, 'web')));
    expect((await interfaces()).split('\n').sort()).toEqual(['eth0', 'lo']);
    expect(await tsrun.ok('inspect', '-f', attached, 'web')).toBe('bridge ');
  });
});
