/**
 * Bridge networks by hand: a network namespace with a bridge for each, and slirp4netns as the way out. `$pid` is the container's init.
 *
 *     "$dir/bridges", a namespace of the same user namespace      the container's
 *       uplink (slirp4netns)   tsrun0, the gateway ── veth ────────── eth0
 */
import type { EndpointLease } from '../../network/bridge-network.ts';
import type { PortMapping } from '../../network/driver.ts';
import { publishBySlirp4netns, startSlirp4netns } from './slirp4netns.ts';

export function bridgeSteps(leases: readonly EndpointLease[], ports: readonly PortMapping[]): string[] {
  const way = leases.find(({ network }) => !network.internal && network.ipv4);
  const address = leases.find(({ ipv4 }) => ipv4 !== undefined)?.ipv4;
  return [
    '# Not made by hand: the hub, which answers names of containers, and ways out other than slirp4netns (IPv6 has none here).',
    'in_netns() { local netns=$1; shift; nsenter --user="/proc/$pid/ns/user" --net="/proc/$netns/ns/net" "$@"; }',
    'nsenter --user="/proc/$pid/ns/user" unshare --net sleep infinity &',
    'bridges=$!',
    'echo "$bridges" >"$dir/network.pid"',
    'until [ "$(readlink "/proc/$bridges/ns/net")" != "$(readlink /proc/self/ns/net)" ]; do kill -0 "$bridges"; sleep 0.02; done',
    ...startSlirp4netns('/proc/$bridges/ns/net', 'uplink'),
    'in_netns "$bridges" bash -c "echo 1 >/proc/sys/net/ipv4/conf/uplink/forwarding; echo 1 >/proc/sys/net/ipv4/conf/uplink/proxy_arp"',
    ...leases.flatMap((lease, index) => endpoint(lease, index, lease === way)),
    ...(address === undefined ? [] : publishBySlirp4netns(ports, address)),
  ];
}

/** @param isWay it leads outside. */
function endpoint(
  { network, interfaceName: name, mac, ipv4, ipv6 }: EndpointLease,
  index: number,
  isWay: boolean,
): string[] {
  const bridge = `tsrun${network.number}`;
  const subnets = [
    { address: ipv4, subnet: network.ipv4, more: '' },
    { address: ipv6, subnet: network.ipv6, more: ' nodad' },
  ];
  const had = subnets.flatMap(({ address, subnet, more }) =>
    address !== undefined && subnet ? [{ address, ...subnet, more }] : [],
  );
  const there = 'in_netns "$bridges" ip';
  const here = 'in_netns "$pid" ip';
  return [
    `${there} link add ${bridge} mtu ${network.mtu} type bridge`,
    `${there} link set ${bridge} up`,
    ...had.map(
      ({ gateway, prefix, more }) => `${there} address add ${gateway}/${prefix} dev ${bridge}${more}`,
    ),
    ...(network.internal
      ? []
      : [`in_netns "$bridges" bash -c "echo 1 >/proc/sys/net/ipv4/conf/${bridge}/forwarding"`]),
    `${there} link add cable${index} master ${bridge} mtu ${network.mtu} type veth peer name ${name} address ${mac} mtu ${network.mtu} netns "$pid"`,
    `${there} link set cable${index} up`,
    `${here} link set ${name} up`,
    ...had.map(({ address, prefix, more }) => `${here} address add ${address}/${prefix} dev ${name}${more}`),
    ...(isWay ? [`${here} route add default via ${network.ipv4?.gateway}`] : []),
    ...(isWay ? ['echo "nameserver 10.0.2.3" >"$dir/files/etc-resolv.conf" # slirp4netns’s'] : []),
  ];
}
