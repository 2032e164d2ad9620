/** Networks that need no helper: none, the host's, and that of an existing namespace (`container:ID`, `ns:PATH`). */
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
