/**
 * A store of its own for a test: home, data, configuration and runtime directories below one short path in /var/tmp (a socket's path
 * has at most 107 bytes, and /tmp may be a small tmpfs).
 */
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import { until } from './until.ts';

export interface TestStore {
  /** Everything that the test makes is below it. */
  readonly directory: string;
  /** The whole environment of commands that use this store. */
  readonly env: NodeJS.ProcessEnv;
  /** `$XDG_DATA_HOME/tsrun` and `$XDG_RUNTIME_DIR/tsrun` */
  readonly root: string;
  readonly runtime: string;
}

/** Marks the processes that belong to a store (leaks.ts). */
export const STORE_VARIABLE = 'TSRUN_TEST_STORE';

/** Directories made in this test file and not removed yet. */
export const liveStores = new Set<string>();

/** What a command of a test inherits from the machine: nothing of the user's own configuration. */
const INHERITED = ['PATH', 'LANG', 'USER', 'LOGNAME', 'TERM'];

export async function temporaryStore(): Promise<TestStore> {
  const directory = await mkdtemp('/var/tmp/t');
  liveStores.add(directory);
  const data = join(directory, 'd');
  const runtime = join(directory, 'r');
  const temporary = join(directory, 't');
  await mkdir(data);
  await mkdir(temporary);
  await mkdir(runtime, { mode: 0o700 });
  const inherited = INHERITED.flatMap((name) =>
    process.env[name] === undefined ? [] : [[name, process.env[name]]],
  );
  return {
    directory,
    root: join(data, 'tsrun'),
    runtime: join(runtime, 'tsrun'),
    env: {
      ...Object.fromEntries(inherited),
      HOME: directory,
      XDG_DATA_HOME: data,
      XDG_CONFIG_HOME: join(directory, 'c'),
      XDG_CACHE_HOME: join(directory, 'k'),
      XDG_RUNTIME_DIR: runtime,
      TMPDIR: temporary,
      [STORE_VARIABLE]: directory,
    },
  };
}

/** What is left of containers in the store, as paths; an empty list when all were removed completely. */
export function leftovers(store: TestStore): string[] {
  const places = [
    ...['containers', 'names', 'tmp'].map((name) => join(store.root, name)),
    join(store.runtime, 'containers'),
    join(store.directory, 't'),
  ];
  return places.flatMap((place) =>
    existsSync(place) ? readdirSync(place).map((name) => join(place, name)) : [],
  );
}

/**
 * Fails when containers that were removed have left something. It is waited for: the supervisor of a `--rm` container frees its space when
 * everybody has been told of the end.
 */
export async function expectNoLeftovers(store: TestStore): Promise<void> {
  await until('nothing is left', () => leftovers(store).length === 0).catch(() =>
    expect(leftovers(store), 'left in the store after its containers were removed').toEqual([]),
  );
}

/** Removes the store; `unshare` is the command that runs another one in the rootless namespaces, where subordinate ids own files. */
export async function removeStore(store: TestStore, unshare: readonly string[]): Promise<void> {
  try {
    await rm(store.directory, { recursive: true });
  } catch {
    const [command = '', ...words] = unshare;
    execFileSync(command, [...words, 'chmod', '-R', 'u+rwX', store.root], { env: store.env, stdio: 'pipe' });
    execFileSync(command, [...words, 'rm', '-rf', store.root], { env: store.env, stdio: 'pipe' });
    await rm(store.directory, { recursive: true });
  }
  liveStores.delete(store.directory);
}
