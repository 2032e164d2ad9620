/** newuidmap(1) and newgidmap(1): there, and able to do what they are for: by the setuid bit or by a file capability. */

import { installRemedy } from '../distribution.ts';
import { check, type Finding, type Trouble } from '../finding.ts';
import type { HostView } from '../host-view.ts';
import { mountOptions } from '../mount-table.ts';

const CHECK = check('id-map-helpers', 'newuidmap and newgidmap');

const LOSE = 'containers have one user id: files of other owners in images become yours';

export function probeIdMapHelpers(host: HostView): Finding {
  if (host.user.uid === 0) return CHECK.ok('root maps ids without them');
  const cause = idMapHelperCause(host);
  if (cause) return CHECK.degraded({ ...cause, lose: LOSE });
  return CHECK.ok(`${host.which('newuidmap')}, ${host.which('newgidmap')}`);
}

/** What is wrong with them, for an error that has just happened; undefined when nothing is. */
export function idMapHelperCause(host: HostView): Trouble | undefined {
  const causes = [helperCause(host, 'newuidmap', 'cap_setuid'), helperCause(host, 'newgidmap', 'cap_setgid')];
  return causes.find((cause) => cause !== undefined);
}

function helperCause(host: HostView, name: string, capability: string): Trouble | undefined {
  const path = host.which(name);
  if (path === undefined)
    return {
      detail: `${name} is not installed`,
      remedy: installRemedy(host, {
        debian: 'uidmap',
        fedora: 'shadow-utils',
        arch: 'shadow',
        alpine: 'shadow-uidmap',
        suse: 'shadow',
      }),
    };
  const facts = host.stat(path);
  const setuidRoot = facts !== undefined && (facts.mode & 0o4000) !== 0 && facts.uid === 0;
  const capabilities = host.fileCapabilities(path);
  if (!setuidRoot && !capabilities?.includes(capability))
    return {
      detail:
        capabilities === undefined
          ? `${path} has no setuid bit, and its file capabilities cannot be read (getcap is missing)`
          : `${path} has neither the setuid bit nor ${capability}`,
      remedy: `sudo chown root ${path} && sudo chmod u+s ${path}`,
    };
  if (mountOptions(host, path)?.includes('nosuid'))
    return { detail: `${path} lies on a file system that is mounted nosuid, which takes its privilege away` };
  return undefined;
}
