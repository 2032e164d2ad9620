/** `--pid`, `--ipc`, `--uts`, `--cgroupns`: `private`, `host`, `container:NAME` or `ns:PATH`. */
import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import type { NamespaceRequest } from '../../engine/request.ts';
import { usageError } from './usage.ts';

/**
 * Where `ns:PATH` leads: to a namespace's file, one of /proc/PID/ns or what was bind-mounted from there. Throws ERR_TSRUN_USAGE when there is none.
 */
export function namespaceFile(option: string, path: string): string {
  const absolute = resolve(path);
  try {
    if (statSync(absolute, { throwIfNoEntry: false })) return absolute;
  } catch (error) {
    throw usageError(`${option} ns:${path}: ${(error as Error).message}`);
  }
  throw usageError(`${option} ns:${path}: there is no such file`, `${option} ns:/proc/PID/ns/…`);
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
