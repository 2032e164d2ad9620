/**
 * An esbuild plugin that loads Node's slow built-in modules at the first use of something in them, not when a bundle starts.
 *
 * `import { createHash } from 'node:crypto'` becomes an object whose getter `createHash` requires node:crypto. That alone is
 * 3 ms at each start of a command that hashes nothing; child_process and zlib are 2 ms each, fs/promises 1 ms.
 */
import { createRequire } from 'node:module';
import type { Plugin } from 'esbuild';

/** Those that take more than 0.2 ms to load, and that Node itself has not loaded when it starts. */
export const SLOW_BUILTINS = [
  'child_process',
  'crypto',
  'dgram',
  'dns',
  'fs/promises',
  'http',
  'http2',
  'https',
  'net',
  'os',
  'perf_hooks',
  'readline',
  'stream',
  'stream/consumers',
  'stream/promises',
  'timers/promises',
  'tls',
  'tty',
  'worker_threads',
  'zlib',
] as const;

const NAMESPACE = 'lazy-builtin';
const require = createRequire(import.meta.url);

/** A CommonJS module with a getter for each export of the built-in `name`. */
function getters(name: string): string {
  const keys = Object.keys(require(`node:${name}`) as object);
  return (
    `for (const key of ${JSON.stringify(keys.join(' '))}.split(' '))` +
    `Object.defineProperty(exports, key, { enumerable: true, get: () => require('node:${name}')[key] });`
  );
}

export const lazyBuiltins: Plugin = {
  name: 'lazy-builtins',
  setup(context) {
    const filter = new RegExp(`^(node:)?(${SLOW_BUILTINS.join('|')})$`);
    context.onResolve({ filter }, ({ path, namespace, kind }) =>
      // `import('node:tty')` is lazy as it is.
      namespace === NAMESPACE || kind === 'dynamic-import'
        ? { path, external: true }
        : { path: path.replace(/^node:/, ''), namespace: NAMESPACE },
    );
    context.onLoad({ filter: /^/, namespace: NAMESPACE }, ({ path }) => ({
      contents: getters(path),
      loader: 'js',
    }));
  },
};
