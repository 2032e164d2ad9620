import { userInfo } from 'node:os';

/**
 * $HOME, unless it is empty or relative, as services and `env -i` leave it: Node's homedir() and a shell's `~` take it as it is, and a store
 * would be made in whatever the working directory is. Then what passwd(5) says; `/` of a user whom nobody knows.
 */
export function homeDirectory({ HOME: home }: NodeJS.ProcessEnv = process.env): string {
  if (home?.startsWith('/')) return home;
  try {
    return userInfo().homedir;
  } catch {
    return '/';
  }
}
