/** What the supervisor and the helper do, as a table. */
import { describe, expect, it } from 'vitest';
import type { NetworkDriver } from '../../../src/network/driver.ts';
import { parsePublish } from '../../../src/network/parse-publish.ts';
import { pastaArguments, pastaDriver } from '../../../src/network/pasta.ts';
import { slirpDriver } from '../../../src/network/slirp4netns.ts';
import { DEFAULT_SLIRP_OPTIONS } from '../../../src/network/slirp4netns-options.ts';
import { encodeProgram } from '../../../src/sys/encode.ts';
import { type Argument, Slot, Slots, type Step } from '../../../src/sys/step.ts';

const host = {
  hasIpv4Route: true,
  hasIpv6Route: false,
  hasIpv6: true,
  subnets: [],
  ipv6Subnets: [],
  address: '192.0.2.2',
  resolvConf: '',
  nameservers: [],
  hosts: '',
  resolvConfPath: '/etc/resolv.conf',
  openFiles: 4096,
};

type Text = string | { text: readonly (string | Slot)[] };
const text = (value: Text): string =>
  typeof value === 'string'
    ? value
    : value.text.map((part) => (part instanceof Slot ? `$${part.name}` : part)).join('');

function argument(value: Argument): string {
  if (value instanceof Slot) return `$${value.name}`;
  if (typeof value === 'number' || typeof value === 'bigint') return `${value}`;
  if (typeof value === 'string' || 'text' in value) return `"${text(value)}"`;
  if (value instanceof Uint8Array) return `${Buffer.from(value)}`;
  if ('strings' in value) return `[${value.strings.map(text).join(' ')}]`;
  return 'fields' in value ? (value.say ?? 'struct') : `buffer ${value.buffer}`;
}

const lines = (steps: readonly Step[]): string[] =>
  steps.flatMap(({ actor, op, result, tolerate }) => {
    const after = `${result ? ` -> $${result.name}` : ''}${tolerate ? ` (${tolerate.join(', ')} is fine)` : ''}`;
    switch (op.kind) {
      case 'syscall':
        return [`${actor}: ${op.name}(${op.args.map(argument).join(', ')})${after}`];
      case 'clone':
        return [`${actor}: clone(${op.flags.toString(16)})`, ...lines(op.child).map((line) => `  ${line}`)];
      case 'expect':
        return [`${actor}: expect $${op.value.name} == ${op.equals}, else ${op.errno}`];
      case 'compare':
        return [`${actor}: compare ${op.equals}, else ${op.errno}`];
      default:
        return [`${actor}: ${op.kind}`];
    }
  });

function attach(driver: NetworkDriver, publish: readonly string[]): string[] {
  const slots = new Slots();
  const [initPid, stderr] = [slots.new('init'), slots.new('stderr')];
  const ports = publish.flatMap(parsePublish);
  const steps = driver.attach({ slots, initPid, ports, stderr, directory: '/run/c' });
  // Whatever is listed can be laid out, on both architectures.
  for (const architecture of ['x64', 'arm64'] as const) encodeProgram({ steps, slots }, architecture);
  expect(steps.every((step) => step.why !== '')).toBe(true);
  return lines(steps);
}

describe('slirp4netns', () => {
  const driver = slirpDriver('/usr/bin/slirp4netns', DEFAULT_SLIRP_OPTIONS, host);
  it('starts, says that it is ready, publishes', () => {
    expect(attach(driver, ['127.0.0.1:8080:80'])).toMatchSnapshot();
  });
  it('has no API socket without ports', () => {
    expect(attach(driver, []).join('\n')).not.toContain('slirp.sock');
  });
  it('uses two slots for all ports together', () => {
    const many = attach(driver, ['8000-8999:8000-8999']);
    expect(many.filter((line) => line.includes('add_hostfwd'))).toHaveLength(1000);
  });
});

describe('pasta', () => {
  it('starts and says that it is ready', () => {
    expect(attach(pastaDriver('/usr/bin/pasta', [], host), ['8080:80', '[::1]:53:53/udp'])).toMatchSnapshot();
  });
  const words = (options: string[], publish: string[] = []) =>
    pastaArguments(publish.flatMap(parsePublish), options).join(' ');
  it('has everything closed unless asked', () => {
    expect(words([])).toContain('--no-map-gw --tcp-ns none --udp-ns none --tcp-ports none --udp-ports none');
  });
  it('lets the user’s options take the place of ours', () => {
    expect(words(['-a', '10.9.9.9', '-T', '5201', '--mtu=1500', '--map-gw', '-t', '99'], ['53:53/udp'])).toBe(
      'pasta --foreground --quiet --config-net --netns ./netns --no-netns-quit --pid ready --ns-ifname eth0 ' +
        '--gateway 10.0.2.2 --gateway fd74:7372:756e::2 --dns-forward 10.0.2.3 --dns-forward fd74:7372:756e::3 ' +
        '--udp-ns none --udp-ports 0.0.0.0/53:53 -a 10.9.9.9 -T 5201 --mtu=1500 -t 99',
    );
  });
  it.each([
    [[], ['10.0.2.3']],
    [['--dns-forward', '10.0.2.9'], ['10.0.2.9']],
    [
      ['--dns-forward=10.0.2.9', '--dns-forward', 'fd00::9', '-a', '10.9.9.9'],
      ['10.0.2.9', 'fd00::9'],
    ],
    [['-a', '10.9.9.9'], undefined],
  ])('asks the DNS forwarder that it has: %s', (options, nameservers) => {
    expect(pastaDriver('/usr/bin/pasta', options, host).nameservers).toEqual(nameservers);
  });
});
