/** Images made of busybox and layers that a test writes, hostile ones among them. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import type { ImageRunConfig, Index, Manifest } from '../../src/spec/image.ts';
import { imageOf } from './image-fixture.ts';
import { pushImage } from './push-image.ts';

const LAYOUT = join(import.meta.dirname, '..', '..', 'dist', 'images', 'busybox');

function busyboxTar(): Buffer {
  const blob = (digest: string): Buffer => readFileSync(join(LAYOUT, 'blobs', ...digest.split(':')));
  const index = JSON.parse(readFileSync(join(LAYOUT, 'index.json'), 'utf8')) as Index;
  const manifest = JSON.parse(blob(index.manifests[0]!.digest).toString()) as Manifest;
  return gunzipSync(blob(manifest.layers[0]!.digest));
}

/** Pushes busybox with `layers` (tar archives) on top. Returns the reference. */
export async function pushDerived(
  host: string,
  name: string,
  layers: Buffer[],
  run: ImageRunConfig = {},
): Promise<string> {
  const image = imageOf([busyboxTar(), ...layers], {
    run: { Env: ['PATH=/usr/sbin:/usr/bin:/sbin:/bin'], ...run },
  });
  await pushImage(host, name, 'latest', image);
  return `${host}/${name}`;
}
