/** The connection breaks 20 times at random bytes of a layer: the pull goes on where it was, so that hardly a byte is sent twice. */
import { randomInt } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { blobPath } from '../../src/store/paths.ts';
import { startFakeRegistry } from '../support/fake-registry.ts';
import { digestOf, randomImage } from '../support/image-fixture.ts';
import { testPull } from '../support/pull-harness.ts';
import { temporaryStore } from '../support/temporary-store.ts';

const CUTS = 20;

it('a pull cut 20 times fetches at most 1.1 times the layer', async () => {
  const image = await randomImage([20_000_000]);
  const { digest, size } = image.layers[0]!.descriptor;
  const blob = image.blobs.get(digest)!;
  const ends = Array.from({ length: CUTS }, () => randomInt(1, size)).sort((a, b) => a - b);
  let cuts = 0;
  let sent = 0;
  const registry = await startFakeRegistry(image, (request, response) => {
    if (!request.url?.endsWith(`/blobs/${digest}`)) return false;
    const start = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
    const end = cuts < CUTS ? Math.max(ends[cuts++]!, start + 1) : size;
    sent += end - start;
    const range = `bytes ${start}-${size - 1}/${size}`;
    response.writeHead(start === 0 ? 200 : 206, { 'content-length': size - start, 'content-range': range });
    response.write(blob.subarray(start, end), () => response.destroy());
    return true;
  });
  const paths = temporaryStore();
  const retry = { attempts: CUTS + 3, firstDelayMs: 1, longestDelayMs: 5 };
  await testPull(paths, `${registry.host}/a`, { retry }).result;
  expect(cuts, `cuts at ${ends}`).toBe(CUTS);
  expect(sent, `cuts at ${ends}`).toBeLessThanOrEqual(1.1 * size);
  expect(digestOf(readFileSync(blobPath(paths, digest)))).toBe(digest);
});
