/**
 * Where an image's volumes go, and where nothing may. `VOLUME /proc` and `-v …:/proc` failed at a step deep in the start, with a sysctl that
 * could not be found; runc says "cannot be mounted because it is not of type proc".
 */
import { expect, test } from 'vitest';
import { mountRequests } from '../../src/engine/mount-requests.ts';
import type { MountRequest } from '../../src/engine/request.ts';

const requests = (
  volumes: string[],
  mounts: Partial<MountRequest>[] = [],
  imageVolume = 'anonymous' as const,
) =>
  mountRequests(
    {
      imageVolume,
      mounts: mounts.map((mount) => ({
        type: 'bind',
        source: '/src',
        destination: '/x',
        options: [],
        ...mount,
      })),
    },
    {
      architecture: 'amd64',
      os: 'linux',
      rootfs: { type: 'layers', diff_ids: [] },
      config: { Volumes: Object.fromEntries(volumes.map((path) => [path, {}])) },
    },
    [],
  );
const places = (...args: Parameters<typeof requests>) =>
  requests(...args).map(({ destination }) => destination);

test('a VOLUME is where its path leads, however that is written', () => {
  expect(places(['/data/', 'relative', '/a/../b'])).toEqual(['/data', '/relative', '/b']);
  expect(places(['/data/'], [{ destination: '/data' }])).toEqual(['/data']);
});

test('nothing but the kernel’s own can be where processes are looked up', () => {
  expect(() => requests(['/proc'])).toThrow(/has a VOLUME \/proc, and nothing can be mounted over \/proc/);
  expect(() => requests(['/'])).toThrow(/has a VOLUME \/, and nothing can be mounted over the root/);
  expect(() => requests([], [{ destination: '/proc/sys' }])).toThrow(
    /nothing can be mounted over \/proc\/sys/,
  );
  expect(() => requests([], [{ destination: '/proc', type: 'tmpfs', source: undefined }])).toThrow(
    /over \/proc/,
  );
  expect(places([], [{ destination: '/proc', source: '/proc' }])).toEqual(['/proc']);
  expect(places(['/sys', '/proc/cpuinfo'])).toEqual(['/sys', '/proc/cpuinfo']);
});
