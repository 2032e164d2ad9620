/** A pull that is killed at any moment: the same pull again succeeds, fetches only what is missing, and leaves nothing behind. */
import { execFile } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { ImageStore } from '../../src/store/images.ts';
import {
  blobsDirectory,
  imagesDirectory,
  layersDirectory,
  type StorePaths,
  temporaryDirectory,
} from '../../src/store/paths.ts';
import { startFakeRegistry } from '../support/fake-registry.ts';
import { digestOf, randomImage } from '../support/image-fixture.ts';
import { testPull } from '../support/pull-harness.ts';
import { temporaryStore } from '../support/temporary-store.ts';

const run = promisify(execFile);
const SCRIPT = join(import.meta.dirname, '..', 'support', 'pull-and-die.ts');

const names = (directory: string): string[] => (existsSync(directory) ? readdirSync(directory) : []);

/** What is true of a store at every instant. */
function expectSound(paths: StorePaths): void {
  for (const name of names(blobsDirectory(paths)).filter((n) => !n.endsWith('.partial'))) {
    expect(digestOf(readFileSync(join(blobsDirectory(paths), name)))).toBe(`sha256:${name}`);
  }
  for (const name of names(layersDirectory(paths))) {
    const layer = join(layersDirectory(paths), name);
    const record = JSON.parse(readFileSync(join(layer, 'layer.json'), 'utf8')) as {
      chainId: string;
      diffId: string;
    };
    expect(record.chainId).toBe(`sha256:${name}`);
    expect(digestOf(readFileSync(join(layer, 'diff', 'archive')))).toBe(record.diffId);
  }
  const store = new ImageStore(paths);
  for (const image of store.list()) expect(store.missingParts(image)).toEqual([]);
  expect(store.survey().damaged).toEqual([]);
}

test('kill -9 at every event', { timeout: 300_000 }, async () => {
  const image = await randomImage([150_000, 100_000]);
  const registry = await startFakeRegistry(image);
  const reference = `${registry.host}/a`;
  const total = Number((await run(process.execPath, [SCRIPT, reference, temporaryStore().root, '0'])).stdout);
  expect(total).toBeGreaterThan(10);
  const whole = registry.sent;
  for (let deadly = 1; deadly <= total; deadly++) {
    const paths = temporaryStore();
    await run(process.execPath, [SCRIPT, reference, paths.root, String(deadly)]).then(
      () => {}, // chunks come in other sizes each time: there may have been fewer events
      (error: { signal: string }) => expect(error.signal).toBe('SIGKILL'),
    );
    expectSound(paths);
    // What the killed one had still asked for is answered now, and not counted as the next one's: connections are taken in their order.
    await (await fetch(`${registry.origin}/v2/`, { headers: { connection: 'close' } })).text();
    registry.sent = 0;
    const { record } = await testPull(paths, reference).result;
    expect(registry.sent).toBeLessThanOrEqual(whole);
    expectSound(paths);
    expect(new ImageStore(paths).missingParts(record)).toEqual([]);
    expect(names(temporaryDirectory(paths))).toEqual([]);
    expect(names(imagesDirectory(paths))).toHaveLength(1);
    expect(names(blobsDirectory(paths))).toHaveLength(4);
  }
});
