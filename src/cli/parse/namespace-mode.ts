/** `--pid`, `--ipc`, `--uts`, `--cgroupns`: `private`, `host`, `container:NAME` or `ns:PATH`. */
import { readlinkSync, type Stats, statfsSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import type { NamespaceRequest } from '../../engine/request.ts';
import { usageError } from './usage.ts';

/** linux/magic.h: what statfs(2) says of a namespace's file */
const NSFS_MAGIC = 0x6e736673;

/** `--network` → what its namespaces are called in /proc/PID/ns. */
const KINDS: Readonly<Record<string, string>> = {
  '--cgroupns': 'cgroup',
  '--ipc': 'ipc',
  '--network': 'net',
  '--pid': 'pid',
  '--uts': 'uts',
};

/** Of /proc/PID/ns/net, `net`; of what was bind-mounted from there undefined: the kernel says it when the namespace is joined. */
function kindOf(path: string): string | undefined {
  try {
    return /^(\w+):\[/.exec(readlinkSync(path))?.[1];
  } catch {
    return undefined;
  }
}

/**
 * Where `ns:PATH` leads: to a namespace's file, one of /proc/PID/ns or what was bind-mounted from there. Throws ERR_TSRUN_USAGE when there is
 * none, and for this machine's own, which nobody may join (setns(2): EPERM) who is not root there.
 */
export function namespaceFile(option: string, path: string): string {
  const absolute = resolve(path);
  const refuse = (problem: string, hint?: string): Error =>
    usageError(`${option} ns:${path}: ${problem}`, hint);
  let found: Stats | undefined;
  try {
    found = statSync(absolute, { throwIfNoEntry: false });
  } catch (error) {
    throw refuse((error as Error).message);
  }
  if (!found) throw refuse('there is no such file', `${option} ns:/proc/PID/ns/…`);
  const kind = KINDS[option] ?? '';
  const example = `${option} ns:/proc/PID/ns/${kind}`;
  if (statfsSync(absolute).type !== NSFS_MAGIC) throw refuse('it is no namespace', example);
  const other = kindOf(absolute);
  if (other !== undefined && other !== kind) throw refuse(`it is a namespace of kind ${other}`, example);
  const own = statSync(`/proc/self/ns/${kind}`, { throwIfNoEntry: false });
  if (own?.ino === found.ino) throw refuse("it is this machine's own", `${option} host`);
  return absolute;
}

/** @param own words for a namespace of its own. Throws ERR_TSRUN_USAGE. */
export const parseNamespaceMode =
  (option: string, own: readonly string[] = ['private']) =>
  (text: string): NamespaceRequest => {
    if (text === 'host') return { kind: 'host' };
    if (own.includes(text)) return { kind: 'own', word: text };
    const [, kind, rest = ''] = /^(container|ns):(.+)$/s.exec(text) ?? [];
    if (kind === 'container') return { kind, container: rest };
    if (kind === 'ns') return { kind, path: namespaceFile(option, rest) };
    throw usageError(
      `${option} ${text}: not one of ${[...own, 'host'].join(', ')}, container:NAME, ns:PATH`,
      `${option} container:web`,
    );
  };
