/**
 * A pull spent a tenth of its time on compiling modules of Node that Node has a code cache for: V8 takes it with its default flags only,
 * and the launcher sets others.
 */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { launcherFlags } from '../../src/setup/launcher-flags.ts';
import { V8_DEFAULTS } from '../../src/sys/v8-flags.ts';
import { temporaryDirectoryForTest } from '../support/temporary-store.ts';

const SOURCES = join(import.meta.dirname, '..', '..', 'src');

const FLAGS = launcherFlags(join(SOURCES, 'cli', 'tsrun.sh'));

/** Whether Node compiled node:crypto anew, when it was loaded in some way. */
function compiledAnew(load: string): boolean {
  const script = `
    const { getCacheUsage } = require('internal/test/binding').internalBinding('builtins');
    import('${SOURCES}/sys/v8-flags.ts').then(({ loadFromNodesCache }) => {
      ${load};
      const { compiledWithCache, compiledWithoutCache } = getCacheUsage();
      const [cached, anew] = [compiledWithCache, compiledWithoutCache].map((names) => [...names].includes('internal/crypto/util'));
      if (cached === anew) throw new Error('this Node tells it in another way');
      console.log(anew);
    });`;
  const flags = [...FLAGS, '--expose-internals', '--no-warnings'];
  const file = join(temporaryDirectoryForTest(), 'load.cjs');
  writeFileSync(file, script);
  return JSON.parse(execFileSync(process.execPath, [...flags, file], { encoding: 'utf8' })) as boolean;
}

test("Node's modules come from its code cache", () => {
  expect(compiledAnew("loadFromNodesCache(['crypto'])")).toBe(false);
});

test('left alone, they would not', () => {
  expect(compiledAnew("process.getBuiltinModule('node:crypto')")).toBe(true);
  // And after others were loaded, the launcher's flags are there again.
  expect(compiledAnew("loadFromNodesCache(['net']); process.getBuiltinModule('node:crypto')")).toBe(true);
});

test('every flag of the launcher that is changed for it is one of the launcher', () => {
  expect(FLAGS).toEqual(expect.arrayContaining(Object.keys(V8_DEFAULTS)));
});
