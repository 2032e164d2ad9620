import { describe, expect, it } from 'vitest';
import { type ChoiceContext, chooseDriver, type LocalMode } from '../../../src/network/choose-driver.ts';
import { parseNetwork } from '../../../src/network/parse-network.ts';
import { parsePublish } from '../../../src/network/parse-publish.ts';
import type { HelperFinding, HelperName } from '../../../src/network/probe-helper.ts';

const host = {
  hasIpv4Route: true,
  hasIpv6Route: false,
  hasIpv6: true,
  subnets: [],
  ipv6Subnets: [],
  address: '192.0.2.2',
  resolvConf: '',
  nameservers: ['127.0.0.53'],
  hosts: '',
  resolvConfPath: '/run/systemd/resolve/stub-resolv.conf',
  openFiles: 4096,
};
type Machine = Partial<Record<HelperName, 'good' | 'flawed'>>;

const probe =
  (machine: Machine) =>
  (name: HelperName): HelperFinding => {
    const state = machine[name];
    if (!state)
      return { usable: false, name, reason: 'it is not installed', hint: `sudo apt install ${name}` };
    return {
      usable: true,
      name,
      path: `/usr/bin/${name}`,
      version: '1',
      flaw: state === 'flawed' ? 'it is flawed' : undefined,
    };
  };

function choose(
  network: string,
  machine: Machine,
  publish: string[] = [],
  over: Partial<ChoiceContext['host']> = {},
  probeTransparent: ChoiceContext['probeTransparent'] = () => ({ transparent: true }),
) {
  return chooseDriver(parseNetwork(network) as LocalMode, {
    host: { ...host, ...over },
    probe: probe(machine),
    probeTransparent,
    ports: publish.flatMap(parsePublish),
  });
}

const both: Machine = { pasta: 'good', slirp4netns: 'good' };

describe('private', () => {
  it.each<[string, Machine, string[], object, string, RegExp | undefined]>([
    ['both', both, [], {}, 'slirp4netns', undefined],
    ['both, a TCP port', both, ['8080:80'], {}, 'slirp4netns', undefined],
    ['both, an IPv6 port', both, ['[::1]:8080:80'], {}, 'slirp4netns', undefined],
    ['both, an IPv6 host', both, [], { hasIpv4Route: false, hasIpv6Route: true }, 'pasta', undefined],
    ['a flawed pasta, a port', { ...both, pasta: 'flawed' }, ['5353:53/udp'], {}, 'slirp4netns', undefined],
    ['only pasta', { pasta: 'good' }, ['8080:80'], {}, 'pasta', undefined],
    [
      'only a flawed pasta',
      { pasta: 'flawed' },
      [],
      {},
      'pasta',
      /it is flawed.*sudo apt install slirp4netns/,
    ],
    ['only slirp4netns, UDP', { slirp4netns: 'good' }, ['53:53/udp'], {}, 'slirp4netns', undefined],
  ])('%s', (_, machine, publish, over, name, warning) => {
    const choice = choose('private', machine, publish, over);
    expect(choice.driver.name).toBe(name);
    expect(choice.reason).not.toBe('');
    if (warning) expect(choice.warning).toMatch(warning);
    else expect(choice.warning).toBeUndefined();
  });
  it('says what to install when there is neither', () => {
    expect(() => choose('private', {})).toThrow(
      expect.objectContaining({ code: 'ERR_TSRUN_NETWORK_HELPER', hint: 'sudo apt install slirp4netns' }),
    );
  });
});

describe('other modes', () => {
  it('are as asked, or refused', () => {
    expect(choose('pasta', both).driver.name).toBe('pasta');
    expect(choose('pasta', { ...both, pasta: 'flawed' }).warning).toBe('it is flawed');
    expect(choose('slirp4netns', both, ['53:53/udp']).warning).toBeUndefined();
    const own = 'slirp4netns:port_handler=slirp4netns';
    expect(choose(own, both, ['53:53/udp']).warning).toMatch(/does not answer UDP clients/);
    expect(() => choose(own, both, ['[::1]:8080:80'])).toThrow('IPv4 addresses only');
    expect(() => choose('pasta', { slirp4netns: 'good' })).toThrow('cannot use pasta');
    expect(() => choose('none', both, ['8080:80'])).toThrow('-p cannot be used with --network none');
    expect(choose('host', both, ['8080:80']).warning).toMatch('-p has no effect');
  });
  it('have the namespace that they say', () => {
    expect(choose('none', {}).driver).toMatchObject({ namespace: { kind: 'new' }, nameservers: [] });
    expect(choose('host', {}).driver).toMatchObject({ namespace: { kind: 'host' }, nameservers: undefined });
    expect(choose('ns:/proc/1/ns/net', {}).driver.namespace).toEqual({
      kind: 'path',
      path: '/proc/1/ns/net',
    });
  });
});

describe('ports', () => {
  it('are published by the forwarder unless a helper is asked for by name', () => {
    const publishing = (mode: string) => choose(mode, both, ['8080:80']).driver.publishing;
    expect(['private', 'slirp4netns', 'slirp4netns:port_handler=rootlesskit'].map(publishing)).toEqual([
      'sockets',
      'sockets',
      'sockets',
    ]);
    expect(publishing('slirp4netns:port_handler=slirp4netns')).toBe('ipv4');
    expect(publishing('pasta')).toBe('ipv4+ipv6');
  });
  it('keep their clients’ addresses, or it is said why not', () => {
    expect(choose('private', both, ['8080:80']).driver.keepsClientAddresses).toBe(true);
    const not = () => ({ transparent: false, reason: 'no policy routing' });
    const choice = choose('private', both, ['8080:80'], {}, not);
    expect(choice.driver.keepsClientAddresses).toBe(false);
    expect(choice.warning).toMatch(/seen with the container’s own address: no policy routing/);
    // Nobody asks when nothing is published.
    expect(choose('private', both, [], {}, not).warning).toBeUndefined();
  });
});

describe('addresses', () => {
  it('are the same for both helpers, and the host is reached at its own', () => {
    for (const name of ['pasta', 'slirp4netns']) {
      expect(choose(name, both).driver).toMatchObject({
        containerAddress: '10.0.2.100',
        hostAddress: '192.0.2.2',
        nameservers: ['10.0.2.3'],
      });
    }
  });
  it('of nameservers are the host’s where slirp4netns cannot see its resolv.conf', () => {
    const over = { resolvConfPath: '/mnt/wsl/resolv.conf' };
    expect(choose('slirp4netns', both, [], over).driver.nameservers).toBeUndefined();
  });
  it('open the host’s loopback at the gateway when asked to', () => {
    expect(choose('slirp4netns:allow_host_loopback=true', both).driver.hostAddress).toBe('10.0.2.2');
    expect(choose('pasta:--map-gw', both).driver.hostAddress).toBe('10.0.2.2');
  });
  it('follow the families of the host', () => {
    const over = { hasIpv4Route: false, hasIpv6Route: true, nameservers: ['2001:db8::53', '192.0.2.53'] };
    expect(choose('pasta', both, [], over).driver).toMatchObject({
      containerAddress: 'fd74:7372:756e::100',
      nameservers: ['fd74:7372:756e::3', '10.0.2.3'],
    });
  });
  it('are not known where the user gives pasta his own', () => {
    const { driver } = choose('pasta:-a,10.9.9.9', both);
    expect([driver.containerAddress, driver.nameservers]).toEqual([undefined, undefined]);
  });
});
