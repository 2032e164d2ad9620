/** Small layers without a worker: the same files as the worker makes, and the worker for whatever is not plain or is refused. */
import { gzipSync } from 'node:zlib';
import { afterAll, expect, test } from 'vitest';
import { createUnpacker } from '../../../src/image/unpack/start-unpack.ts';
import { newRootless } from '../../../src/rootless/enter.ts';
import { differences, manifestInside } from '../../support/compare-manifests.ts';
import { growingFile } from '../../support/growing-file.ts';
import { directory, file, hardlink, symlink, tarArchive, tarEntry } from '../../support/tar-builder.ts';
import { listTree } from '../../support/tree-listing.ts';
import { directoriesIn, removeInside, scratchDirectory, unpackInside } from '../../support/unpack-inside.ts';

const scratch = scratchDirectory();
const parent = directoriesIn(scratch);
afterAll(() => removeInside(scratch));

const CAPABILITY = Buffer.from('0100000200200000000000000000000000000000', 'hex');
const many = Array.from({ length: 700 }, (_, i) => symlink(`many/l${i}`, `../d/${i}`));

const PLAIN: Record<string, Buffer[]> = {
  'nothing at all': [],
  'owners, modes with setuid and sticky bits, an unreadable directory': [
    directory('', { mode: 0o711, uid: 5, gid: 6 }),
    directory('d', { mode: 0o1777, gid: 8 }),
    file('d/su', 'x', { mode: 0o4751, uid: 33, gid: 44 }),
    directory('secret', { mode: 0, uid: 7 }),
    file('secret/f', 'y', { mode: 0 }),
  ],
  'content in several pieces, and none': [file('large', 'abc'.repeat(900_000)), file('empty')],
  'links to links, and a name that leads through one': [
    directory('usr/bin'),
    symlink('bin', 'usr/bin'),
    file('bin/tool', 'tool'),
    hardlink('bin/other', 'usr/bin/tool'),
    symlink('a', '/etc/../b', { uid: 9 }),
    hardlink('b', 'a'),
  ],
  'times to the nanosecond, before 1970 and after 2038': [
    tarEntry({ name: 'ns' }, 'x', { mtime: '5.000000006' }),
    tarEntry({ name: 'old' }, 'x', { mtime: '-7.25' }),
    tarEntry({ name: 'new' }, 'x', { mtime: '4300000000' }),
  ],
  'a pipe, names that are no UTF-8, parents that no entry describes': [
    tarEntry({ name: 'pipe', type: '6', mode: 0o622 }),
    file('p/q/\xff\xfe', 'x'),
  ],
  'a directory twice': [directory('d', { mode: 0o700 }), file('d/f'), directory('d', { mode: 0o755 })],
  'hundreds of links': [directory('many'), ...many],
};

test.each(Object.entries(PLAIN))('%s: the same as by the worker, without one', async (_, entries) => {
  const archive = gzipSync(tarArchive(...entries));
  const [worker, once] = [
    await unpackInside(parent(), [archive]),
    await unpackInside(parent(), [archive], { atOnce: true }),
  ];
  expect([worker.workers, once.workers]).toEqual([1, 0]);
  expect(once.result).toEqual(worker.result);
  const [expected, found] = [worker.directories[0] ?? '', once.directories[0] ?? ''];
  expect(differences(await manifestInside(expected), await manifestInside(found))).toEqual([]);
});

const OTHERS: Record<string, Buffer[]> = {
  'an extended attribute': [
    tarEntry({ name: 'ping' }, 'x', { 'SCHILY.xattr.security.capability': CAPABILITY }),
  ],
  'a name twice': [file('f', 'first'), file('f', 'second')],
  'a device': [tarEntry({ name: 'n', type: '3', major: 1 })],
  'an extended header that is long': [tarEntry({ name: 'f' }, 'x', { comment: 'c'.repeat(5000) })],
  'more entries than are read with a table whose seed is known': Array.from({ length: 4001 }, () =>
    directory('d'),
  ),
  'a file in the place of a directory': [directory('d'), file('d/f'), file('d', 'x')],
};

test.each(Object.entries(OTHERS))('%s: by the worker', async (_, entries) => {
  const archive = tarArchive(file('before', 'x'), ...entries, file('after', 'y'));
  const [worker, once] = [
    await unpackInside(parent(), [archive]),
    await unpackInside(parent(), [archive], { atOnce: true }),
  ];
  expect(once.workers).toBe(1);
  expect(once.result).toEqual(worker.result);
  const [expected, found] = [worker.directories[0] ?? '', once.directories[0] ?? ''];
  expect(differences(await manifestInside(expected), await manifestInside(found))).toEqual([]);
});

test('what the kernel refuses after files were made is undone, and the worker says which entry it was', async () => {
  const base = parent();
  const long = tarEntry({ name: 'link', type: '2' }, '', { linkpath: 't'.repeat(5000) }); // PATH_MAX is 4096
  const archive = tarArchive(file('first'), directory('d', { uid: 3, mode: 0 }), long);
  const unpacking = unpackInside(base, [archive], { atOnce: true });
  await expect(unpacking).rejects.toMatchObject({
    code: 'ERR_TSRUN_LAYER_ENTRY',
    data: { reason: expect.stringContaining('ENAMETOOLONG') },
  });
});

test('nothing is made before the archive is complete, nor after abort()', async () => {
  const diffDirectory = parent();
  const starts: unknown[] = [];
  const unpacker = createUnpacker({
    start: (...words) => {
      starts.push(words);
      throw new Error('no worker was needed');
    },
    workerCommand: [],
    singleUid: false,
    rootless: newRootless(),
  });
  const blob = growingFile(tarArchive(file('f')));
  unpacker.expect([{ size: 1 << 20 }]);
  const unpacking = unpacker.open({ diffDirectory, lowers: [], blob: blob.file });
  await new Promise(setImmediate);
  expect(listTree(diffDirectory)).toEqual([]);
  await unpacking.abort();
  blob.file.end();
  await expect(unpacking.finish()).rejects.toThrow('stopped');
  expect(listTree(diffDirectory)).toEqual([]);
  expect(starts).toEqual([]);
  await unpacker.close();
});
