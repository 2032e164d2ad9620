/**
 * An esbuild plugin that leaves out of undici what tsrun has no use for: fetch, WebSocket and the other interfaces of browsers, what tests
 * are given instead of a network, caches. Its index.js evaluates all of that before the first request, and HTTP/2, which only a registry
 * that wants it needs.
 */
import { readFile } from 'node:fs/promises';
import type { Plugin } from 'esbuild';

/** What index.js requires, and gives away under names that nobody here imports. */
const LEFT_OUT =
  /^\.\/lib\/(web|mock|cache)\/|^\.\/lib\/interceptor\/(cache|decompress|deduplicate|dns|dump|response-error|retry)$/;

/** Whatever is asked of such a module is a class, so that index.js can make its own of it. */
const NOTHING = 'module.exports = new Proxy(class {}, { get: () => class {} })';

const HTTP2 = "const connectH2 = require('./client-h2.js')";

export const undiciParts: Plugin = {
  name: 'undici-parts',
  setup(context) {
    context.onResolve({ filter: LEFT_OUT }, ({ path, importer }) =>
      importer.endsWith('/undici/index.js') ? { path, namespace: 'left-out' } : undefined,
    );
    context.onLoad({ filter: /^/, namespace: 'left-out' }, () => ({ contents: NOTHING }));
    context.onLoad({ filter: /\/undici\/lib\/dispatcher\/client\.js$/ }, async ({ path }) => {
      const source = await readFile(path, 'utf8');
      const contents = source.replace(
        HTTP2,
        "const connectH2 = (...words) => require('./client-h2.js')(...words)",
      );
      if (contents === source)
        throw new Error(`${path} has changed: this plugin is not needed, or to be adapted`);
      return { contents };
    });
  },
};
