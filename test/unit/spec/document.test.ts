import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { TsrunError } from '../../../src/errors.ts';
import { parseDocument, parseImageConfig } from '../../../src/spec/document.ts';
import {
  DOCKER_INDEX,
  DOCKER_MANIFEST,
  layerCompression,
  OCI_INDEX,
  OCI_MANIFEST,
  sniffCompression,
} from '../../../src/spec/media-types.ts';

const DIGEST = `sha256:${'0'.repeat(64)}`;
const descriptor = { mediaType: 'x', digest: DIGEST, size: 1 };
const manifest = { schemaVersion: 2, config: descriptor, layers: [descriptor] };
const index = { schemaVersion: 2, manifests: [descriptor] };
const parse = (value: unknown, type?: string) => parseDocument(JSON.stringify(value), type, 'the document');

describe('parseDocument: what it is', () => {
  test.each([OCI_MANIFEST, DOCKER_MANIFEST, undefined, 'application/json', 'text/plain; charset=utf-8'])(
    'a manifest as %s',
    (type) => {
      expect(parse(manifest, type).kind).toBe('manifest');
    },
  );
  test.each([OCI_INDEX, DOCKER_INDEX, undefined, `${OCI_INDEX}; charset=utf-8`])('an index as %s', (type) => {
    expect(parse(index, type).kind).toBe('index');
  });
  test('its own word counts when the transport has none', () => {
    expect(parse({ ...manifest, mediaType: OCI_MANIFEST }, 'application/json').kind).toBe('manifest');
    expect(() => parse({ ...manifest, mediaType: OCI_INDEX }, 'application/json')).toThrow(
      /no list of manifests/,
    );
  });
});

test('null is how Go writes what is not there', () => {
  const given = { ...descriptor, urls: null, annotations: null, platform: null };
  const read = parse({ ...manifest, mediaType: null, config: given, layers: null });
  expect(read).toEqual({ kind: 'manifest', manifest: { ...manifest, layers: [] } });
  expect(parse({ ...index, manifests: null }, OCI_INDEX)).toEqual({
    kind: 'index',
    index: { ...index, manifests: [] },
  });
  expect(() => parse({ ...manifest, annotations: { a: 5 } })).toThrow(/its annotations are not strings/);
});

describe('parseDocument: confusion (CVE-2021-41190)', () => {
  test.each([
    [
      'header against body',
      { ...manifest, mediaType: DOCKER_MANIFEST },
      OCI_MANIFEST,
      /was served as .* but calls itself/,
    ],
    ['index against manifest', { ...index, mediaType: OCI_INDEX }, OCI_MANIFEST, /was served as/],
    ['both kinds of fields', { ...manifest, ...index }, undefined, /fields of an index and of a manifest/],
    [
      'both, as a manifest',
      { ...manifest, ...index, mediaType: OCI_MANIFEST },
      OCI_MANIFEST,
      /fields of an index and of a manifest/,
    ],
    [
      'an index with a config',
      { ...index, config: descriptor },
      OCI_INDEX,
      /fields of an index and of a manifest/,
    ],
    ['an index with fsLayers', { ...index, fsLayers: [] }, OCI_INDEX, /fields of an index and of a manifest/],
    ['a manifest as an index', manifest, OCI_INDEX, /no list of manifests/],
    ['an index as a manifest', index, OCI_MANIFEST, /config of the document/],
  ])('%s', (_, value, type, problem) => expect(() => parse(value, type)).toThrow(problem));
});

test.each([
  ['schema 1', { schemaVersion: 1, fsLayers: [] }, undefined, /schema 1/],
  ['schema 1 by its type', manifest, 'application/vnd.docker.distribution.manifest.v1+prettyjws', /schema 1/],
  ['another version', { ...manifest, schemaVersion: 3 }, undefined, /schemaVersion is 3/],
  ['another type', { ...manifest, mediaType: 'text/html' }, undefined, /media type "text\/html"/],
  ['neither', { schemaVersion: 2 }, undefined, /neither an index nor a manifest/],
  ['a list', [], undefined, /not a JSON object/],
  [
    'a layer without a digest',
    { ...manifest, layers: [{ mediaType: 'x', size: 1 }] },
    undefined,
    /layer 1 of the document/,
  ],
  [
    'a digest that is a path',
    { ...manifest, config: { ...descriptor, digest: 'sha256:../../x' } },
    undefined,
    /not a sha256 or sha512 digest/,
  ],
  ['a negative size', { ...manifest, config: { ...descriptor, size: -1 } }, undefined, /size is -1/],
  ['a size with a fraction', { ...manifest, config: { ...descriptor, size: 1.5 } }, undefined, /size is 1.5/],
])('refused: %s', (_, value, type, problem) => expect(() => parse(value, type)).toThrow(problem));

