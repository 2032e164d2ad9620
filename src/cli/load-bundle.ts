/**
 * Runs a bundle of dist/ with its V8 code cache, so that starting tsrun costs no compilation.
 *
 * A bundle is a CommonJS file; `<bundle>.cache` beside it holds the byte code of the functions that common commands call
 * (src/setup/code-cache.ts). V8 itself refuses a cache of another version or of other flags; then the source is compiled, slower
 * and otherwise the same. No import here may be slow to load: this runs at every start.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Script } from 'node:vm';

/** Sees each script after it was made and before it runs. */
export type ScriptWatcher = (script: Script, file: string) => void;

const WRAPPER_PARAMETERS = 'exports, require, module, __filename, __dirname';

function readIfPresent(file: string): Buffer | undefined {
  try {
    return readFileSync(file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/**
 * Loads the bundle `name` of the directory `dist` and returns its exports. `./other.cjs` required by it is loaded the same way;
 * all other names go to `requireBuiltin`.
 */
export function loadBundle(
  dist: string,
  name: string,
  requireBuiltin: NodeJS.Require,
  watcher?: ScriptWatcher,
): unknown {
  const loaded = new Map<string, { exports: unknown }>();
  const load = (bundle: string): unknown => {
    const known = loaded.get(bundle);
    if (known) return known.exports;
    const file = join(dist, bundle);
    // Bundles are ASCII (esbuild's default charset): latin1 spares the decoding.
    const source = `(function (${WRAPPER_PARAMETERS}) {${readFileSync(file, 'latin1')}\n})`;
    const cachedData = readIfPresent(`${file}.cache`);
    const script = new Script(source, cachedData ? { filename: file, cachedData } : { filename: file });
    watcher?.(script, file);
    const module = { exports: {} as unknown };
    loaded.set(bundle, module);
    const require = (id: string): unknown => (id.startsWith('./') ? load(id.slice(2)) : requireBuiltin(id));
    script.runInThisContext().call(module.exports, module.exports, require, module, file, dist);
    return module.exports;
  };
  return load(name);
}
