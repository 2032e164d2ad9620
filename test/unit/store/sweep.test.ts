import { existsSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { ContainerStore } from '../../../src/store/containers.ts';
import {
  attachSocket,
  containerDirectory,
  containerNamePath,
  namesDirectory,
  runtimeContainerDirectory,
} from '../../../src/store/paths.ts';
import { temporaryStore } from '../../support/temporary-store.ts';

/** Once `rm`, killed between a container's directory and its sockets, left the sockets until the next reboot. */
test('names and sockets of containers that are no more are swept, those of others stay', () => {
  const paths = temporaryStore();
  const containers = new ContainerStore(paths);
  const [there, gone] = ['a'.repeat(64), 'b'.repeat(64)];
  mkdirSync(containerDirectory(paths, there), { recursive: true });
  mkdirSync(namesDirectory(paths), { recursive: true });
  for (const id of [there, gone]) {
    mkdirSync(runtimeContainerDirectory(paths, id), { recursive: true });
    writeFileSync(attachSocket(runtimeContainerDirectory(paths, id)), '');
    symlinkSync(id, containerNamePath(paths, `name-${id[0]}`));
  }
  mkdirSync(`${paths.root}/locks`, { recursive: true });
  containers.sweepNames();
  const told: string[] = [];
  containers.sweepSockets((id) => told.push(id));
  expect(told).toEqual([gone]);
  expect(existsSync(attachSocket(runtimeContainerDirectory(paths, there)))).toBe(true);
  expect(existsSync(runtimeContainerDirectory(paths, gone))).toBe(false);
  expect(readdirSync(namesDirectory(paths))).toEqual(['name-a']);
});
