/**
 * A pull from a real registry, with the real unpacker, killed at random instants: the store is whole each time, and in the end hardly
 * a byte has been fetched twice (AC-2.5, with kill -9 instead of a cut). Peers began again from nothing, or were left with "layer not known".
 *
 * KILLS=200 says how many. A command that hangs is named, and what all processes of the store wait for.
 */
import { randomInt } from 'node:crypto';
import { statSync } from 'node:fs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { partialBlobPath } from '../../src/store/paths.ts';
import { checkStore, unfinished } from '../support/check-store.ts';
import { startFakeRegistry } from '../support/fake-registry.ts';
import { randomImage } from '../support/image-fixture.ts';
import { durationOf, killPull, moments } from '../support/kill-anywhere.ts';
import { type Registry, startRegistry } from '../support/registry.ts';
import { useTsrun } from '../support/tsrun.ts';
import { until } from '../support/until.ts';

const KILLS = Number(process.env.KILLS ?? 50);
const CUTS = 20;

const tsrun = useTsrun();
let registry: Registry;

beforeAll(async () => {
  registry = await startRegistry();
});
afterAll(() => registry[Symbol.asyncDispose]());

// Hundreds of commands: on a busy machine that takes as long as it takes, and each of them has a limit of its own.
it(`${KILLS} times, from docker-registry`, { timeout: 3_600_000 }, async () => {
  const reference = await registry.push('apache', 'httpd');
  const duration = await durationOf(tsrun, ['pull', '-q', reference]);
  await tsrun.ok('rmi', reference);
  for (const moment of moments(duration, KILLS)) await killPull(tsrun, reference, moment);
  expect(unfinished(tsrun)).toEqual([]);
});

it(`one pull, killed ${CUTS} times at random bytes of a layer, fetches at most 1.1 times the layer`, async () => {
  const image = await randomImage([20_000_000]);
  const { digest, size } = image.layers[0]!.descriptor;
  const blob = image.blobs.get(digest)!;
  const ends = Array.from({ length: CUTS }, () => randomInt(1, size)).sort((a, b) => a - b);
  let sent = 0;
  let pauseAt = size;
  const far = await startFakeRegistry(image, (request, response) => {
    if (!request.url?.endsWith(`/blobs/${digest}`)) return false;
    const start = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
    const end = Math.max(pauseAt, start + 1);
    sent += end - start;
    const range = `bytes ${start}-${size - 1}/${size}`;
    response.writeHead(start === 0 ? 200 : 206, { 'content-length': size - start, 'content-range': range });
    // It gets so much, and then nothing, until it is killed.
    response.write(blob.subarray(start, end));
    if (end === size) response.end();
    return true;
  });
  const words = ['pull', '-q', '--tls-verify=false', `${far.host}/a`];
  const partial = partialBlobPath({ root: tsrun.store.root, runtime: tsrun.store.runtime }, digest);
  for (const end of ends) {
    pauseAt = end;
    const { child, ended } = tsrun.start(words);
    await until(
      'what was sent has arrived',
      () => (statSync(partial, { throwIfNoEntry: false })?.size ?? 0) >= end,
    );
    child.kill('SIGKILL');
    expect((await ended).signal).toBe('SIGKILL');
    await checkStore(tsrun);
  }
  pauseAt = size;
  await tsrun.ok(...words);
  expect(sent, `killed at ${ends}`).toBeLessThanOrEqual(1.1 * size);
  await checkStore(tsrun);
});
