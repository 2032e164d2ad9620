/**
 * warm-up.ts DIST ENTRY ARGUMENTS... - runs `ENTRY ARGUMENTS...` from DIST as the loader does (ENTRY is `tsrun`, or a worker), and when it
 * ends writes the code cache of every bundle that it loaded.
 */
import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Script } from 'node:vm';
import { bundleNames } from '../cli/bundle-names.ts';
import { loadBundle } from '../cli/load-bundle.ts';

const [dist = '', entry = '', ...words] = process.argv.slice(2);
const loader = join(dist, 'bin', `${entry}.cjs`);
process.argv = [process.execPath, loader, ...words];

const scripts = new Map<string, Script>();
process.on('exit', () => {
  for (const [cache, script] of scripts) {
    writeFileSync(`${cache}.new`, script.createCachedData(), { mode: 0o644 });
    renameSync(`${cache}.new`, cache);
  }
});
loadBundle(dist, bundleNames(entry, words), (script, cache) => scripts.set(cache, script));
