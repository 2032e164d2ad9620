/** Networks and published ports. The rows are explained in ../errors.ts. */
import { define } from './definition.ts';

export const NETWORK_ERRORS = {
  ERR_TSRUN_PORT_LOW: define<{ port: number; start: number; alternative: string }>({
    exitCode: 125,
    message: (d) =>
      `cannot publish port ${d.port}: an ordinary user may listen on ${d.start} and above (net.ipv4.ip_unprivileged_port_start = ${d.start})`,
    hint: (d) =>
      `publish a higher port: -p ${d.alternative}; or let every user of this machine have it: sudo sysctl net.ipv4.ip_unprivileged_port_start=${d.port}`,
  }),
  ERR_TSRUN_PORT_IN_USE: define<{
    address: string;
    port: number;
    protocol: string;
    holder: string | undefined;
  }>({
    exitCode: 125,
    message: (d) =>
      `cannot publish ${d.protocol} port ${d.port} on ${d.address}: address already in use${d.holder === undefined ? '' : ` by ${d.holder}`}`,
    hint: (d) =>
      `see who has it: ss -${d.protocol === 'udp' ? 'u' : 't'}lnp 'sport = :${d.port}'; or publish another port`,
  }),
  ERR_TSRUN_PORT_ADDRESS: define<{ address: string; port: number; protocol: string }>({
    exitCode: 125,
    message: (d) => `cannot publish ${d.protocol} port ${d.port} on ${d.address}`,
    hint: () => 'the address must be one of this machine: ip address',
  }),
  ERR_TSRUN_NETWORK_HELPER: define<{ helper: string; reason: string; hint: string }>({
    exitCode: 125,
    message: (d) => `cannot use ${d.helper} for the container's network: ${d.reason}`,
    hint: (d) => d.hint,
  }),
  ERR_TSRUN_NETWORK_SUBNET: define<{ subnet: string; problem: string }>({
    exitCode: 125,
    message: (d) => `cannot use the subnet ${d.subnet}: ${d.problem}`,
    hint: () =>
      'tsrun network create --subnet 192.168.77.0/24 NAME   # or without --subnet: one that is free',
  }),
  ERR_TSRUN_NETWORK_UNKNOWN: define<{ name: string }>({
    exitCode: 125,
    message: (d) => `there is no network "${d.name}"`,
    hint: (d) => `tsrun network create ${d.name}   # tsrun network ls shows those that are there`,
  }),
  ERR_TSRUN_NETWORK_EXISTS: define<{ name: string }>({
    exitCode: 125,
    message: (d) => `there is a network "${d.name}" already`,
    hint: (d) => `tsrun network inspect ${d.name}`,
  }),
  ERR_TSRUN_NETWORK_IN_USE: define<{ name: string; containers: string[] }>({
    exitCode: 125,
    message: (d) => `the network "${d.name}" is used by ${d.containers.join(', ')}`,
    hint: (d) => `tsrun network rm -f ${d.name}   # removes these containers, too`,
  }),
  ERR_TSRUN_NETWORK_ADDRESS: define<{ address: string | undefined; network: string; problem: string }>({
    exitCode: 125,
    message: (d) =>
      `the container cannot have ${d.address === undefined ? 'an address' : `the address ${d.address}`} in the network "${d.network}": ${d.problem}`,
    hint: (d) => `tsrun network inspect ${d.network}`,
  }),
  ERR_TSRUN_HUB: define<{ doing: string; hint?: string | undefined }>({
    exitCode: 125,
    message: (d) => `the bridge networks cannot be used: could not ${d.doing}`,
    hint: (d) => d.hint ?? '--network private   # a network of the container’s own, without a bridge',
  }),
  ERR_TSRUN_PORT_NOT_PUBLISHED: define<{ container: string; port: string }>({
    exitCode: 125,
    message: (d) => `port ${d.port} of container ${d.container} is not published`,
    hint: (d) => `tsrun port ${d.container}`,
  }),
} as const;
