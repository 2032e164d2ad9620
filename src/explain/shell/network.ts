/** The network of a container, from outside: what the helper is called with. `$pid` is the container's init. */
import type { PortMapping } from '../../network/driver.ts';
import { addHostForward } from '../../network/slirp4netns.ts';
import type { Plan } from '../plan.ts';
import { bridgeSteps } from './bridge.ts';
import { quote } from './quote.ts';

const ADDRESS = '10.0.2.100';

export function networkSteps({ network: { driver, ports, leases = [] } }: Plan): string[] {
  if (leases.length > 0) return bridgeSteps(leases, ports);
  if (driver === 'pasta') return pasta(ports);
  if (driver === 'slirp4netns') return slirp4netns(ports);
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
    'until [ -s "$dir/network.ready" ]; do kill -0 $! 2>/dev/null || exit 1; sleep 0.02; done',
  ];
}

function slirp4netns(ports: readonly PortMapping[]): string[] {
  const publish = ports.map((port) => {
    const request = addHostForward({ ...port, hostIp: port.hostIp || '0.0.0.0' }, ADDRESS);
    return `printf %s ${quote(request)} | socat -t 5 - "UNIX-CONNECT:$dir/api.sock" # needs socat(1)`;
  });
  return [
    'slirp4netns --configure --mtu=65520 --disable-host-loopback --ready-fd=3 --api-socket="$dir/api.sock" \\',
    '  --userns-path="/proc/$pid/ns/user" --netns-type=path "/proc/$pid/ns/net" tap0 3>"$dir/network.ready" >"$dir/slirp.log" &',
    'echo $! >"$dir/network.pid"',
    'until [ -s "$dir/network.ready" ]; do kill -0 $! 2>/dev/null || exit 1; sleep 0.02; done',
    ...publish,
  ];
}
