/** Archives of images made to mislead, to escape or to wedge: each is refused, naming what is wrong, and leaves the store as it was. */
import { execFileSync } from 'node:child_process';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { loadImage, packagedImages } from '../../src/image/archive/load-images.ts';
import { openArchive } from '../../src/image/archive/open-archive.ts';
import { hostPlatform } from '../../src/spec/platform.ts';
import { ImageStore } from '../../src/store/images.ts';
import { DEFAULT_STORE_HOOKS } from '../../src/store/layers.ts';
import { layersDirectory, type StorePaths, temporaryDirectory } from '../../src/store/paths.ts';
import { hashingUnpacker } from '../support/hashing-unpacker.ts';
import { type ImageFixture, imageOf, randomImage, tarOf } from '../support/image-fixture.ts';
import {
  directory,
  file,
  hardlink,
  paxHeader,
  symlink,
  tarArchive,
  tarEntry,
} from '../support/tar-builder.ts';
import { temporaryDirectoryForTest, temporaryStore } from '../support/temporary-store.ts';

const image = await randomImage([3000, 2000], { compression: 'none' });
const hex = (digest: string): string => digest.slice('sha256:'.length);
const configDigest = image.manifest.config.digest;
const configBytes = image.blobs.get(configDigest) ?? Buffer.alloc(0);
const configName = `${hex(configDigest)}.json`;
const [lower, upper] = image.layers as [ImageFixture['layers'][0], ImageFixture['layers'][0]];

/** What an honest docker-archive of the image has; `more` replaces or adds, undefined leaves out. */
function dockerArchive(more: Record<string, Buffer | undefined> = {}, manifest: object = {}): Buffer {
  const described = {
    Config: configName,
    RepoTags: ['localhost/a:1'],
    Layers: ['0/layer.tar', '1.tar'],
    ...manifest,
  };
  const parts: Record<string, Buffer | undefined> = {
    config: file(configName, configBytes),
    lower: file('0/layer.tar', lower.tar),
    upper: file('1.tar', upper.tar),
    manifest: file('manifest.json', JSON.stringify([described])),
    ...more,
  };
  return tarArchive(...Object.values(parts).filter((part) => part !== undefined));
}

const entry = (of: ImageFixture, annotations = {}): object => ({
  mediaType: of.manifestType,
  digest: of.manifestDigest,
  size: of.manifestBytes.length,
  annotations,
});

function layoutArchive(
  more: Record<string, Buffer | undefined> = {},
  entries: object[] = [entry(image)],
): Buffer {
  const blobs = [...image.blobs, [image.manifestDigest, image.manifestBytes] as const];
  const parts: Record<string, Buffer | undefined> = {
    layout: file('oci-layout', '{"imageLayoutVersion":"1.0.0"}'),
    index: file('index.json', JSON.stringify({ schemaVersion: 2, manifests: entries })),
    ...Object.fromEntries(
      blobs.map(([digest, bytes]) => [digest, file(`blobs/sha256/${hex(digest)}`, bytes)]),
    ),
    ...more,
  };
  return tarArchive(...Object.values(parts).filter((part) => part !== undefined));
}

async function load(paths: StorePaths, archive: Buffer) {
  const path = join(temporaryDirectoryForTest(), 'image.tar');
  writeFileSync(path, archive);
  using files = await openArchive(paths, path);
  const into = {
    paths,
    unpacker: hashingUnpacker(),
    hooks: DEFAULT_STORE_HOOKS,
    identity: { transport: 'docker-archive' } as const,
    emit: () => undefined,
  };
  const loaded = [];
  for (const packaged of await packagedImages(files, hostPlatform(process.arch)))
    loaded.push(await loadImage(into, packaged));
  return loaded;
}

test.each([
  ['docker', dockerArchive()],
  ['layout', layoutArchive()],
  [
    'with links, as docker saves a layer that is there twice',
    dockerArchive({ lower: file('x', lower.tar), link: symlink('0/layer.tar', '../x') }),
  ],
  ['with directories, twice', dockerArchive({ a: directory('0'), b: directory('0/') })],
  ['with ./ before its names', dockerArchive({ lower: file('./0/layer.tar', lower.tar) })],
  [
    'with a hard link',
    dockerArchive({ lower: file('0/x', lower.tar), link: hardlink('0/layer.tar', '0/x') }),
  ],
])('an honest archive is read: %s', async (_name, archive) => {
  const paths = temporaryStore();
  const [loaded, ...more] = await load(paths, archive);
  expect(more).toEqual([]);
  expect(loaded?.record.imageId).toBe(configDigest);
  expect(new ImageStore(paths).missingParts(loaded?.record ?? expect.fail())).toEqual([]);
});

