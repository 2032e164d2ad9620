/** Limits of layers, and of who raises or lowers them: [limits] in config.toml. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { beforeAll, expect, it } from 'vitest';
import { imageOf, tarOf, writeLayout } from '../support/image-fixture.ts';
import { useTsrun } from '../support/tsrun.ts';

const tsrun = useTsrun();
const at = (name: string): string => join(tsrun.store.directory, name);
const ZEROS = 150 << 20;

beforeAll(async () => {
  mkdirSync(at('config/tsrun'), { recursive: true });
  const files = { 'a/b/c/d': 'x', [`${'long/'.repeat(20)}name`]: 'y', third: 'z' };
  mkdirSync(at('plain'));
  writeLayout(at('plain'), [{ image: imageOf([await tarOf(files)]), name: 'plain' }]);
  const bomb = imageOf([await tarOf({ zeros: Buffer.alloc(ZEROS) })]);
  mkdirSync(at('bomb'));
  writeLayout(at('bomb'), [{ image: bomb, name: 'bomb' }]);
  writeFileSync(at('root.tar.gz'), gzipSync(await tarOf({ zeros: Buffer.alloc(ZEROS) })));
});

const under = (limits: string, ...words: string[]) => {
  writeFileSync(at('config/tsrun/config.toml'), limits);
  return tsrun.run(words, { env: { XDG_CONFIG_HOME: at('config') } });
};

it.each([
  ['entries = 2', 'it has more than 2 entries'],
  ['path-length = 50', '50 are allowed'],
  ['depth = 3', '3 are allowed'],
  ['layer-size = 1024', 'it has more than 1024 bytes'],
])('%s is kept', async (limit, problem) => {
  const { status, stderr } = await under(`[limits]\n${limit}\n`, 'load', '-i', at('plain'));
  expect(status).toBe(125);
  expect(stderr).toContain(problem);
  expect(await tsrun.ok('images', '-q')).toBe('');
});

it('150 MiB of zeros are refused, unless the user says that they are meant', async () => {
  for (const words of [
    ['import', at('root.tar.gz')],
    ['load', '-i', at('bomb')],
  ]) {
    const { status, stderr } = await under('', ...words);
    expect({ status, stderr }).toMatchObject({
      status: 125,
      stderr: expect.stringContaining('200 bytes per compressed byte'),
    });
    expect(stderr).toContain('config.toml');
    expect(await tsrun.ok('images', '-q')).toBe('');
  }
  const taken = await under('[limits]\nratio = 5000\n', 'load', '-i', at('bomb'));
  expect(taken.status, taken.stderr).toBe(0);
});

it('a mistake is named with its line, by what unpacks, and by nothing else', async () => {
  const { status, stderr } = await under('[limits]\nratoi = 5\n', 'load', '-i', at('plain'));
  expect({ status, stderr }).toMatchObject({ status: 125, stderr: expect.stringContaining('config.toml:1') });
  expect((await under('[limits]\nratoi = 5\n', 'images')).status).toBe(0);
});
