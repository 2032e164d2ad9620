import { check, type Finding } from '../finding.ts';
import type { HostView } from '../host-view.ts';

const CHECK = check('runtime-directory', 'XDG_RUNTIME_DIR');
const LOSE =
  'sockets and locks are kept in a private directory below /tmp instead; sessions with another TMPDIR do not see each other’s';

/** Set, and this user's alone: after `su` it often is the other user's, without logind it is not set. */
export function probeRuntimeDirectory(host: HostView): Finding {
  const path = host.env.XDG_RUNTIME_DIR;
  const { uid } = host.user;
  const usual = `/run/user/${uid}`;
  const usualIsFine = isPrivate(host, usual);
  const remedy = usualIsFine ? `export XDG_RUNTIME_DIR=${usual}` : 'export XDG_RUNTIME_DIR=$(mktemp -d)';
  if (!path) return CHECK.degraded({ detail: 'not set', lose: LOSE, remedy });
  const facts = host.stat(path);
  if (facts?.kind !== 'directory') {
    const problem = facts ? 'is no directory' : `cannot be used (${host.access(path, 'read') ?? 'ENOENT'})`;
    return CHECK.degraded({ detail: `${path} ${problem}`, lose: LOSE, remedy });
  }
  if (facts.uid !== uid)
    return CHECK.degraded({ detail: `${path} belongs to uid ${facts.uid}, not ${uid}`, lose: LOSE, remedy });
  if ((facts.mode & 0o077) !== 0)
    return CHECK.degraded({
      detail: `others may enter ${path} (mode ${facts.mode.toString(8)})`,
      lose: LOSE,
      remedy: `chmod 700 ${path}`,
    });
  return CHECK.ok(path);
}

function isPrivate(host: HostView, path: string): boolean {
  const facts = host.stat(path);
  return facts?.kind === 'directory' && facts.uid === host.user.uid && (facts.mode & 0o077) === 0;
}
