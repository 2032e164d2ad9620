/**
 * Images whose digests are sha512, which image-spec allows beside sha256: they were refused ("is not a sha256 digest"), while podman pulls
 * them from layouts. Manifest, configuration and layers are verified by whichever a descriptor has; what the store calls its layers is sha256.
 */
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Descriptor, Index, Manifest } from '../../src/spec/image.ts';
import { type Registry, startRegistry } from '../support/registry.ts';
import { useTsrun } from '../support/tsrun.ts';

const tsrun = useTsrun();
const BUSYBOX = join(import.meta.dirname, '..', '..', 'dist', 'images', 'busybox');
const at = (...names: string[]): string => join(tsrun.store.directory, ...names);
const blobAt = (layout: string, digest: string): string => join(layout, 'blobs', ...digest.split(':'));
const read = (digest: string): Buffer => readFileSync(blobAt(BUSYBOX, digest));
const sha512 = (bytes: Uint8Array): string => `sha512:${createHash('sha512').update(bytes).digest('hex')}`;

let registry: Registry;
let manifest: Manifest;
let manifestDigest: string;
const layout = (): string => `oci:${at('layout')}:busybox`;

/** busybox with sha512 in every descriptor. */
beforeAll(async () => {
  registry = await startRegistry();
  mkdirSync(at('layout', 'blobs', 'sha512'), { recursive: true });
  const put = (descriptor: Descriptor, bytes: Buffer): Descriptor => {
    const digest = sha512(bytes) as Descriptor['digest'];
    writeFileSync(blobAt(at('layout'), digest), bytes);
    return { ...descriptor, digest, size: bytes.length };
  };
  const index = JSON.parse(readFileSync(join(BUSYBOX, 'index.json'), 'utf8')) as Index;
  const [entry] = index.manifests;
  const old = JSON.parse(read(entry!.digest).toString()) as Manifest;
  const copied = (descriptor: Descriptor): Descriptor => put(descriptor, read(descriptor.digest));
  manifest = { ...old, config: copied(old.config), layers: old.layers.map(copied) };
  const root = put(entry!, Buffer.from(JSON.stringify(manifest)));
  manifestDigest = root.digest;
  const annotations = { 'org.opencontainers.image.ref.name': 'busybox' };
  writeFileSync(
    at('layout', 'index.json'),
    JSON.stringify({ ...index, manifests: [{ ...root, annotations }] }),
  );
  writeFileSync(at('layout', 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}');
});
afterAll(() => registry?.[Symbol.asyncDispose]());

const inStore = (algorithm: string): string[] => readdirSync(join(tsrun.store.root, 'blobs', algorithm));

it('is pulled, verified, found by its id, run, checked, and goes without a trace', async () => {
  const id = manifest.config.digest.slice('sha512:'.length);
  expect(await tsrun.ok('pull', '-q', layout())).toBe(id);
  expect(inStore('sha512')).toHaveLength(3);
  for (const name of [id, id.slice(0, 12), manifest.config.digest, 'localhost/layout:busybox'])
    expect(await tsrun.ok('inspect', '-f', '{{.Id}} {{.Digest}}', name), name).toBe(
      `${manifest.config.digest} ${manifestDigest}`,
    );
  expect(await tsrun.ok('run', '--rm', '--network', 'none', id.slice(0, 12), 'echo', 'runs')).toBe('runs');
  expect(await tsrun.ok('system', 'check')).toMatch(/3 blobs, 1 images, 1 layers.*: no damage/);
  expect(await tsrun.ok('system', 'df', '--format', '{{.Type}} {{.Total}} {{.Active}}')).toContain(
    'Downloads 3 3',
  );
  const layer = blobAt(join(tsrun.store.root), manifest.layers[0]!.digest);
  writeFileSync(layer, Buffer.alloc(manifest.layers[0]!.size));
  expect((await tsrun.expect(125, ['system', 'check'])).stdout).toContain(
    `blob ${manifest.layers[0]!.digest}: its content`,
  );
  await tsrun.ok('rmi', id);
  expect(inStore('sha512')).toEqual([]);
});

it('goes to a registry and back, and to the other places, with its digests', async () => {
  const remote = `docker://${registry.host}/sha512:v1`;
  const way = [
    layout(),
    remote,
    `oci:${at('again')}:v1`,
    `oci-archive:${at('again.tar')}:v1`,
    `dir:${at('plain')}`,
  ];
  for (const [i, to] of way.slice(1).entries()) {
    await tsrun.ok('copy', '-q', way[i] ?? '', to);
    const raw = await tsrun.expect(0, ['inspect', '--raw', to]);
    expect(sha512(raw.output), to).toBe(manifestDigest);
  }
  await tsrun.ok('pull', '-q', remote);
  await tsrun.ok('push', '-q', `${registry.host}/sha512:v1`, `${registry.host}/sha512:v2`);
  await tsrun.ok('save', '-q', '-o', at('docker.tar'), `${registry.host}/sha512:v1`);
  await tsrun.ok('rmi', '-a');
  // docker's own archives have no manifest, and say by no digest what the configuration is
  await tsrun.ok('load', '-q', '-i', at('docker.tar'));
  await tsrun.ok('rmi', '-a');
});

it('that is not what its digest says is refused', async () => {
  const blob = blobAt(at('layout'), manifest.layers[0]!.digest);
  const bytes = readFileSync(blob);
  bytes[bytes.length - 1]! ^= 1;
  writeFileSync(blob, bytes);
  const { stderr } = await tsrun.expect(125, ['pull', layout()]);
  expect(stderr).toMatch(/expected sha512:[0-9a-f]{128}, got sha512:[0-9a-f]{128}/);
  expect(inStore('sha512').filter((name) => `sha512:${name}` === manifest.layers[0]!.digest)).toEqual([]);
});
