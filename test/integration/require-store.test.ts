/** STO-13: a store on a file system that does not take what images hold is told of before anything is fetched. */
import { mkdirSync, readdirSync, statSync } from 'node:fs';
import { expect, it } from 'vitest';
import { requireStore } from '../../src/engine/require-store.ts';
import { newRootless } from '../../src/rootless/enter.ts';
import { fileSystem } from '../../src/store/file-systems.ts';
import { temporaryDirectory } from '../../src/store/paths.ts';
import { temporaryStore } from '../support/temporary-store.ts';

const NFS = 0x6969;
const FAT = 0x4d44;

/** Namespaces in which no id but root's is mapped: giving a file to another fails there, as it does on a server of NFS. */
function withoutOtherIds() {
  const own = (id: number) => [{ containerID: 0, hostID: id, size: 1 }];
  const { getuid, getgid } = process;
  const maps = { uids: own(getuid?.() ?? -1), gids: own(getgid?.() ?? -1), single: true };
  return { ...newRootless(), maps };
}

it('an ordinary file system is not tried: it costs nothing', () => {
  const { maps } = withoutOtherIds();
  const never = { maps, holder: -1 };
  const paths = temporaryStore();
  for (const type of [0xef53, 0x58465342, 0x9123683e, 0x01021994, 0x9123683e | 0])
    requireStore(paths, never, type);
});

it('a store that is not there yet is asked about as well: the first pull of a user looks before anything is made', () => {
  const paths = temporaryStore();
  const { maps } = withoutOtherIds();
  requireStore({ ...paths, root: `${paths.root}/deep/below` }, { maps, holder: -1 });
  expect(statSync(`${paths.root}/deep/below`).mode & 0o777).toBe(0o700);
});

it('on any other it is tried for real, and nothing is left', () => {
  const paths = temporaryStore();
  mkdirSync(paths.root, { recursive: true });
  for (const type of [NFS, FAT, 0x12345]) requireStore(paths, newRootless(), type);
  expect(readdirSync(temporaryDirectory(paths))).toEqual([]);
});

it('what it does not take is named, with the way out', () => {
  const paths = temporaryStore();
  mkdirSync(paths.root, { recursive: true });
  const rootless = withoutOtherIds();
  const refusing = { ...rootless, maps: { ...rootless.maps, single: false } };
  let error: unknown;
  try {
    requireStore(paths, refusing, NFS);
  } catch (caught) {
    error = caught;
  }
  expect(error).toMatchObject({
    code: 'ERR_TSRUN_STORE_FILE_SYSTEM',
    message: `images cannot be unpacked in ${paths.root}, which is on NFS: it does not take a file of a subordinate id; its server knows no user namespaces`,
    hint: expect.stringContaining('XDG_DATA_HOME=/var/tmp/$USER'),
  });
  expect(readdirSync(temporaryDirectory(paths))).toEqual([]);
  // A user with a single id gives no file to another: there the same store will do.
  requireStore(paths, rootless, NFS);
});

it('file systems are known by their numbers, signed or not', () => {
  expect(fileSystem(0x9123683e | 0).name).toBe('btrfs');
  expect(fileSystem(NFS)).toMatchObject({ name: 'NFS', isRemote: true });
  expect(fileSystem(0x77777).name).toBe('a file system of type 0x77777');
});
