/** The worker in the rootless namespaces: what it makes that only the kernel can say, and how it ends. */
import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { afterAll, describe, expect, onTestFinished, test } from 'vitest';
import { DEFAULT_LIMITS } from '../../../src/image/unpack/limits.ts';
import { createUnpacker } from '../../../src/image/unpack/start-unpack.ts';
import { startByRootless } from '../../../src/image/unpack/unpack-process.ts';
import { newRootless, type Rootless } from '../../../src/rootless/enter.ts';
import type { GrowingFile } from '../../../src/store/growing-file.ts';
import { growingFile, wholeFile } from '../../support/growing-file.ts';
import { directory, file, hardlink, symlink, tarArchive, tarEntry } from '../../support/tar-builder.ts';
import { listTree } from '../../support/tree-listing.ts';
import {
  directoriesIn,
  removeInside,
  scratchDirectory,
  shellInside,
  unpackInside,
  WORKER,
} from '../../support/unpack-inside.ts';

const scratch = scratchDirectory();
const parent = directoriesIn(scratch);
afterAll(() => removeInside(scratch));

const CAPABILITY = Buffer.from('0100000200200000000000000000000000000000', 'hex');

describe('the answer', () => {
  const archive = tarArchive(
    directory('d'),
    file('d/f', 'x'.repeat(100_000)),
    tarEntry({ name: 'n', type: '3', major: 1 }),
  );
  const padded = Buffer.concat([archive, Buffer.alloc(5000), Buffer.from('trailing')]);
  const half = Math.floor(padded.length / 2);
  const halves = [padded.subarray(0, half), padded.subarray(half)];
  const expected = {
    diffId: `sha256:${createHash('sha256').update(padded).digest('hex')}`,
    size: padded.length,
    entries: 3,
    skippedDevices: 1,
    squashedOwners: 0,
  };
  test.each([
    ['none', padded],
    ['gzip', gzipSync(padded)],
    ['gzip', Buffer.concat(halves.map((part) => gzipSync(part)))],
    ['zstd', zstdCompressSync(padded)],
    ['zstd', Buffer.concat(halves.map((part) => zstdCompressSync(part)))],
  ] as const)('%s: DiffID and size are of the whole stream, counts of the entries', async (_, bytes) => {
    const { result, directories } = await unpackInside(parent(), [bytes]);
    expect(result).toMatchObject(expected);
    expect(listTree(directories[0]!)).toEqual(['d dir 755', 'd/f file 644 100000 bytes']);
  });
  test('an empty archive is an empty layer', async () => {
    const { result, directories } = await unpackInside(parent(), [tarArchive()]);
    expect(result).toMatchObject({ size: 1024, entries: 0 });
    expect(listTree(directories[0]!)).toEqual([]);
  });
});

