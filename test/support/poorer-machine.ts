/**
 * This machine with less on it, for one shell script: in user and mount namespaces of its own, where files are covered by others. The
 * user stays the same ordinary user, without any capability.
 */
import { mkdtempSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { BINARY, type Result, start, type Tsrun } from './tsrun.ts';

export interface Lack {
  /** Covered by an empty file that nobody may open for writing or execute; its owner may read it. */
  hidden?: readonly string[];
  /** Covered by a shell script. */
  replaced?: Readonly<Record<string, string>>;
  /** Added to the environment of the script; undefined removes a variable. */
  env?: NodeJS.ProcessEnv;
  /** A network of its own, made by this shell script: whoever runs it may do there what root may. */
  network?: string;
}

/** No subordinate ids, for anybody. */
export const NO_SUBIDS = ['/etc/subuid', '/etc/subgid'];

/** Runs a shell script, in which $T is tsrun, on a machine that lacks something. */
export function onPoorerMachine(tsrun: Tsrun, lack: Lack, script: string): Promise<Result> {
  const directory = mkdtempSync(join(tsrun.store.directory, 'lack'));
  const cover = (path: string, content: string, mode: number, i: number): string => {
    const file = join(directory, String(i));
    writeFileSync(file, content, { mode });
    return `mount --bind ${file} ${path}`;
  };
  const { hidden = [], replaced = {}, env = {}, network } = lack;
  const mounts = [
    ...hidden.map((path, i) => cover(path, '', 0o444, i)),
    ...Object.entries(replaced).map(([path, text], i) =>
      cover(path, `#!/bin/sh\n${text}\n`, 0o755, hidden.length + i),
    ),
  ];
  const drop = 'setpriv --ambient-caps=-all --inh-caps=-all';
  // What the network's script starts ends with this, by the end of a pid namespace.
  const own = network === undefined ? [] : ['--net', '--pid', '--fork', '--mount-proc', '--kill-child'];
  const words = ['--user', '--map-current-user', '--mount', ...own, '--keep-caps', 'sh', '-euc'];
  const lines = [...mounts, ...(network === undefined ? [] : [network]), `exec ${drop} sh -c "$1"`];
  return start('unshare', [...words, lines.join('\n'), 'sh', script], {
    env: { ...tsrun.store.env, T: BINARY, ...env },
    cwd: tsrun.store.directory,
  }).ended;
}
