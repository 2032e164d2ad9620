/** A store on a file system that is, or becomes, full (AC-2.6): a clear message, a sound store, and a resumed pull once there is room. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { startFakeRegistry } from '../support/fake-registry.ts';
import { randomImage } from '../support/image-fixture.ts';
import { temporaryDirectoryForTest } from '../support/temporary-store.ts';

const SCRIPT = join(import.meta.dirname, '..', 'support', 'pull-and-report.ts');

test('no space left', async () => {
  const registry = await startFakeRegistry(await randomImage([2_000_000]));
  const script = `
    mount -t tmpfs -o size=20m none "$DIR"
    head -c 19m /dev/zero > "$DIR/filler"
    "$NODE" "$SCRIPT" "$IMAGE" "$DIR/store"
    rm "$DIR/filler"
    FILL="$DIR/filler" "$NODE" "$SCRIPT" "$IMAGE" "$DIR/store"
    rm "$DIR/filler"
    "$NODE" "$SCRIPT" "$IMAGE" "$DIR/store"`;
  const env = {
    ...process.env,
    DIR: temporaryDirectoryForTest(),
    NODE: process.execPath,
    SCRIPT,
    IMAGE: `${registry.host}/a`,
  };
  const child = spawn('unshare', ['--user', '--map-root-user', '--mount', 'sh', '-ec', script], { env });
  let [out, errors] = ['', ''];
  child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));
  await new Promise((resolve) => child.on('close', resolve));
  expect(errors).toBe('');
  const [small, full, roomy] = out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, string>);
  expect(small).toMatchObject({
    code: 'ERR_TSRUN_SPACE',
    message: expect.stringMatching(/: it needs at least 4\.\d MB, and 1\.\d MB are free$/),
  });
  expect(full).toMatchObject({
    code: 'ERR_TSRUN_STORE',
    message: expect.stringMatching(/^cannot write layer sha256:\w+ to /),
    hint: expect.stringContaining('make room'),
    cause: expect.stringContaining('ENOSPC'),
  });
  expect(roomy).toEqual({});
  const ranges = registry.requests.map((r) => r.headers.range).filter((range) => range !== undefined);
  expect(ranges).toEqual([expect.stringMatching(/^bytes=[1-9]\d{4,}-$/)]);
});