describe('attributes that the kernel keeps', () => {
  test('owners are those of the container, seen from outside as subordinate ids', async () => {
    const { directories } = await unpackInside(parent(), [
      tarArchive(file('f', '', { uid: 33, gid: 44 }), file('root')),
    ]);
    const { maps } = newRootless();
    const outside = (id: number, map: typeof maps.uids) => {
      const range = map.find((r) => id >= r.containerID && id < r.containerID + r.size)!;
      return range.hostID + id - range.containerID;
    };
    const stats = fs.statSync(join(directories[0]!, 'f'));
    expect([stats.uid, stats.gid]).toEqual([outside(33, maps.uids), outside(44, maps.gids)]);
    expect(fs.statSync(join(directories[0]!, 'root')).uid).toBe(process.getuid?.());
  });
  test('nothing is inherited from a setgid directory, of the archive or of the store', async () => {
    const base = parent();
    fs.chmodSync(base, 0o2755);
    const layer = tarArchive(
      directory('d', { mode: 0o2775, gid: 8 }),
      file('d/f'),
      directory('d/e'),
      symlink('d/l', 'x'),
    );
    const { directories } = await unpackInside(base, [layer]);
    const seen = await shellInside(`cd ${directories[0]}; stat -c '%n %u:%g %a' . d d/f d/e d/l`);
    expect(seen.trim().split('\n')).toEqual([
      '. 0:0 755',
      'd 0:8 2775',
      'd/f 0:0 644',
      'd/e 0:0 755',
      'd/l 0:0 777',
    ]);
  });
  test('a link to a file below brings up its attributes, capabilities too, to the nanosecond', async () => {
    const pax = {
      'SCHILY.xattr.security.capability': CAPABILITY,
      'SCHILY.xattr.user.big': 'v'.repeat(2000),
      mtime: '5.000000006',
    };
    const below = tarArchive(
      directory('deep', { mode: 0o751, uid: 3 }),
      tarEntry({ name: 'deep/ping', mode: 0o4750, uid: 9 }, 'binary', pax),
      tarEntry({ name: 'pipe', type: '6', mode: 0o622 }),
      symlink('link', 'a target', { uid: 4 }),
    );
    const above = tarArchive(hardlink('p', 'deep/ping'), hardlink('q', 'pipe'), hardlink('l', 'link'));
    const { directories } = await unpackInside(parent(), [below, above]);
    const look = (directory: string | undefined) =>
      shellInside(
        `cd ${directory}; stat -c '%F %u:%g %a %Y.%y %N' deep deep/ping pipe link; getfattr -d -m - -e hex deep/ping; cat deep/ping`,
      );
    expect(await look(directories[0])).toBe(await look(directories[1]));
    const same = await shellInside(`cd ${directories[0]}; stat -c %i deep/ping p pipe q link l`);
    const inodes = same.trim().split('\n');
    expect([inodes[0] === inodes[1], inodes[2] === inodes[3], inodes[4] === inodes[5]]).toEqual([
      true,
      true,
      true,
    ]);
  });
  test('whiteouts are devices 0:0, opaque directories are marked for `userxattr`', async () => {
    const below = tarArchive(directory('d'), file('d/a'), file('f'));
    const above = tarArchive(file('.wh.f', ''), file('d/.wh..wh..opq', ''), file('d/b', ''));
    const { directories } = await unpackInside(parent(), [below, above]);
    expect(listTree(directories[0]!)).toEqual(['d dir 755', 'd/b file 644 =', 'f char 600 0:0']);
    expect(await shellInside(`getfattr -d -m user.overlay --absolute-names ${directories[0]}/d`)).toContain(
      'user.overlay.opaque="y"',
    );
  });
  test('single uid: owners are recorded', async () => {
    const one = (id: number) => [{ containerID: 0, hostID: id, size: 1 }];
    const maps = { uids: one(process.getuid?.() ?? 0), gids: one(process.getgid?.() ?? 0), single: true };
    const rootless: Rootless = { maps, holder: undefined };
    const layer = tarArchive(
      file('f', '', { uid: 33, gid: 8, mode: 0o4755 }),
      symlink('l', 'x', { uid: 5 }),
      file('g'),
    );
    const { result, directories } = await unpackInside(parent(), [layer], { rootless });
    expect(result.squashedOwners).toBe(2);
    expect(fs.statSync(join(directories[0]!, 'f'))).toMatchObject({
      uid: process.getuid?.(),
      mode: 0o104755,
    });
    const xattrs = await shellInside(`getfattr -d -m user.containers --absolute-names ${directories[0]}/f`);
    expect(xattrs).toContain('user.containers.override_stat="33:8:04755"');
  });
});

