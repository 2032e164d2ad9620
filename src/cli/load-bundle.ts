/**
 * Runs a bundle of dist/ with its V8 code cache, so that starting tsrun costs no compilation.
 *
 * A bundle is a CommonJS file, already wrapped in the function that Node would put around it (src/setup/bundle.ts); `<bundle>.cache` beside it holds the byte code of the functions that are usually called
 * (src/setup/code-cache.ts). V8 itself refuses a cache of another version or of other flags; then the source is compiled, slower
 * and otherwise the same. No import here may be slow to load: this runs at every start.
 */
import { readFileSync } from 'node:fs';
import { Script } from 'node:vm';

/** Sees each script after it was made and before it runs, with the path of its code cache. */
export type ScriptWatcher = (script: Script, cache: string) => void;

/** Bundles are ASCII (esbuild's default charset): latin1 spares the decoding. */
const readSource = (file: string): string => readFileSync(file, 'latin1');

/**
 * A module that is loaded at the first use of something in it: what stands in a bundle for `lazy:NAME`, a built-in module of Node
 * (src/setup/lazy-builtins.ts), and for `later:net:PATH` and `later:more:PATH`, one of ours (src/setup/module-graph.ts).
 */
function atFirstUse(load: () => object): object {
  const get = (key: string | symbol): unknown => Reflect.get(load(), key);
  return new Proxy(
    {},
    {
      get: (_, key) => get(key),
      // For `import * as`, which copies.
      ownKeys: () => Reflect.ownKeys(load()),
      getOwnPropertyDescriptor: (_, key) => ({ value: get(key), enumerable: true, configurable: true }),
    },
  );
}

function readIfPresent(file: string): Buffer | undefined {
  try {
    return readFileSync(file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** A module of Node's own. Its `require` would look for subscribers, parents and caches first. */
function builtin(id: string): object {
  const module: unknown = process.getBuiltinModule(id);
  if (typeof module === 'object' || typeof module === 'function') return module as object;
  throw new Error(`Node has no module ${id}`);
}

/** What a command's first bundle exports: its modules, by their paths (src/setup/command-bundle.ts). */
interface FirstBundle {
  hot(name: string): unknown;
}

/** What a file of its second bundle exports: modules that are evaluated when they are asked for. */
interface SecondBundle {
  more: Readonly<Record<string, () => unknown>>;
}

/**
 * Loads the first of the bundles `names` that the directory `dist` has, and returns its exports. `./other.cjs` required by it is
 * loaded the same way, and modules `net:PATH`, `hub:PATH`, `more:PATH` and `hot:PATH` are those of the command's other
 * bundles; all other names are modules of Node. `lazy:NAME` and `later:…` are loaded when something in them is used. Throws what reading the last of `names` throws.
 */
export function loadBundle(dist: string, names: readonly string[], watcher?: ScriptWatcher): unknown {
  const loaded = new Map<string, { exports: unknown }>();
  let first = '';
  const load = (name: string, source: string): unknown => {
    const file = `${dist}/${name}`;
    const cache = `${file}.cache`;
    const cachedData = readIfPresent(cache);
    const script = new Script(source, cachedData ? { filename: file, cachedData } : { filename: file });
    watcher?.(script, cache);
    const module = { exports: {} as unknown };
    if (loaded.size === 0) first = name;
    loaded.set(name, module);
    script.runInThisContext().call(module.exports, module.exports, require, module, file, dist);
    return module.exports;
  };
  // Node's own `require` looks for subscribers, parents and caches each time, and there are hundreds of calls.
  const builtins = new Map<string, unknown>();
  const beside = (name: string): unknown =>
    loaded.get(name)?.exports ?? load(name, readSource(`${dist}/${name}`));
  const require = (id: string): unknown => {
    if (id.startsWith('./')) return beside(id.slice(2));
    let module = builtins.get(id);
    if (module !== undefined) return module;
    const [kind, rest] = [id.slice(0, id.indexOf(':')), id.slice(id.indexOf(':') + 1)];
    switch (kind) {
      case 'hot':
        return (beside(first) as FirstBundle).hot(rest);
      case 'net':
      case 'hub':
      case 'more':
        return (beside(first.replace(/cjs$/, `${kind}.cjs`)) as SecondBundle).more[rest]?.();
      case 'lazy':
        module = atFirstUse(() => builtin(`node:${rest}`));
        break;
      case 'later':
        module = atFirstUse(() => require(rest) as object);
        break;
      default:
        module = builtin(id);
    }
    builtins.set(id, module);
    return module;
  };
  const last = names.at(-1) ?? '';
  for (const name of names.slice(0, -1)) {
    const source = readIfPresent(`${dist}/${name}`);
    if (source) return load(name, source.toString('latin1'));
  }
  return load(last, readSource(`${dist}/${last}`));
}
