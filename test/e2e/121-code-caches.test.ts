/**
 * The build makes V8's code caches by running commands (src/setup/code-cache.ts). The pull among them found its layers in the store, so that each first pull
 * of a user compiled what downloads and unpacks them: a tenth of the time of a small one.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const DIST = join(import.meta.dirname, '..', '..', 'dist');

/** What functions say is in the cache if they were compiled: constants are part of their byte code. */
const SAID = [
  'the connection ended after ', // download-blob.ts
  'an extended header has no entry', // tar-reader.ts
  'it lies behind too many levels of symbolic links', // layer-tree.ts
];

test.each(SAID)('pull has compiled the function that says "%s"', (words) => {
  expect(readFileSync(join(DIST, 'tsrun.pull.more.cjs'), 'latin1')).toContain(words);
  expect(readFileSync(join(DIST, 'tsrun.pull.more.cjs.cache'), 'latin1')).toContain(words);
});
