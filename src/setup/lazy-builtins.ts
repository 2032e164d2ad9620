/**
 * An esbuild plugin that leaves the loading of Node's slow built-in modules to the loader (src/cli/load-bundle.ts), which does it at
 * the first use of something in them, not when a bundle starts.
 *
 * `import { createHash } from 'node:crypto'` becomes `require('lazy:crypto')`, and each use of `createHash` looks it up there. That
 * import alone is 3 ms at each start of a command that hashes nothing; child_process and zlib are 2 ms each, fs/promises 1 ms.
 */
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
  'v8',
  'worker_threads',
  'zlib',
] as const;

const DEFAULT_ONLY = 'default-of-builtin';

export const lazyBuiltins: Plugin = {
  name: 'lazy-builtins',
  setup(context) {
    // Commander uses `import childProcess from 'node:child_process'` and three more of the kind. For a default import esbuild copies all
    // that the module has, which is slow for `process` with its getters, and is no use of child_process.
    context.onResolve({ filter: /^node:(child_process|fs|path|process)$/ }, ({ path, importer, kind }) =>
      importer.includes('/node_modules/commander/') && kind === 'import-statement'
        ? { path: path.replace(/^node:/, ''), namespace: DEFAULT_ONLY }
        : undefined,
    );
    const slow = new RegExp(`^(node:)?(${SLOW_BUILTINS.join('|')})$`);
    context.onResolve({ filter: slow }, ({ path, kind, importer }) => {
      // `import('node:tty')` is lazy as it is. What packages do with a module is theirs: undici makes classes of it.
      if (kind === 'dynamic-import' || importer.includes('/node_modules/')) return { path, external: true };
      return { path: `lazy:${path.replace(/^node:/, '')}`, external: true };
    });
    context.onResolve({ filter: /^lazy:/ }, ({ path }) => ({ path, external: true }));
    context.onLoad({ filter: /^/, namespace: DEFAULT_ONLY }, ({ path }) => ({
      contents: `export default require('${path === 'child_process' ? 'lazy' : 'node'}:${path}')`,
    }));
  },
};
