/**
 * Whole images, file by file: what `tsrun pull` makes of them is what podman mounts and what umoci unpacks. Type, mode, owner, time,
 * extended attributes, links, content. Where podman cannot do it, its words are here, and docs/layers.md says what was chosen and why.
 */
import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ImageRecord } from '../../src/store/image-record.ts';
import { differences, lines, MANIFEST } from '../support/compare-manifests.ts';
import { pushDerived } from '../support/derived-image.ts';
import type { ManifestLine } from '../support/manifest.ts';
import { endPodmanPause } from '../support/podman-pause.ts';
import { changeLayer, specialLayer } from '../support/rare-layers.ts';
import { type Registry, startRegistry } from '../support/registry.ts';
import { directory, file, hardlink, symlink, tarArchive } from '../support/tar-builder.ts';
import { useTsrun } from '../support/tsrun.ts';

const tsrun = useTsrun();
let registry: Registry;
let scratch: string;

beforeAll(async () => {
  registry = await startRegistry();
  scratch = fs.mkdtempSync('/var/tmp/tsrun-fidelity-');
  fs.mkdirSync(runtime(), { mode: 0o700 });
});
afterAll(async () => {
  await registry[Symbol.asyncDispose]();
  podman(
    'unshare',
    'sh',
    '-c',
    'umount -l "$1/p/overlay"; find "$1" -mindepth 1 -maxdepth 1 ! -name run -exec rm -rf {} +',
    'sh',
    scratch,
  );
  endPodmanPause(runtime());
  fs.rmSync(scratch, { recursive: true, force: true });
});

/** Of podman only, so that the process which it leaves behind is known. */
const runtime = (): string => join(scratch, 'run');

const command = (program: string, ...words: string[]): string =>
  execFileSync(program, words, {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: program === 'podman' ? { ...process.env, XDG_RUNTIME_DIR: runtime() } : process.env,
  });
/** podman, on a store of its own. */
const podmanWords = (): string[] => [
  'podman',
  '--root',
  join(scratch, 'p'),
  '--runroot',
  join(scratch, 'r'),
  '--storage-driver',
  'overlay',
];
const podman = (...words: string[]): string => {
  const [program = '', ...options] = podmanWords();
  return command(program, ...options, ...words);
};

async function ours(reference: string): Promise<ManifestLine[]> {
  await tsrun.ok('pull', '-q', reference);
  const { root } = tsrun.store;
  const records = fs
    .readdirSync(join(root, 'images'))
    .map((name) => JSON.parse(fs.readFileSync(join(root, 'images', name), 'utf8')) as ImageRecord);
  const record = records.find((one) => one.reference === `${reference}:latest`);
  const layers = record!.layers.map(({ chainId }) =>
    join(root, 'layers', chainId.slice('sha256:'.length), 'diff'),
  );
  const [empty, merged] = [join(scratch, 'empty'), join(scratch, 'merged')];
  for (const path of [empty, merged]) fs.mkdirSync(path, { recursive: true });
  // An overlay without an upper layer wants two lower ones.
  const lowers = [...layers.reverse(), empty].join(':');
  const script = `mount -t overlay overlay -o userxattr,lowerdir=${lowers} ${merged} && ${process.execPath} ${MANIFEST} ${merged}`;
  return lines(await tsrun.ok('unshare', 'unshare', '-m', 'sh', '-ec', script));
}

function podmans(reference: string): ManifestLine[] {
  podman('pull', '-q', '--tls-verify=false', reference);
  const script = `m=$("$@" image mount ${reference}) && ${process.execPath} ${MANIFEST} $m && "$@" image unmount -f ${reference} >&2`;
  return lines(podman('unshare', 'sh', '-ec', script, 'sh', ...podmanWords()));
}

async function umocis(reference: string, name: string): Promise<ManifestLine[]> {
  const [layout, bundle] = [join(scratch, `${name}-layout`), join(scratch, `${name}-bundle`)];
  command(
    'skopeo',
    '--insecure-policy',
    'copy',
    '-q',
    '--src-tls-verify=false',
    `docker://${reference}`,
    `oci:${layout}:latest`,
  );
  const script = `umoci unpack --image ${layout}:latest ${bundle} >&2 && ${process.execPath} ${MANIFEST} ${bundle}/rootfs`;
  return lines(await tsrun.ok('unshare', 'sh', '-ec', script));
}

