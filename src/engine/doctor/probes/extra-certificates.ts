import { check, type Finding } from '../finding.ts';
import type { HostView } from '../host-view.ts';

const CHECK = check('extra-certificates', 'NODE_EXTRA_CA_CERTS');

export function probeExtraCertificates(host: HostView): Finding {
  const path = host.env.NODE_EXTRA_CA_CERTS;
  if (!path) return CHECK.ok('not set');
  const denied = host.access(path, 'read');
  if (denied)
    return CHECK.degraded({
      detail: `${path} cannot be read (${denied})`,
      lose: 'registries whose certificate is signed by an authority in that file',
      remedy: 'unset NODE_EXTRA_CA_CERTS   # or correct its path',
    });
  // Node 22 and later read the file when the first TLS connection needs it.
  if (Number.parseInt(host.node.version, 10) >= 22) return CHECK.ok(path);
  return CHECK.degraded({
    detail: `${path}, which Node ${host.node.version} reads at every start`,
    lose: 'some 40 ms at every command',
    remedy: 'npm install -g node@24',
  });
}
