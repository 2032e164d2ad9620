/** The line that installs a package, in the words of the host's distribution (os-release(5)). */
import type { HostView } from './host-view.ts';

/** A package's name by the family of distributions. */
export interface PackageNames {
  readonly debian: string;
  readonly fedora: string;
  readonly arch: string;
  readonly alpine: string;
  readonly suse: string;
}

const INSTALL: Readonly<Record<keyof PackageNames, string>> = {
  debian: 'sudo apt-get install -y',
  fedora: 'sudo dnf install -y',
  arch: 'sudo pacman -S --noconfirm',
  alpine: 'sudo apk add',
  suse: 'sudo zypper install -y',
};

const FAMILY: Readonly<Record<string, keyof PackageNames>> = {
  debian: 'debian',
  ubuntu: 'debian',
  fedora: 'fedora',
  rhel: 'fedora',
  centos: 'fedora',
  arch: 'arch',
  alpine: 'alpine',
  suse: 'suse',
  opensuse: 'suse',
};

/** `sudo apt-get install -y passt`; Debian's name where the distribution is not known. */
export function installRemedy(host: HostView, names: PackageNames): string {
  const text = host.readText('/etc/os-release') ?? '';
  const value = (key: string): string[] =>
    (new RegExp(`^${key}=(.*)$`, 'm').exec(text)?.[1] ?? '').replaceAll('"', '').split(' ');
  const known = [...value('ID'), ...value('ID_LIKE')].find((word) => Object.hasOwn(FAMILY, word));
  const family = (known && FAMILY[known]) || 'debian';
  return `${INSTALL[family]} ${names[family]}`;
}
