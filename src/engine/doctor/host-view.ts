/** The host as the probes see it. Everything they learn comes through here, so that tests can take any of it away. No method throws. */
import type { ErrnoName } from '../../sys/errno.ts';

export interface FileFacts {
  readonly kind: 'file' | 'directory' | 'character device' | 'other';
  /** Permission bits with setuid, setgid and sticky: 0–07777. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

export interface FileSystemFacts {
  /** f_type of statfs(2): linux/magic.h */
  readonly magic: number;
  /** Bytes that this user may still write. */
  readonly freeBytes: number;
}

export interface CommandResult {
  /** undefined: it could not be started, or ended by a signal; stderr says why. */
  readonly status: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

export interface HostView {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly user: { readonly name: string; readonly uid: number; readonly gid: number };
  /** uname -r */
  readonly kernelRelease: string;
  readonly node: {
    /** Without a leading v. */
    readonly version: string;
    readonly execPath: string;
    /** Names of libraries that a distribution linked it against; the official build has none. */
    readonly sharedLibraries: readonly string[];
  };
  /** Where images and containers are kept; need not exist yet. */
  readonly storeRoot: string;
  /** The command `tsrun`: what an AppArmor profile must name. */
  readonly launcher: string;

  /** The text of a file; undefined when it is not there or not readable. */
  readText(path: string): string | undefined;
  stat(path: string): FileFacts | undefined;
  /** undefined when the user may; else why not. */
  access(path: string, mode: 'read' | 'write' | 'read-write'): ErrnoName | undefined;
  statfs(path: string): FileSystemFacts | undefined;
  /** The capabilities in a file's security.capability, as getcap(8) prints them; '' for none; undefined when they cannot be read. */
  fileCapabilities(path: string): string | undefined;
  /** The command's path, by $PATH. */
  which(command: string): string | undefined;
  run(argv: readonly [string, ...string[]]): CommandResult;
  /** Makes a user namespace with this user as its root, for real. `words` are the system's own when it fails. */
  tryUserNamespace(): { readonly ok: true } | { readonly ok: false; readonly words: string };
}
