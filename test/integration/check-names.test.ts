/**
 * `system check` beside those who make and remove containers. A second look 50 ms after the first came too early where a disk or a processor
 * was busy: a name that was just being taken or given up was told of as damage, and --repair took it away.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, symlinkSync } from 'node:fs';
import { dirname } from 'node:path';
import { expect, test } from 'vitest';
import { checkContainers } from '../../src/engine/check/check-containers.ts';
import { Findings } from '../../src/engine/check/damage.ts';
import type { Engine } from '../../src/engine/open-engine.ts';
import { ContainerStore } from '../../src/store/containers.ts';
import { lockPath, namesDirectory } from '../../src/store/paths.ts';
import { temporaryStore } from '../support/temporary-store.ts';

test('a name that somebody has half taken is no damage, however long the rest takes; one that is left is', async () => {
  const paths = temporaryStore();
  const engine = { paths, containers: new ContainerStore(paths) } as Engine;
  const lock = lockPath(paths, 'names');
  for (const directory of [namesDirectory(paths), dirname(lock)]) mkdirSync(directory, { recursive: true });
  const path = `${namesDirectory(paths)}/half`;
  const other = `ln -s ${'0'.repeat(64)} ${path}; echo; sleep 0.5; rm ${path}`;
  const { stdout } = spawn('flock', [lock, 'sh', '-c', other], { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(stdout, 'data');
  const findings = new Findings({ repair: true, quick: true });
  await checkContainers(engine, findings);
  expect(findings.damages).toEqual([]);
  symlinkSync('0'.repeat(64), path);
  await checkContainers(engine, findings);
  expect(findings.damages).toMatchObject([{ object: 'name half', repaired: 'removed' }]);
  expect(readdirSync(namesDirectory(paths))).toEqual([]);
});
