/**
 * Reads the Debian packages installed on this machine: which files they have, what they need. The test images are made of these, so
 * that they are real, big and various, without any network. Only dpkg's own files are read; nothing needs privileges.
 */
import { execFileSync } from 'node:child_process';
import { lstatSync, readFileSync, readlinkSync, realpathSync, type Stats } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { Entry } from './tar-archive.ts';

interface Package {
  /** `Essential: yes`, or priority `required`: every Debian has it. */
  required: boolean;
  depends: readonly string[];
}

const MAX_OUTPUT = 64 << 20;
const run = (command: string, args: readonly string[]): string =>
  execFileSync(command, args, {
    encoding: 'utf8',
    maxBuffer: MAX_OUTPUT,
    stdio: ['ignore', 'pipe', 'ignore'],
  });

/** Every installed package by its name; of alternative dependencies the first that is installed counts. */
export function installedPackages(): Map<string, Package> {
  // biome-ignore lint/suspicious/noTemplateCurlyInString: dpkg-query substitutes them
  const format = '${db:Status-Status}\t${Package}\t${Essential}\t${Priority}\t${Pre-Depends}, ${Depends}\n';
  const rows = run('dpkg-query', ['-W', '-f', format])
    .split('\n')
    .map((line) => line.split('\t'))
    .filter(([status]) => status === 'installed');
  const names = new Set(rows.map(([, name]) => name));
  const choose = (alternatives: string): string | undefined =>
    alternatives
      .split('|')
      .map((word) => word.trim().replace(/[\s:(].*$/, ''))
      .find((word) => names.has(word));
  return new Map(
    rows.map(([, name = '', essential, priority, depends = '']) => [
      name,
      {
        required: essential === 'yes' || priority === 'required',
        depends: depends.split(',').flatMap((alternatives) => choose(alternatives) ?? []),
      },
    ]),
  );
}

/** `seeds` and everything that they depend on. Throws when a seed is not installed. */
export function withDependencies(seeds: Iterable<string>): string[] {
  const installed = installedPackages();
  const wanted = new Set(seeds);
  // A Set's iterator also visits what is added on the way.
  for (const name of wanted) {
    const found = installed.get(name);
    if (!found)
      throw new Error(`Debian package ${name} is not installed; install it: sudo apt-get install ${name}`);
    for (const dependency of found.depends) wanted.add(dependency);
  }
  return [...wanted].sort();
}

/** A path below `/`, its directory free of symbolic links: /bin/dash is usr/bin/dash on a merged /usr. Undefined when it is not there. */
function canonical(path: string): string | undefined {
  try {
    return join(realpathSync(dirname(path)), basename(path)).slice(1);
  } catch {
    // A directory that dpkg was told to leave out (path-exclude).
    return undefined;
  }
}

/** All paths of `packages`, without the leading slash, parents before children. */
export function packageFiles(packages: readonly string[]): string[] {
  const listed = run('dpkg', ['-L', ...packages]).split('\n');
  const paths = listed
    .filter((line) => line.startsWith('/') && line !== '/.')
    .flatMap((path) => canonical(path) ?? []);
  return withParents(paths);
}

/** `paths` and the directories above them, parents before children. */
export function withParents(paths: Iterable<string>): string[] {
  const all = new Set(paths);
  for (const path of all) if (path.includes('/')) all.add(dirname(path));
  return [...all].sort();
}

/** The shared libraries and the loader that the ELF files among `paths` need, canonical, as ldd(1) finds them. */
export function librariesOf(paths: readonly string[]): string[] {
  const isElf = (path: string): boolean => {
    const status = statIfPresent(path);
    return status?.isFile() === true && readIfAllowed(path)?.subarray(0, 4).toString('latin1') === '\x7fELF';
  };
  const programs = paths.filter(isElf).map((path) => `/${path}`);
  if (programs.length === 0) return [];
  let output: string;
  try {
    output = run('ldd', programs);
  } catch (error) {
    // ldd's status is 1 when one of the files is static; what it found is printed all the same.
    output = String((error as { stdout?: string }).stdout ?? '');
  }
  const found = [...output.matchAll(/^\s+(?:\S+ => )?(\/\S+) \(0x/gm)].flatMap(
    ([, path = '']) => canonical(path) ?? [],
  );
  // A library's name is mostly a link to its file: both are needed.
  const targets = found.flatMap((path) => canonical(realpathSync(`/${path}`)) ?? []);
  return [...new Set([...found, ...targets])].sort();
}

function statIfPresent(path: string): Stats | undefined {
  return unlessRefused(() => lstatSync(`/${path}`, { throwIfNoEntry: false }));
}

const readIfAllowed = (path: string): Buffer | undefined => unlessRefused(() => readFileSync(`/${path}`));

/** undefined for a file of root only, as /etc/sudoers is, or in a directory of root's: an ordinary user builds the image without it. */
function unlessRefused<T>(look: () => T): T | undefined {
  try {
    return look();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EACCES') return undefined;
    throw error;
  }
}

/**
 * The entries of `paths` as they are on this machine: owners, modes, times, hard links among them. Sockets, devices, what is not
 * there and what may not be read are left out.
 */
export function entriesOf(paths: readonly string[]): Entry[] {
  const firstNames = new Map<string, string>();
  return paths.flatMap((path): Entry[] => {
    const status = statIfPresent(path);
    if (!status) return [];
    const common = {
      path,
      mode: status.mode & 0o7777,
      uid: status.uid,
      gid: status.gid,
      mtime: Math.floor(status.mtimeMs / 1000),
    };
    if (status.isDirectory()) return [{ ...common, type: 'directory' }];
    if (status.isSymbolicLink()) return [{ ...common, type: 'symlink', target: readlinkSync(`/${path}`) }];
    if (!status.isFile()) return [];
    const inode = `${status.dev}:${status.ino}`;
    const first = firstNames.get(inode);
    if (first !== undefined) return [{ ...common, type: 'hardlink', target: first }];
    const content = readIfAllowed(path);
    if (!content) return [];
    if (status.nlink > 1) firstNames.set(inode, path);
    return [{ ...common, type: 'file', content }];
  });
}

/** The symbolic links of a merged /usr, where this machine has one. */
export function rootLinks(): Entry[] {
  return entriesOf(
    ['bin', 'lib', 'lib32', 'lib64', 'libx32', 'sbin'].filter((path) =>
      statIfPresent(path)?.isSymbolicLink(),
    ),
  );
}
