/** Namespaces that are made while something else is waited for: they can be entered, and nothing holds them longer than it should. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, it, onTestFinished } from 'vitest';
import { runInside } from '../../src/rootless/enter.ts';
import { NamespacesAhead } from '../../src/rootless/namespaces-ahead.ts';
import { rootlessMaps } from '../../src/rootless/subordinate-ids.ts';
import { call } from '../../src/sys/calls.ts';
import { AT_FDCWD } from '../../src/sys/constants.ts';
import { temporaryDirectoryForTest } from '../support/temporary-store.ts';
import { until } from '../support/until.ts';

/** Processes of hold.c that are children of `parent`, zombies among them. */
function holdersOf(parent: number): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        const [, name, ppid] = /^\d+ \((.*)\) . (\d+)/.exec(readFileSync(`/proc/${pid}/stat`, 'utf8')) ?? [];
        return name === 'hold' && Number(ppid) === parent;
      } catch {
        return false; // it has just ended
      }
    });
}

const openDescriptors = (): number => readdirSync('/proc/self/fd').length;

it('are entered like those of another process, more than once, and end when they are closed', () => {
  const directory = temporaryDirectoryForTest();
  const maps = rootlessMaps();
  const before = openDescriptors();
  const ahead = new NamespacesAhead(maps);
  for (const [name, borrows] of [['copied', false] as const, ['borrowed', true] as const]) {
    const path = join(directory, name);
    runInside(
      ahead.rootless(),
      () => [
        call('rootless', 'make a file', 'mkdirat', [AT_FDCWD, path, 0o700]),
        call('rootless', 'that a subordinate id owns', 'fchownat', [AT_FDCWD, path, 7, 8, 0]),
      ],
      undefined,
      borrows,
    );
    const { uid, gid } = statSync(path);
    expect([uid, gid]).toEqual([maps.uids[1]!.hostID + 6, maps.gids[1]!.hostID + 7]);
    runInside(ahead.rootless(), () => [
      call('rootless', 'give it back', 'fchownat', [AT_FDCWD, path, 0, 0, 0]),
    ]);
  }
  expect(holdersOf(process.pid)).toHaveLength(1);
  ahead.close();
  expect(holdersOf(process.pid)).toEqual([]);
  expect(openDescriptors()).toBe(before);
});

it('end when nobody has entered them', () => {
  const before = openDescriptors();
  new NamespacesAhead(rootlessMaps()).close();
  expect(holdersOf(process.pid)).toEqual([]);
  expect(openDescriptors()).toBe(before);
});

it('cannot be entered when the ids could not be mapped, and leave nothing then either', () => {
  const before = openDescriptors();
  const maps = rootlessMaps();
  const [own, range] = maps.uids;
  const uids = [own!, { ...range!, size: range!.size + 1 }]; // one more than /etc/subuid has
  const ahead = new NamespacesAhead({ ...maps, uids });
  expect(() => ahead.rootless()).toThrow('has failed');
  ahead.close();
  expect(holdersOf(process.pid)).toEqual([]);
  expect(openDescriptors()).toBe(before);
});

it('end with the process that made them, however it ends', async () => {
  const source = (name: string): string => JSON.stringify(join(import.meta.dirname, '../../src', name));
  const script = `
    const { NamespacesAhead } = await import(${source('rootless/namespaces-ahead.ts')});
    const { rootlessMaps } = await import(${source('rootless/subordinate-ids.ts')});
    globalThis.ahead = new NamespacesAhead(rootlessMaps());
    console.log('made');
    setInterval(() => {}, 1000);`;
  const maker = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => void maker.kill('SIGKILL'));
  await once(createInterface(maker.stdout), 'line');
  const [holder] = holdersOf(maker.pid!);
  expect(holder).toBeDefined();
  maker.kill('SIGKILL');
  await until('the end of the holder', () => !readdirSync('/proc').includes(String(holder)));
});
