/**
 * Can the forwarder keep clients' addresses here? That takes policy routing, and sysctls of a network namespace that its owner may set
 * (Linux 4.17, /proc/sys not mounted read-only). Tried once after each boot, by doing it in a network namespace that is thrown away.
 */
import { statSync, writeFileSync } from 'node:fs';
import { type Rootless, runInside } from '../../rootless/enter.ts';
import { NamespaceFailure } from '../../rootless/namespace-failure.ts';
import { call } from '../../sys/calls.ts';
import { CLONE_NEWNET } from '../../sys/constants.ts';
import { routingSteps } from './routing.ts';

export interface TransparentFinding {
  transparent: boolean;
  /** Why not. */
  reason?: string;
}

const TARGET = { ipv4: { address: '10.0.2.100', gateway: '10.0.2.2', prefix: 24 }, transparent: true };
const PORT = { hostIp: '', hostPort: 53, containerPort: 53, protocol: 'udp' } as const;

/** @param mark a file in the user's runtime directory, made when it works; a failure may be one of the moment, and is not kept */
export function probeTransparent(rootless: () => Rootless, mark: string): TransparentFinding {
  if (statSync(mark, { throwIfNoEntry: false })) return { transparent: true };
  try {
    runInside(rootless(), (slots) => [
      call('rootless', 'a network to try it in', 'unshare', [CLONE_NEWNET]),
      ...routingSteps('rootless', slots, TARGET, [PORT]),
    ]);
  } catch (error) {
    if (!(error instanceof NamespaceFailure)) throw error;
    return { transparent: false, reason: error.failure.message };
  }
  try {
    writeFileSync(mark, '', { mode: 0o600 });
  } catch {
    // A full runtime directory: the next command tries it again.
  }
  return { transparent: true };
}
