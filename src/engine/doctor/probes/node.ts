import { check, type Finding } from '../finding.ts';
import type { HostView } from '../host-view.ts';

const CHECK = check('node', 'Node.js');

/** Debian's own build starts in 80 ms where the official one takes 23: it loads a dozen shared libraries and has no snapshot. */
export function probeNode({ node }: HostView): Finding {
  const found = `${node.version}, ${node.execPath}`;
  if (node.sharedLibraries.length === 0) return CHECK.ok(found);
  return CHECK.degraded({
    detail: `${found}: a distribution’s build, linked against ${node.sharedLibraries.length} shared libraries`,
    lose: 'some 50 ms at every command',
    remedy: 'npm install -g node@24   # the official build, as a package',
  });
}
