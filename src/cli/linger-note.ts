/**
 * Where logind is, what a user leaves running ends with the last session, unless the user lingers (loginctl(1), logind.conf(5)): said when a
 * container is left running, once for each login.
 */
import { existsSync, writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import type { Engine } from '../engine/open-engine.ts';

export interface LogindPlaces {
  /** Has a file for each user who has a session: /run/systemd/users */
  users: string;
  /** Has a file for each user who lingers: /var/lib/systemd/linger */
  linger: string;
}

const PLACES: LogindPlaces = { users: '/run/systemd/users', linger: '/var/lib/systemd/linger' };

/**
 * The line, or undefined where nothing ends the container or it has been said.
 * @param runtime tsrun's runtime directory, which logind removes at logout
 */
export function lingerNote(
  runtime: string,
  places: LogindPlaces = PLACES,
  user: () => { username: string } = () => userInfo(),
): string | undefined {
  const uid = process.getuid?.() ?? -1;
  if (!existsSync(join(places.users, String(uid)))) return undefined;
  const { username } = user();
  if (existsSync(join(places.linger, username)) || !isFirst(runtime)) return undefined;
  return `containers of ${username} end when you log out, as you do not linger; to keep them: loginctl enable-linger`;
}

/** Says it, where a container was left running. */
export function noteLinger({ paths, warn }: Pick<Engine, 'paths' | 'warn'>): void {
  const note = lingerNote(paths.runtime);
  if (note !== undefined) warn(note);
}

function isFirst(runtime: string): boolean {
  try {
    writeFileSync(join(runtime, 'linger-noted'), '', { flag: 'wx', mode: 0o600 });
    return true;
  } catch {
    return false; // it is there, or nothing can be written: the note is not worth a failure
  }
}
