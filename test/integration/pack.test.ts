/**
 * What the packer writes, unpacked again, is what was packed: a merged tree, and a layer with its whiteouts. Compared file by file:
 * type, mode, owner, time to the nanosecond, attributes, links, content.
 */
import { once } from 'node:events';
import * as fs from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { PackJob, PackResult } from '../../src/image/pack/pack-job.ts';
import { packToStream } from '../../src/image/pack/start-pack.ts';
import { startByRootless } from '../../src/image/unpack/unpack-process.ts';
import { privateView } from '../../src/rootfs/view.ts';
import { newRootless } from '../../src/rootless/enter.ts';
import { differences, lines, MANIFEST, manifestInside } from '../support/compare-manifests.ts';
import type { ManifestLine } from '../support/manifest.ts';
import { changeLayer, specialLayer } from '../support/rare-layers.ts';
import { readTar } from '../support/read-tar.ts';
import {
  removeInside,
  scratchDirectory,
  shellInside,
  unpackInside,
  workerFile,
} from '../support/unpack-inside.ts';

const scratch = scratchDirectory();
const WORKER = workerFile('pack', 'pack-worker');

/** The topmost first. */
let directories: string[];

beforeAll(async () => {
  directories = (await unpackInside(scratch, [specialLayer(), changeLayer()])).directories;
});
afterAll(() => removeInside(scratch));

interface Packed {
  archive: Buffer;
  result: PackResult;
}

async function pack(
  root: string,
  more: Partial<PackJob> = {},
  merge: readonly string[] = [],
): Promise<Packed> {
  const view = { directories: merge, mountpoint: root };
  const start = startByRootless(newRootless(), (slots) =>
    merge.length === 0 ? [] : privateView(slots, 'overlay', view),
  );
  const job: PackJob = {
    root,
    path: '/',
    follow: false,
    as: '',
    changesOf: undefined,
    exclude: [],
    digest: true,
    ...more,
  };
  const stream = packToStream({ start, workerCommand: [process.execPath, WORKER] }, job);
  return { archive: await buffer(stream.archive), result: await stream.result };
}

const names = (archive: Buffer): string[] => readTar(archive).map(({ path }) => path);

/** A directory for a test. */
function place(name: string): string {
  const path = join(scratch, name);
  fs.mkdirSync(path);
  return path;
}

test('a merged tree survives', async () => {
  const { archive, result } = await pack(place('view'), {}, directories);
  expect(result).toMatchObject({ size: archive.length, changed: 0, skippedCount: 0 });
  const copy = await unpackInside(place('again'), [archive]);
  expect(copy.result.diffId).toBe(result.digest);
  const merged = place('merged');
  const before = await manifestOfOverlay(directories, merged);
  const after = await manifestInside(copy.directories[0] ?? '');
  // The root directory itself is no part of an archive without a name for it.
  const inside = ({ path }: { path: string }) => path !== '.' && path !== '';
  expect(before.length).toBeGreaterThan(50);
  expect(differences(before.filter(inside), after.filter(inside))).toEqual([]);
});

async function manifestOfOverlay(layers: readonly string[], at: string) {
  const mount = `mount -t overlay overlay -o userxattr,lowerdir=${layers.join(':')} ${at}`;
  return lines(await shellInside(`${mount}; ${process.execPath} ${MANIFEST} ${at}`));
}

test('a layer survives with its whiteouts and opaque directories', async () => {
  const [top = ''] = directories;
  const { archive } = await pack(top, { changesOf: 'overlay' });
  expect(names(archive)).toEqual(
    expect.arrayContaining(['.wh.gone', 'kept/.wh.lower', 'kept/opaque/.wh..wh..opq', 'kept/opaque/shown']),
  );
  const { directories: copies } = await unpackInside(place('layer-copy'), [specialLayer(), archive]);
  // A whiteout's time is that of its making.
  const timeless = (line: ManifestLine) =>
    line.rdev === '0' && line.type === 0o020000 ? { ...line, mtime: '' } : line;
  const [before, after] = [await manifestInside(top), await manifestInside(copies[0] ?? '')];
  expect(differences(before.map(timeless), after.map(timeless))).toEqual([]);
});

test('what GNU tar extracts is the same as well', async () => {
  const { archive } = await pack(place('view-gnu'), {}, directories);
  const file = join(scratch, 'gnu.tar');
  fs.writeFileSync(file, archive);
  const target = place('gnu');
  await shellInside(`tar -xpf ${file} -C ${target} --xattrs --xattrs-include='*' --numeric-owner >&2`);
  const before = await manifestOfOverlay(directories, place('merged-gnu'));
  const inside = ({ path }: { path: string }) => path !== '.' && path !== '';
  expect(differences(before.filter(inside), (await manifestInside(target)).filter(inside))).toEqual([]);
});

test('a part of a tree gets the name that is asked for', async () => {
  const root = place('parts');
  fs.mkdirSync(join(root, 'etc/deep'), { recursive: true });
  fs.writeFileSync(join(root, 'etc/deep/file'), 'x');
  fs.symlinkSync('/etc/deep', join(root, 'link'));
  fs.symlinkSync('../../../../../../etc/deep', join(root, 'escape'));
  expect(names((await pack(root, { path: '/etc/deep', as: 'new' })).archive)).toEqual(['new/', 'new/file']);
  expect(names((await pack(root, { path: '/etc/deep/file', as: 'f' })).archive)).toEqual(['f']);
  expect(names((await pack(root, { path: '/etc/deep/.', as: '.' })).archive)).toEqual(['./', './file']);
  expect(names((await pack(root, { path: '/link', as: 'link' })).archive)).toEqual(['link']);
  expect(names((await pack(root, { path: '/link/', as: 'd' })).archive)).toEqual(['d/', 'd/file']);
  expect(names((await pack(root, { path: '/link', as: 'd', follow: true })).archive)).toEqual([
    'd/',
    'd/file',
  ]);
  expect(names((await pack(root, { path: '/escape/file', as: 'f' })).archive)).toEqual(['f']);
  expect(names((await pack(root, { exclude: ['etc/deep', 'link'] })).archive)).toEqual(['escape', 'etc/']);
  await expect(pack(root, { path: '/nothing', as: 'x' })).rejects.toMatchObject({ code: 'ERR_TSRUN_PACK' });
});

test('what an archive cannot hold is named', async () => {
  const root = place('odd');
  const server = createServer().listen(join(root, 'socket'));
  await once(server, 'listening');
  fs.writeFileSync(join(root, '.wh.innocent'), 'x');
  const { result, archive } = await pack(root, { changesOf: 'overlay' });
  server.close();
  expect(names(archive)).toEqual([]);
  expect(result).toMatchObject({ skipped: ['.wh.innocent', 'socket'], skippedCount: 2 });
});
