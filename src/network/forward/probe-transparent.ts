/**
 * Can the forwarder keep clients' addresses here? That takes policy routing, and sysctls of a network namespace that its owner may set
 * (Linux 4.17, /proc/sys not mounted read-only).
 */
import type { Rootless } from '../../rootless/enter.ts';
import { probeOnce } from '../probe-once.ts';
import { routingSteps } from './routing.ts';

export interface TransparentFinding {
  transparent: boolean;
  /** Why not. */
  reason?: string;
}

const TARGET = { ipv4: { address: '10.0.2.100', gateway: '10.0.2.2', prefix: 24 }, transparent: true };
const PORT = { hostIp: '', hostPort: 53, containerPort: 53, protocol: 'udp' } as const;

/** @param mark see probeOnce() */
export function probeTransparent(rootless: () => Rootless, mark: string): TransparentFinding {
  const reason = probeOnce(rootless, mark, (slots) => routingSteps('rootless', slots, TARGET, [PORT]));
  return reason === undefined ? { transparent: true } : { transparent: false, reason };
}