test('an index that names one image twice', async () => {
  const named = entry(image, { 'org.opencontainers.image.ref.name': 'localhost/a:1' });
  const loaded = await load(temporaryStore(), layoutArchive({}, [named, named]));
  expect(loaded.map(({ record }) => record.reference)).toEqual(['localhost/a:1']);
});

const other = imageOf([await tarOf({ other: 'x' })], { compression: 'none' });

const CORPUS: [name: string, archive: Buffer, problem: RegExp][] = [
  [
    'a name that climbs',
    dockerArchive({ bad: file('../../etc/cron.d/x', 'x') }),
    /its entry "\.\.\/\.\.\/etc\/cron\.d\/x" leads out of it/,
  ],
  [
    'an absolute name',
    dockerArchive({ bad: file('/etc/passwd', 'x') }),
    /its entry "\/etc\/passwd" leads out of it/,
  ],
  [
    'a long name that climbs',
    dockerArchive({ pax: paxHeader({ path: 'a/../../b' }), bad: file('c', 'x') }),
    /its entry "a\/\.\.\/\.\.\/b" leads out of it/,
  ],
  [
    'a link to the host',
    dockerArchive({ lower: symlink('0/layer.tar', '/etc/shadow') }),
    /the link "0\/layer\.tar" in it leads out of it/,
  ],
  [
    'a link that climbs',
    dockerArchive({ lower: symlink('0/layer.tar', '../../secret') }),
    /the link "0\/layer\.tar" in it leads out of it/,
  ],
  [
    'a hard link to the host',
    dockerArchive({ lower: hardlink('0/layer.tar', '../shadow') }),
    /the link "0\/layer\.tar" in it leads out of it/,
  ],
  [
    'links in a circle',
    dockerArchive({ lower: symlink('0/layer.tar', 'b'), b: symlink('0/b', 'layer.tar') }),
    /leads to nothing but links/,
  ],
  [
    'a link to nothing',
    dockerArchive({ lower: symlink('0/layer.tar', 'b') }),
    /layer 0\/layer\.tar is missing/,
  ],
  [
    'two files of one name',
    dockerArchive({ again: file('manifest.json', '[]') }),
    /it has two entries "manifest\.json"/,
  ],
  [
    'two files of one name, spelt differently',
    dockerArchive({ again: file('.//manifest.json', '[]') }),
    /it has two entries "manifest\.json"/,
  ],
  [
    'a device',
    dockerArchive({ bad: tarEntry({ name: 'sda', type: '4' }) }),
    /its entry "sda" is neither file, link nor directory/,
  ],
  ['a pipe', dockerArchive({ bad: tarEntry({ name: 'fifo', type: '6' }) }), /its entry "fifo" is neither/],
  ['a layer that is not there', dockerArchive({ upper: undefined }), /layer 1\.tar is missing/],
  [
    'a configuration that is not there',
    dockerArchive({ config: undefined }),
    new RegExp(`${configName} is missing`),
  ],
  [
    'a configuration outside',
    dockerArchive({}, { Config: '../../../etc/passwd' }),
    /"\.\.\/\.\.\/\.\.\/etc\/passwd" leads out of it/,
  ],
  [
    'a layer outside',
    dockerArchive({}, { Layers: ['/etc/passwd', '1.tar'] }),
    /"\/etc\/passwd" leads out of it/,
  ],
  [
    'fewer layers than the configuration',
    dockerArchive({}, { Layers: ['1.tar'] }),
    /has 1 layers for \w+\.json, which has 2/,
  ],
  [
    'layers in another order',
    dockerArchive({}, { Layers: ['1.tar', '0/layer.tar'] }),
    /has the wrong (?:digest|size)/,
  ],
  ['another layer', dockerArchive({ upper: file('1.tar', lower.tar) }), /has the wrong (?:digest|size)/],
  ['a name that is none', dockerArchive({}, { RepoTags: ['Not A Name'] }), /is not an image name/],
  [
    'tags that are no strings',
    dockerArchive({}, { RepoTags: [7] }),
    /manifest\.json of archive .* is not valid/,
  ],
  [
    'a manifest that is no list',
    dockerArchive({ manifest: file('manifest.json', '"x"') }),
    /it is not a list of images/,
  ],
  ['a manifest that is no JSON', dockerArchive({ manifest: file('manifest.json', '[{') }), /it is not JSON/],
  ['no image', dockerArchive({ manifest: file('manifest.json', '[]') }), /it holds no image/],
  ['nothing', tarArchive(), /it has neither index\.json nor manifest\.json/],
  ['no archive', Buffer.from('this is not a tar archive'.repeat(100)), /at byte 0: the checksum/],
  ['a shred', Buffer.from('short'), /it is cut short/],
  [
    'an archive of docker before 1.10',
    tarArchive(file('repositories', '{"a":{"latest":"00"}}'), file('00/layer.tar', lower.tar)),
    /docker before 1\.10/,
  ],
  ['a cut layer', dockerArchive().subarray(0, 2500), /it is cut short in "0\/layer\.tar"/],
  [
    'a size beyond the end',
    dockerArchive({ pax: paxHeader({ size: '99999999999' }), bad: file('big', 'x') }),
    /it is cut short in "big"/,
  ],
  [
    'a negative size',
    dockerArchive({ pax: paxHeader({ size: '-5' }), bad: file('big', 'x') }),
    /extended header has the size "-5"/,
  ],
  [
    'an endless document',
    dockerArchive({ manifest: file('manifest.json', Buffer.alloc(9 << 20, ' ')) }),
    /manifest\.json has 9437184 bytes, more than 8 MiB/,
  ],
  ['damaged xz', Buffer.from('fd377a585a00', 'hex'), /xz data is damaged: xz: .*Unexpected end of input/],
  ['damaged bzip2', Buffer.from('425a683931415926', 'hex'), /bzip2 data is damaged: /],
  [
    'an xz bomb',
    execFileSync('sh', ['-c', 'head -c 200M /dev/zero | xz -0'], { maxBuffer: 1 << 20 }),
    /more than 200 bytes per compressed byte/,
  ],
  ['damaged gzip', Buffer.from('1f8b0800000000000003ffff', 'hex'), /gzip data is damaged/],
  [
    'a blob of other content',
    layoutArchive({
      [upper.descriptor.digest]: file(
        `blobs/sha256/${hex(upper.descriptor.digest)}`,
        Buffer.alloc(upper.blob.length),
      ),
    }),
    /has the wrong digest/,
  ],
  [
    'a manifest of other content',
    layoutArchive({
      [image.manifestDigest]: file(`blobs/sha256/${hex(image.manifestDigest)}`, other.manifestBytes),
    }),
    /has the wrong digest/,
  ],
  [
    'a blob that is not there',
    layoutArchive({ [lower.descriptor.digest]: undefined }),
    /blob sha256:\w+ is missing/,
  ],
  ['a manifest that is not there', layoutArchive({}, [entry(other)]), /blob sha256:\w+ is missing/],
  [
    'an index that calls itself a manifest',
    layoutArchive({}, [{ ...entry(image), mediaType: 'application/vnd.oci.image.index.v1+json' }]),
    /index.* but calls itself|is not valid/,
  ],
  [
    'a digest that climbs',
    layoutArchive({}, [{ ...entry(image), digest: 'sha256:../../../../etc/passwd' }]),
    /is not a sha256 or sha512 digest/,
  ],
];

describe('refused, with nothing left behind:', () => {
  test.each(CORPUS)('%s', async (_name, archive, problem) => {
    const paths = temporaryStore();
    await expect(load(paths, archive)).rejects.toThrow(problem);
    expect(new ImageStore(paths).list()).toEqual([]);
    const left = (path: string): string[] => {
      try {
        return readdirSync(path);
      } catch {
        return [];
      }
    };
    expect(left(temporaryDirectory(paths))).toEqual([]);
    expect(left(layersDirectory(paths)).length).toBeLessThan(2);
  });

  test('an archive cut anywhere', async () => {
    const whole = dockerArchive();
    const paths = temporaryStore();
    for (let length = 0; length < whole.length - 1024; length += 509) {
      await expect(load(paths, whole.subarray(0, length)), `cut after ${length} bytes`).rejects.toThrow();
      expect(new ImageStore(paths).list()).toEqual([]);
    }
  });
});