test('any JSON is read, or refused by an error of ours', () => {
  const json = fc.oneof(
    fc.jsonValue(),
    fc.record({ schemaVersion: fc.constant(2), manifests: fc.jsonValue(), mediaType: fc.jsonValue() }),
  );
  fc.assert(
    fc.property(json, (value) => {
      for (const read of [() => parse(value), () => parseImageConfig(JSON.stringify(value), 'the config')]) {
        try {
          read();
        } catch (error) {
          expect(error).toBeInstanceOf(TsrunError);
        }
      }
    }),
  );
});

describe('parseImageConfig', () => {
  const config = { os: 'linux', architecture: 'amd64', rootfs: { type: 'layers', diff_ids: [DIGEST] } };
  const read = (value: unknown) => parseImageConfig(JSON.stringify(value), 'the config');

  test('null is absent', () => {
    expect(read({ ...config, history: null, config: { Env: null, Cmd: ['a'] } })).toEqual({
      ...config,
      config: { Cmd: ['a'] },
    });
    expect(read({ ...config, config: null })).toEqual(config);
    expect(read({ ...config, history: [null, { comment: null }] })).toEqual({ ...config, history: [{}, {}] });
  });
  test('an image without layers, as Go writes it', () => {
    const none = { ...config, rootfs: { type: 'layers', diff_ids: [] } };
    expect(read({ ...config, rootfs: { type: 'layers', diff_ids: null } })).toEqual(none);
    expect(read({ ...config, rootfs: { type: 'layers' } })).toEqual(none);
  });
  test.each([
    [{ ...config, os: 1 }, /os and architecture/],
    [{ ...config, rootfs: { type: 'layers', diff_ids: ['x'] } }, /diff_id "x"/],
    [{ ...config, rootfs: undefined }, /no rootfs/],
    [{ ...config, config: { Env: 'A=b' } }, /config.Env is not a list of strings/],
    [{ ...config, config: { Cmd: [1] } }, /config.Cmd/],
    [{ ...config, config: { User: 0 } }, /config.User/],
    [{ ...config, config: { Volumes: [] } }, /config.Volumes/],
    [{ ...config, history: [7] }, /history\[0\] is not an object/],
    [{ ...config, history: [{}, { created_by: 5 }] }, /history\[1\]\.created_by is not a string/],
    [{ ...config, history: [{ created: 'yesterday' }] }, /history\[0\]\.created is not a time/],
    [{ ...config, created: 5 }, /created is not a time/],
    [{ ...config, architecture: 'amd64\x1b[2J' }, /architecture is not the name of a platform/],
    [{ ...config, config: { Env: ['A=b\0c'] } }, /config.Env is not a list of strings without NUL/],
    [{ ...config, config: { WorkingDir: '/a\0b' } }, /config.WorkingDir is not a string without NUL/],
    [{ ...config, config: { Volumes: { '/a\0b': {} } } }, /config.Volumes is not an object whose names/],
    [{ ...config, config: { Labels: { a: { b: 1 } } } }, /config.Labels is not an object of strings/],
    [{ ...config, config: { Healthcheck: { Test: 'true' } } }, /config.Healthcheck.Test is not a list/],
    [
      { ...config, config: { Healthcheck: { Interval: 1e30 } } },
      /config.Healthcheck.Interval is not a number/,
    ],
    [
      { ...config, config: { Healthcheck: { Retries: -5 } } },
      /config.Healthcheck.Retries is not a number from 0/,
    ],
  ])('%j', (value, problem) => expect(() => read(value)).toThrow(problem));
});

test('layers', () => {
  expect(layerCompression('application/vnd.oci.image.layer.v1.tar+zstd')).toBe('zstd');
  expect(layerCompression('application/vnd.docker.image.rootfs.diff.tar.gzip')).toBe('gzip');
  expect(layerCompression('constructor')).toBeUndefined();
  expect(sniffCompression(Uint8Array.of(0x1f, 0x8b, 8))).toBe('gzip');
  expect(sniffCompression(Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd))).toBe('zstd');
  expect(sniffCompression(new Uint8Array())).toBe('none');
});
