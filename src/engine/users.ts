/** `--user`, USER: names and numbers of an image's /etc/passwd and /etc/group (passwd(5), group(5)). Pure. */
import { tsrunError } from '../errors.ts';

export interface ResolvedUser {
  uid: number;
  gid: number;
  additionalGids: number[];
  home: string;
  /** The name in passwd, when there is one. */
  name: string | undefined;
}

interface PasswdEntry {
  name: string;
  uid: number;
  gid: number;
  home: string;
}

interface GroupEntry {
  name: string;
  gid: number;
  members: string[];
}

const isNumber = (text: string): boolean => /^\d+$/.test(text);

function parsePasswd(text: string): PasswdEntry[] {
  return text.split('\n').flatMap((line) => {
    const [name = '', , uid = '', gid = '', , home = ''] = line.split(':');
    return name !== '' && isNumber(uid) && isNumber(gid)
      ? [{ name, uid: Number(uid), gid: Number(gid), home }]
      : [];
  });
}

function parseGroup(text: string): GroupEntry[] {
  return text.split('\n').flatMap((line) => {
    const [name = '', , gid = '', members = ''] = line.split(':');
    return name !== '' && isNumber(gid)
      ? [{ name, gid: Number(gid), members: members.split(',').filter(Boolean) }]
      : [];
  });
}

/** Largest id that setresuid(2) takes. */
const MAX_ID = 0xfffffffe;

function numericId(text: string, kind: 'user' | 'group'): number {
  const id = Number(text);
  if (id > MAX_ID) throw tsrunError('ERR_TSRUN_USER_UNKNOWN', { kind, name: text });
  return id;
}

/**
 * Resolves `user[:group]` the way docker does: a name or a number; a number without an entry has group 0 and home /; with no group
 * named, the supplementary groups of group(5) are those that list the user.
 * @param passwd text of /etc/passwd, undefined when the image has none
 * @throws ERR_TSRUN_USER_UNKNOWN
 */
export function resolveUser(
  spec: string,
  passwd: string | undefined,
  group: string | undefined,
  groupAdd: readonly string[] = [],
): ResolvedUser {
  const [userPart = '', groupPart] = spec.split(':', 2);
  const users = parsePasswd(passwd ?? '');
  const groups = parseGroup(group ?? '');
  const wanted = userPart === '' ? '0' : userPart;
  const entry =
    users.find((e) => e.name === wanted) ?? users.find((e) => isNumber(wanted) && e.uid === Number(wanted));
  if (!entry && !isNumber(wanted)) throw tsrunError('ERR_TSRUN_USER_UNKNOWN', { kind: 'user', name: wanted });
  const findGroup = (name: string): number => {
    const found =
      groups.find((g) => g.name === name)?.gid ?? (isNumber(name) ? numericId(name, 'group') : undefined);
    if (found === undefined) throw tsrunError('ERR_TSRUN_USER_UNKNOWN', { kind: 'group', name });
    return found;
  };
  const gid = groupPart ? findGroup(groupPart) : (entry?.gid ?? 0);
  const listed = groupPart
    ? []
    : groups.filter((g) => entry && g.members.includes(entry.name)).map((g) => g.gid);
  const additionalGids = [...new Set([gid, ...listed, ...groupAdd.map(findGroup)])];
  return {
    uid: entry?.uid ?? numericId(wanted, 'user'),
    gid,
    additionalGids,
    home: entry?.home || '/',
    name: entry?.name,
  };
}
