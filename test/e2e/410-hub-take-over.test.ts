/**
 * The hub of the bridges is killed, alone or with others. Its containers' supervisors still hold the network namespace; the next start, and
 * `network reload`, give it to another hub, and running containers have names and a way out again, at the addresses that they had.
 * (Podman's aardvark-dns and rootless netns were left dead by a killed process until all containers were stopped.)
 */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { containerPids, kill } from '../support/container-processes.ts';
import { untilServed } from '../support/http.ts';
import { hubsOf, uplinkOf } from '../support/hub-processes.ts';
import { useTsrun } from '../support/tsrun.ts';
import { until } from '../support/until.ts';

const tsrun = useTsrun();
const IMAGE = 'localhost/busybox';
const SERVE = [IMAGE, 'httpd', '-f', '-p', '80', '-h', '/etc'];

const addressOf = (name: string): Promise<string> =>
  tsrun.ok('inspect', '-f', '{{.NetworkSettings.IPAddress}}', name);
const namesIn = (asker: string, name: string): Promise<string> => tsrun.ok('exec', asker, 'nslookup', name);
const theHub = (): number => {
  const hubs = hubsOf(tsrun);
  expect(hubs).toHaveLength(1);
  return hubs[0]!;
};

async function killHub(): Promise<number> {
  const hub = theHub();
  kill(hub);
  await until('it ends', () => !hubsOf(tsrun).includes(hub));
  return hub;
}

async function twoContainers(): Promise<void> {
  await tsrun.ok('run', '-d', '--name', 'web', '--network-alias', 'www', ...SERVE);
  await tsrun.ok('run', '-d', '--name', 'client', '--cap-add', 'NET_RAW', IMAGE, 'sleep', '1000');
  await untilServed(tsrun, 'web');
}

afterEach(async () => {
  await tsrun.run(['rm', '-f', 'web', 'client', 'more']);
  await until('the hub ends with its last container', () => hubsOf(tsrun).length === 0);
});

describe('without --network', () => {
  it('a container is on the bridge, and reached at the address that inspect says', async () => {
    await twoContainers();
    const address = await addressOf('web');
    expect(address).toMatch(/^10\.9\d\./);
    await tsrun.ok('run', '--rm', IMAGE, 'nc', '-w', '5', address, '80');
    expect(await tsrun.ok('inspect', '-f', '{{.HostConfig.NetworkMode}}', 'web')).toBe('bridge');
    expect(await tsrun.ok('info', '-f', '{{.network.default}}')).toBe('bridge');
    await tsrun.ok('run', '--rm', '--network', 'default', IMAGE, 'nc', '-w', '5', address, '80');
  });
});

describe('a killed hub', () => {
  it('is taken over at the next start: names, addresses and the way out are there again', async () => {
    await twoContainers();
    const before = [await addressOf('web'), await addressOf('client')];
    const killed = await killHub();
    // By address they reach each other all the time.
    await tsrun.ok('exec', 'client', 'nc', '-w', '5', before[0] ?? '', '80');
    await tsrun.ok('run', '-d', '--name', 'more', IMAGE, 'sleep', '1000');
    expect(theHub()).not.toBe(killed);
    expect([await addressOf('web'), await addressOf('client')]).toEqual(before);
    expect(before).not.toContain(await addressOf('more'));
    expect(await namesIn('client', 'www')).toContain(`Address: ${before[0]}\n`);
    expect(await namesIn('more', 'web')).toContain(`Address: ${before[0]}\n`);
    expect(await namesIn('web', 'more')).toContain(`Address: ${await addressOf('more')}\n`);
    const uplink = uplinkOf(theHub());
    expect(uplink).toBeDefined();
    // The way out: slirp4netns answers at its own address.
    await tsrun.ok('exec', 'client', 'ping', '-c', '1', '-W', '5', '10.0.2.2');
  });

  it('is taken over by `network reload`, which also writes resolv.conf and hosts anew', async () => {
    await twoContainers();
    const resolvConf = await tsrun.ok('exec', 'client', 'cat', '/etc/resolv.conf');
    await tsrun.ok('exec', 'client', 'sh', '-c', 'echo > /etc/resolv.conf; echo > /etc/hosts');
    await killHub();
    const ids = await tsrun.ok('ps', '-q', '--no-trunc');
    expect((await tsrun.ok('network', 'reload', '--all')).split('\n').sort()).toEqual(ids.split('\n').sort());
    expect(await tsrun.ok('exec', 'client', 'cat', '/etc/resolv.conf')).toBe(resolvConf);
    expect(await tsrun.ok('exec', 'client', 'cat', '/etc/hosts')).toContain(await addressOf('client'));
    expect(await namesIn('client', 'web')).toContain(await addressOf('web'));
    const { stderr } = await tsrun.expect(125, ['network', 'reload', 'nobody']);
    expect(stderr).toContain('nobody');
  });

  it('does not keep a container from being restarted by its supervisor', async () => {
    await tsrun.ok('run', '-d', '--restart', 'always', '--name', 'web', ...SERVE);
    const address = await addressOf('web');
    await killHub();
    kill((await containerPids(tsrun, 'web')).init);
    const state = '{{.RestartCount}} {{.State.Status}}';
    await until('it runs again', async () => (await tsrun.ok('inspect', '-f', state, 'web')) === '1 running');
    await tsrun.ok('run', '-d', '--name', 'client', IMAGE, 'sleep', '1000');
    expect(await namesIn('client', 'web')).toContain(`Address: ${address}\n`);
    await untilServed(tsrun, 'web');
    await tsrun.ok('exec', 'client', 'nc', '-w', '5', address, '80');
  });

  it('and its uplink, and some of its containers, at once: those that are left are taken over', async () => {
    await twoContainers();
    await tsrun.ok('run', '-d', '--name', 'more', IMAGE, 'sleep', '1000');
    const address = await addressOf('web');
    const hub = theHub();
    const { supervisor } = await containerPids(tsrun, 'more');
    const uplink = await until('the uplink runs', () => uplinkOf(hub));
    for (const pid of [hub, uplink, supervisor]) kill(pid);
    expect(await tsrun.ok('run', '--rm', IMAGE, 'nslookup', 'web')).toContain(`Address: ${address}\n`);
    expect(await namesIn('client', 'web')).toContain(`Address: ${address}\n`);
    const { stdout } = await tsrun.run(['exec', 'client', 'nslookup', 'more.dns.tsrun']);
    expect(stdout).toContain('NXDOMAIN');
  });

  it('leaves the name of its socket to the next one, as a hub does that ends with its last container', async () => {
    const files = () => readdirSync(join(tsrun.store.runtime, 'network')).sort();
    await twoContainers();
    await killHub();
    await tsrun.ok('rm', '-f', 'web', 'client');
    expect(files()).toEqual(['hub.sock', 'leases', 'lock', 'uplink.log']);
    await twoContainers();
    expect(await namesIn('client', 'web')).toContain(await addressOf('web'));
    expect(files()).toEqual(['hub.sock', 'leases', 'lock', 'uplink.log']);
  });
});
