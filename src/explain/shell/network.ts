/** The network of a container, from outside: what the helper is called with. `$pid` is the container's init. */
import type { PortMapping } from '../../network/driver.ts';
import type { Plan } from '../plan.ts';
import { bridgeSteps } from './bridge.ts';
import { quote } from './quote.ts';
import { AWAIT_HELPER, publishBySlirp4netns, startSlirp4netns } from './slirp4netns.ts';

const ADDRESS = '10.0.2.100';

export function networkSteps({ network: { driver, ports, leases = [] } }: Plan): string[] {
  if (leases.length > 0) return bridgeSteps(leases, ports);
  if (driver === 'pasta') return pasta(ports);
  if (driver === 'slirp4netns')
    return [...startSlirp4netns('/proc/$pid/ns/net', 'tap0'), ...publishBySlirp4netns(ports, ADDRESS)];
  return [];
}

/** pasta(1) is ready when it has written its pid. */
function pasta(ports: readonly PortMapping[]): string[] {
  const specs = ports.map(({ protocol, hostIp, hostPort, containerPort }) => {
    const address = hostIp === '' ? '0.0.0.0' : hostIp;
    return `${protocol === 'tcp' ? '-t' : '-u'} ${quote(`${address}/${hostPort}:${containerPort}`)}`;
  });
  const none = (['tcp', 'udp'] as const)
    .filter((protocol) => !ports.some((port) => port.protocol === protocol))
    .map((protocol) => (protocol === 'tcp' ? '-t none' : '-u none'));
  return [
    'pasta --foreground --quiet --config-net --userns "/proc/$pid/ns/user" --netns "/proc/$pid/ns/net" \\',
    '  --pid "$dir/network.ready" --ns-ifname eth0 --mtu 65520 --no-map-gw -T none -U none \\',
    `  --address ${ADDRESS} --netmask 24 --gateway 10.0.2.2 --dns-forward 10.0.2.3 ${[...specs, ...none].join(' ')} &`,
    'echo $! >"$dir/network.pid"',
    AWAIT_HELPER,
  ];
}
