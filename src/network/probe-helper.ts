/**
 * Is a network helper there, and can it run?
 *
 * It is run once (`--version`: an AppArmor profile or a missing library may forbid more than the x bit does), and the finding is kept
 * in a file until the binary changes. /dev/net/tun is looked at every time: pasta hangs without a word when it cannot be opened.
 */
import { spawnSync } from 'node:child_process';
import { accessSync, constants, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export type HelperName = 'pasta' | 'slirp4netns';

export type HelperFinding =
  | {
      usable: true;
      name: HelperName;
      path: string;
      version: string;
      /** What is wrong with this version; undefined = nothing known. */
      flaw: string | undefined;
    }
  | { usable: false; name: HelperName; reason: string; hint: string };

const PACKAGE: Record<HelperName, string> = { pasta: 'passt', slirp4netns: 'slirp4netns' };
const TUN = '/dev/net/tun';

interface Kept {
  /** What identifies the binary: mtime in ms and size in bytes. */
  mtimeMs: number;
  size: number;
  /** First line of --version, or why it did not run. */
  version?: string;
  reason?: string;
}

export interface ProbeOptions {
  /** A file in the user's runtime directory; undefined = keep nothing. */
  cacheFile: string | undefined;
  /** As $PATH. */
  path?: string;
  tun?: string;
}

/** Never throws. */
export function probeHelper(name: HelperName, options: ProbeOptions): HelperFinding {
  const { cacheFile, path = `${process.env.PATH ?? ''}:/usr/local/bin:/usr/bin:/bin`, tun = TUN } = options;
  const not = (reason: string, hint: string): HelperFinding => ({ usable: false, name, reason, hint });
  const file = findExecutable(name, path);
  if (!file) return not('it is not installed', `sudo apt install ${PACKAGE[name]}`);
  try {
    accessSync(tun, constants.R_OK | constants.W_OK);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const remedy = code === 'ENOENT' ? 'sudo modprobe tun' : `sudo chmod 666 ${tun}`;
    return not(`${tun} cannot be opened (${code})`, `${remedy}; or use --network none or host`);
  }
  const { version, reason } = keptOrRun(name, file, cacheFile);
  if (version === undefined) return not(`${file} does not run: ${reason}`, `${file} --version`);
  return { usable: true, name, path: file, version, flaw: flawOf(name, version) };
}

/**
 * pasta before August 2024: when a client in the container shuts down its sending half first, the answer is repeated and its end never
 * comes (tried with 2023-03, Debian 12, which calls itself `unknown version`). Other outbound, and all inbound, connections are well. Upstream's versions are dates: `2024_08_21.1d6142f`, `0.0~git20250503.587980c`.
 */
export function flawOf(name: HelperName, version: string): string | undefined {
  if (name !== 'pasta') return undefined;
  const [, year = '0', month = '', day = ''] = /(20\d\d)_?(\d\d)_?(\d\d)/.exec(version) ?? [];
  if (`${year}${month}${day}` >= '20240801') return undefined;
  return `this pasta (${version.replace(/^pasta /, '')}) breaks outgoing TCP connections that the container half-closes; one of August 2024 or later does not`;
}

function findExecutable(name: string, path: string): string | undefined {
  const candidates = path.split(':').filter((directory) => directory.startsWith('/'));
  return candidates.map((directory) => join(directory, name)).find(isExecutable);
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false; // not here: the next directory of PATH is looked at
  }
}

function keptOrRun(name: HelperName, file: string, cacheFile: string | undefined): Kept {
  const { mtimeMs, size } = statSync(file);
  const cache = readCache(cacheFile);
  const kept = cache[file];
  if (kept && kept.mtimeMs === mtimeMs && kept.size === size) return kept;
  const found = { mtimeMs, size, ...runVersion(name, file) };
  // A failure may have been one of the moment: it is not kept.
  if (found.version !== undefined) writeCache(cacheFile, { ...cache, [file]: found });
  return found;
}

function runVersion(name: HelperName, file: string): Pick<Kept, 'version' | 'reason'> {
  const run = spawnSync(file, ['--version'], { encoding: 'utf8', timeout: 5000, argv0: name });
  if (run.error) return { reason: run.error.message };
  const words = `${run.stdout}${run.stderr}`.trim();
  if (run.status !== 0) return { reason: words || `it ended with ${run.signal ?? `status ${run.status}`}` };
  return { version: words.split('\n', 1)[0] || versionInside(name, file) };
}

/** pasta of 2025 exits without flushing its stdout: into a pipe it says nothing. The version is a string in its binary. */
function versionInside(name: HelperName, file: string): string {
  const text = readFileSync(file, 'latin1');
  const [version = 'unknown version'] =
    /\b(?:0\.0~git)?20\d\d_?\d\d_?\d\d\.[0-9a-f]{7}[\w.+~-]*/.exec(text) ?? [];
  return `${name} ${version}`;
}

function readCache(file: string | undefined): Record<string, Kept> {
  if (file === undefined) return {};
  try {
    const value: unknown = JSON.parse(readFileSync(file, 'utf8'));
    return typeof value === 'object' && value !== null ? (value as Record<string, Kept>) : {};
  } catch {
    return {}; // not there, or damaged: it is only a cache
  }
}

function writeCache(file: string | undefined, cache: Record<string, Kept>): void {
  if (file === undefined) return;
  const temporary = `${file}.${process.pid}`;
  try {
    writeFileSync(temporary, JSON.stringify(cache), { mode: 0o600 });
    renameSync(temporary, file);
  } catch {
    // No runtime directory yet, or a full one: the next command asks the helper again.
  }
}
