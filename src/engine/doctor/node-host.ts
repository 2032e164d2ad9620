/** The real host. */
import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, readFileSync, type Stats, statfsSync, statSync } from 'node:fs';
import { release, userInfo } from 'node:os';
import { delimiter, join } from 'node:path';
import { ERRNO, type ErrnoName } from '../../sys/errno.ts';
import type { CommandResult, FileFacts, FileSystemFacts, HostView } from './host-view.ts';

export interface NodeHostOptions {
  readonly storeRoot: string;
  readonly launcher: string;
  /** How tsrun itself makes one; by default util-linux's unshare(1) is asked. */
  readonly tryUserNamespace?: HostView['tryUserNamespace'];
}

const ACCESS = {
  read: constants.R_OK,
  write: constants.W_OK,
  'read-write': constants.R_OK | constants.W_OK,
} as const;

/** Where administrators' tools are that an ordinary user's PATH does not name. */
const SYSTEM_PATHS = ['/usr/sbin', '/sbin', '/usr/local/sbin'];

export function nodeHost(options: NodeHostOptions): HostView {
  const { username, uid, gid } = userInfo();
  return {
    env: process.env,
    user: { name: username, uid, gid },
    kernelRelease: release(),
    node: { version: process.versions.node, execPath: process.execPath, sharedLibraries: sharedLibraries() },
    storeRoot: options.storeRoot,
    launcher: options.launcher,
    readText: (path) => attempt(() => readFileSync(path, 'utf8')),
    stat: (path) => attempt(() => fileFacts(statSync(path))),
    access: (path, mode) => accessError(() => accessSync(path, ACCESS[mode])),
    statfs: (path) => attempt(() => fileSystemFacts(path)),
    fileCapabilities,
    which,
    run,
    tryUserNamespace: options.tryUserNamespace ?? tryUnshare,
  };
}

/** The absence of a thing is an answer here; which errno it had matters to none of the probes that ask this way. */
function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

function accessError(ask: () => void): ErrnoName | undefined {
  try {
    ask();
    return undefined;
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? '';
    return Object.hasOwn(ERRNO, code) ? (code as ErrnoName) : 'EIO';
  }
}

function fileFacts(stat: Stats): FileFacts {
  const kind = stat.isFile()
    ? 'file'
    : stat.isDirectory()
      ? 'directory'
      : stat.isCharacterDevice()
        ? 'character device'
        : 'other';
  return { kind, mode: stat.mode & 0o7777, uid: stat.uid, gid: stat.gid };
}

function fileSystemFacts(path: string): FileSystemFacts {
  const { type, bsize, bavail } = statfsSync(path);
  return { magic: type, freeBytes: bsize * bavail };
}

function sharedLibraries(): string[] {
  const variables: Record<string, unknown> = { ...process.config.variables };
  return Object.keys(variables).filter((key) => key.startsWith('node_shared_') && variables[key] === true);
}

function which(command: string): string | undefined {
  const directories = (process.env.PATH ?? '').split(delimiter).filter((directory) => directory !== '');
  return directories
    .map((directory) => join(directory, command))
    .find((path) => !accessError(() => accessSync(path, constants.X_OK)) && statSync(path).isFile());
}

function run([command, ...args]: readonly [string, ...string[]]): CommandResult {
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    encoding: 'utf8',
    timeout: 5000,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  return {
    status: status ?? undefined,
    stdout: stdout ?? '',
    stderr: error ? error.message : (stderr ?? ''),
  };
}

/** Node cannot read extended attributes; getcap(8) can. */
function fileCapabilities(path: string): string | undefined {
  const getcap = which('getcap') ?? SYSTEM_PATHS.map((d) => join(d, 'getcap')).find((p) => existsSync(p));
  if (!getcap) return undefined;
  const { status, stdout } = run([getcap, path]);
  return status === 0 ? stdout.trim().slice(path.length).trim() : undefined;
}

function tryUnshare(): ReturnType<HostView['tryUserNamespace']> {
  const { status, stderr } = run(['unshare', '--user', '--map-root-user', '--mount', 'true']);
  return status === 0 ? { ok: true } : { ok: false, words: stderr.trim() };
}