describe('endings', () => {
  const unpackerOf = (workerCommand = [process.execPath, WORKER]) => {
    const unpacker = createUnpacker({
      start: startByRootless(newRootless()),
      workerCommand,
      singleUid: false,
      limits: () => DEFAULT_LIMITS,
    });
    onTestFinished(() => unpacker.close());
    return unpacker;
  };
  const open = (diffDirectory: string, blob: GrowingFile, workerCommand?: string[]) =>
    unpackerOf(workerCommand).open({ diffDirectory, lowers: [], blob });
  const children = (): string => fs.readFileSync(`/proc/self/task/${process.pid}/children`, 'latin1');

  test('abort() in the middle leaves no process, and what was unpacked', async () => {
    const before = children();
    const diff = parent();
    const second = file('second', 'x'.repeat(2 << 20)).subarray(0, 1 << 20);
    const blob = growingFile(Buffer.concat([file('first'), second]));
    const unpacking = open(diff, blob.file);
    while (!fs.existsSync(join(diff, 'first'))) await new Promise((resolve) => setTimeout(resolve, 20));
    await unpacking.abort();
    expect(children()).toBe(before);
    expect(fs.existsSync(join(diff, 'first'))).toBe(true);
  });
  test('the error of the worker arrives while bytes are still being written', async () => {
    const blob = growingFile(file('../f'));
    const unpacking = open(parent(), blob.file);
    const writing = setInterval(() => blob.append(Buffer.alloc(65_536)), 1);
    await expect(unpacking.finish()).rejects.toMatchObject({
      code: 'ERR_TSRUN_LAYER_ENTRY',
      data: { entry: '../f' },
    });
    clearInterval(writing);
  });
  test('input that stops short of its end is an error', async () => {
    const unpacking = open(parent(), wholeFile(file('f', 'x'.repeat(5000)).subarray(0, 3000)));
    await expect(unpacking.finish()).rejects.toMatchObject({ code: 'ERR_TSRUN_LAYER_ARCHIVE' });
  });
  test('a download that is given up is what finish() says, though the worker waits for bytes', async () => {
    const before = children();
    const { file: blob } = growingFile(file('f'));
    const unpacking = open(parent(), blob);
    blob.fail(new Error('the registry is gone'));
    await expect(unpacking.finish()).rejects.toThrow('the registry is gone');
    await unpacking.abort();
    expect(children()).toBe(before);
  });
  test('a blob that gets its final name before the worker looks, and what follows the end of its archive', async () => {
    const unpacker = unpackerOf();
    for (const round of [1, 2]) {
      const archive = Buffer.concat([tarArchive(file(`f${round}`)), Buffer.alloc(3 << 20)]);
      const blob = growingFile(archive);
      const [path = '', final = ''] = blob.file.paths;
      fs.renameSync(path, final);
      blob.file.end();
      const diffDirectory = parent();
      const seen: number[] = [];
      const onProgress = (bytes: number): void => void seen.push(bytes);
      const unpacking = unpacker.open({ diffDirectory, lowers: [], blob: blob.file, onProgress });
      await expect(unpacking.finish()).resolves.toMatchObject({ entries: 1, size: archive.length });
      expect(fs.existsSync(join(diffDirectory, `f${round}`))).toBe(true);
      expect(seen.length).toBeGreaterThan(1);
      expect(seen).toEqual([...seen].sort((a, b) => a - b));
    }
  });
  test('with sync, which is the default', async () => {
    const unpacking = open(parent(), wholeFile(tarArchive(file('f'))));
    await expect(unpacking.finish()).resolves.toMatchObject({ entries: 1 });
  });
  test('the next layer is confined to its own directory, though one worker does both', async () => {
    const [unpacker, first, second] = [unpackerOf(), parent(), parent()];
    const before = children();
    for (const [diffDirectory, entries] of [
      [first, [file('f', 'first')]],
      // absolute for whoever resolves it: it must lead into the second layer, as if nothing else were there
      [second, [symlink('out', first), file('out/f', 'second'), file('f', 'own')]],
    ] as const) {
      const blob = wholeFile(tarArchive(...entries));
      await unpacker.open({ diffDirectory, lowers: [], blob }).finish();
    }
    expect(children()).not.toBe(before);
    await unpacker.close();
    expect(children()).toBe(before);
    expect(await shellInside(`cat ${first}/f ${second}/f ${second}${first}/f`)).toBe('firstownsecond');
  });
  test('a directory that is not there is named by the system', async () => {
    const unpacking = open(join(scratch, 'missing'), wholeFile(tarArchive()));
    await expect(unpacking.finish()).rejects.toThrow(/chroot: No such file or directory/);
  });
  test("a worker that cannot start says why in Node's words", async () => {
    const unpacking = open(parent(), wholeFile(tarArchive()), [process.execPath, '/nonexistent/worker.js']);
    await expect(unpacking.finish()).rejects.toThrow(
      /ended with status 1 without a result; it wrote: .*Cannot find module/s,
    );
  });
});
