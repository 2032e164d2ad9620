import { check, type Finding } from '../finding.ts';
import type { HostView } from '../host-view.ts';

const CHECK = check('user', 'ordinary user');

/** tsrun refuses root: its containers would be bounded by nothing but the capabilities that are left to them. */
export function probeUser({ user }: HostView): Finding {
  if (user.uid !== 0) return CHECK.ok(`${user.name}, uid ${user.uid}`);
  return CHECK.blocked({
    detail: 'this is root; tsrun runs as an ordinary user',
    remedy: 'su - NAME   # then call tsrun there',
  });
}