/** podman's overlay keeps its marks in user.*, and shows them in a mount of its own. */
const clean = (list: readonly ManifestLine[]): ManifestLine[] =>
  list.map((line) => ({ ...line, xattrs: line.xattrs.filter((one) => !one.startsWith('user.overlay.')) }));

const IMAGES: Readonly<Record<string, () => Promise<string>>> = {
  busybox: () => registry.push('busybox'),
  apache: () => registry.push('apache'),
  debian: () => registry.push('debian'),
  rare: () => pushDerived(registry.host, 'rare', [specialLayer(), changeLayer()]),
  whiteouts: () =>
    pushDerived(registry.host, 'whiteouts', [
      tarArchive(
        directory('d'),
        file('d/a', 'a'),
        file('d/b', 'b'),
        directory('o'),
        file('o/old', 'old'),
        file('f', 'f'),
      ),
      tarArchive(
        file('d/.wh.a'),
        directory('o'),
        file('o/.wh..wh..opq'),
        file('o/new', 'new'),
        file('.wh.f'),
      ),
      tarArchive(file('d/a', 'again'), directory('f'), file('f/inside', 'x')),
    ]),
};

/** `path: field …` */
const FIELD = /^(?<path>.*): (?<field>\w+) (?:"|only)/s;

/** Differences that are not only a time or mode of a directory. */
const beyondDirectories = (
  tree: readonly ManifestLine[],
  found: readonly string[],
  fields: string[],
): string[] => {
  const directories = new Set(
    tree.filter(({ type }) => type === fs.constants.S_IFDIR).map(({ path }) => path),
  );
  return found.filter((line) => {
    const { path = '', field = '' } = FIELD.exec(line)?.groups ?? {};
    return !(directories.has(path) && fields.includes(field));
  });
};

describe.each(Object.entries(IMAGES))('%s', (name, push) => {
  it('is what podman mounts, and what umoci unpacks', async () => {
    const reference = await push();
    const tree = clean(await ours(reference));
    expect(tree.length).toBeGreaterThan(name === 'debian' ? 8_000 : 10);
    // Directories that no layer has an entry for: umoci gives them the time of the unpacking.
    const umoci = differences(tree, clean(await umocis(reference, name)));
    expect(beyondDirectories(tree, umoci, name === 'rare' ? ['mtime'] : []), 'umoci').toEqual([]);
    // Those that a layer has no entry for, though one below has: podman makes them anew.
    if (name === 'rare') {
      expect(() => podmans(reference)).toThrow(/no such file or directory/); // its hard links lead to the layer below
      return;
    }
    const podman = differences(tree, clean(podmans(reference)));
    expect(beyondDirectories(tree, podman, ['mtime', 'mode']), 'podman').toEqual([]);
  });
});

describe('what podman cannot', () => {
  it('a hard link whose target lies in a layer below', async () => {
    const layers = [
      tarArchive(file('target', 'linked\n', { mode: 0o640, uid: 33 })),
      tarArchive(hardlink('name', 'target')),
    ];
    const reference = await pushDerived(registry.host, 'crosslink', layers);
    const tree = clean(await ours(reference));
    const [target, link] = ['target', 'name'].map((path) => tree.find((line) => line.path === path)!);
    expect({ ...link, path: '', sameAs: undefined }).toEqual({ ...target, path: '', sameAs: undefined });
    expect(
      tree.filter(({ sameAs }) => sameAs !== undefined && ['name', 'target'].includes(sameAs)),
    ).toHaveLength(1);
    expect(differences(tree, clean(await umocis(reference, 'crosslink'))), 'umoci').toEqual([]);
    expect(() => podmans(reference)).toThrow(/no such file or directory/);
  });

  it("a file whose path goes through a layer's symbolic link", async () => {
    const layers = [
      tarArchive(directory('real'), symlink('link', 'real')),
      tarArchive(file('link/file', 'through\n')),
    ];
    const reference = await pushDerived(registry.host, 'through', layers);
    const tree = clean(await ours(reference));
    expect(tree.find(({ path }) => path === 'real/file')).toBeDefined();
    expect(tree.find(({ path }) => path === 'link')?.target).toBe('real');
    expect(differences(tree, clean(await umocis(reference, 'through'))), 'umoci').toEqual([]);
    expect(podmans(reference).find(({ path }) => path === 'real/file')).toBeUndefined();
  });
});
