/**
 * Runs a bundle of dist/ with its V8 code cache, so that starting tsrun costs no compilation.
 *
 * A bundle is a CommonJS file; `<bundle>.cache` beside it holds the byte code of the functions that are usually called
 * (src/setup/code-cache.ts). V8 itself refuses a cache of another version or of other flags; then the source is compiled, slower
 * and otherwise the same. No import here may be slow to load: this runs at every start.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Script } from 'node:vm';

/** Sees each script after it was made and before it runs, with the path of its code cache. */
export type ScriptWatcher = (script: Script, cache: string) => void;

/** Bundles are ASCII (esbuild's default charset): latin1 spares the decoding. */
const readSource = (file: string): string => readFileSync(file, 'latin1');

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
 * Loads the first of the bundles `names` that the directory `dist` has, and returns its exports. `./other.cjs` required by it is
 * loaded the same way; all other names go to `requireBuiltin`. Throws what reading the last of `names` throws.
 */
export function loadBundle(
  dist: string,
  names: readonly string[],
  requireBuiltin: NodeJS.Require,
  watcher?: ScriptWatcher,
): unknown {
  const loaded = new Map<string, { exports: unknown }>();
  const load = (name: string, source: string): unknown => {
    const file = join(dist, name);
    const cache = `${file}.cache`;
    const cachedData = readIfPresent(cache);
    const script = new Script(
      `(function (${WRAPPER_PARAMETERS}) {${source}\n})`,
      cachedData ? { filename: file, cachedData } : { filename: file },
    );
    watcher?.(script, cache);
    const module = { exports: {} as unknown };
    loaded.set(name, module);
    script.runInThisContext().call(module.exports, module.exports, require, module, file, dist);
    return module.exports;
  };
  const require = (id: string): unknown =>
    id.startsWith('./')
      ? (loaded.get(id.slice(2))?.exports ?? load(id.slice(2), readSource(join(dist, id))))
      : requireBuiltin(id);
  const last = names.at(-1) ?? '';
  for (const name of names.slice(0, -1)) {
    const source = readIfPresent(join(dist, name));
    if (source) return load(name, source.toString('latin1'));
  }
  return load(last, readSource(join(dist, last)));
}
