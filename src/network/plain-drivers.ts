/** Networks without a helper: none, the host’s, that of an existing namespace (`container:ID`, `ns:PATH`), and a bridge that the container is not on yet. */
import type { NetworkDriver } from './driver.ts';

const nothing = {
  attach: () => [],
  publishing: 'none',
  containerAddress: undefined,
  hostAddress: undefined,
  sysctls: {},
} as const;

/** A network namespace with nothing in it but `lo`. */
export const noneDriver: NetworkDriver = {
  ...nothing,
  name: 'none',
  namespace: { kind: 'new' },
  nameservers: [],
  containerAddress: '127.0.1.1', // the host name resolves all the same; Debian's own convention (hosts(5))
};

/** The host's network namespace: its loopback, its abstract sockets, its addresses. Nothing is isolated. */
export const hostDriver: NetworkDriver = {
  ...nothing,
  name: 'host',
  namespace: { kind: 'host' },
  nameservers: undefined,
  hostAddress: '127.0.0.1',
};

/** The namespace at `path`; somebody else connects it. @param name as `--network` has it */
export const pathDriver = (name: string, path: string): NetworkDriver => ({
  ...nothing,
  name,
  namespace: { kind: 'path', path },
  nameservers: undefined,
});

/**
 * Whatever TCP of a container on a bridge talks to, it is on this machine: another container, or a forwarder of ours (native/forward/near.h
 * says what is gained). The outside sees connections of the host.
 */
const PLAIN_CONGESTION_CONTROL = { 'net.ipv4.tcp_congestion_control': 'reno' };

/** A bridge that the container is not connected to yet: it has no addresses there, and cannot be attached. */
export const unconnectedBridge: NetworkDriver = {
  ...nothing,
  name: 'bridge',
  namespace: { kind: 'new' },
  attach: () => {
    throw new TypeError('a bridge has to be connected before it is attached');
  },
  publishing: 'sockets',
  nameservers: [],
  sysctls: PLAIN_CONGESTION_CONTROL,
};
