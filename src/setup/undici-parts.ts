/**
 * An esbuild plugin that leaves out of undici what tsrun has no use for: fetch, WebSocket and the other interfaces of browsers, what tests
 * are given instead of a network, caches. Its index.js evaluates all of that before the first request, and HTTP/2, which only a registry
 * that wants it needs, and proxies.
 */
import { readFile } from 'node:fs/promises';
import type { OnLoadResult, Plugin } from 'esbuild';

/** What index.js requires, and gives away under names that nobody here imports. */
const LEFT_OUT = [
  /^\.\/lib\/(web|mock|cache)\//,
  /^\.\/lib\/global$/, // an agent for requests that name none
  /^\.\/lib\/interceptor\//,
  /^\.\/lib\/handler\//,
  /^\.\/lib\/dispatcher\/(balanced-pool|dispatcher1-wrapper|h2c-client|retry-agent|proxy-agent|round-robin-pool|socks5-proxy-agent)$/,
];
/** Of lib/api/index.js, all but requests, and tunnels through proxies. */
const OTHER_WAYS = /^\.\/api-(pipeline|stream|upgrade)$/;

/** Whatever is asked of such a module is a class, so that index.js can make its own of it. */
const NOTHING = 'module.exports = new Proxy(class {}, { get: () => class {} })';

/** Modules of Node for which undici has so little use that they need not be loaded; each takes 1 to 2 ms. */
const STAND_INS: Readonly<Record<string, string>> = {
  // It tells bodies that are answers to the server in Node's HTTP, of which we have none, and the limit for headers, by Node's default.
  'node:http': 'module.exports = { IncomingMessage: class {}, maxHeaderSize: 16384 }',
  'node:assert':
    "module.exports = (value, message) => { if (!value) require('node:assert')(value, message) }",
};

/** Replacements in one file. */
type Edits = readonly (readonly [what: string, by: string])[];

/** Evaluated when they are first used, and not with the file that requires them. */
const LATER: Readonly<Record<string, Edits>> = {
  'lib/dispatcher/client.js': [
    [
      "const connectH2 = require('./client-h2.js')",
      "const connectH2 = (...words) => require('./client-h2.js')(...words)",
    ],
  ],
  // What Node says of SOCKS to those who program it is nothing to those who use it.
  'lib/dispatcher/socks5-proxy-agent.js': [
    ['let experimentalWarningEmitted = false', 'let experimentalWarningEmitted = true'],
  ],
  'index.js': [
    ["const EnvHttpProxyAgent = require('./lib/dispatcher/env-http-proxy-agent')", ''],
    [
      'module.exports.EnvHttpProxyAgent = EnvHttpProxyAgent',
      "Object.defineProperty(module.exports, 'EnvHttpProxyAgent', { get: () => require('./lib/dispatcher/env-http-proxy-agent') })",
    ],
  ],
};

async function edited(path: string, edits: Edits): Promise<OnLoadResult> {
  let contents = await readFile(path, 'utf8');
  for (const [what, by] of edits) {
    if (!contents.includes(what))
      throw new Error(`${path} has changed: this plugin is not needed, or to be adapted`);
    contents = contents.replace(what, by);
  }
  return { contents };
}

export const undiciParts: Plugin = {
  name: 'undici-parts',
  setup(context) {
    const nothing = (path: string) => ({ path, namespace: 'left-out' });
    // As Node's own build of undici: its second parser of HTTP is not in it.
    context.initialOptions.define = { ...context.initialOptions.define, esbuildDetection: 'true' };
    context.onResolve({ filter: /^\.\/lib\// }, ({ path, importer }) =>
      importer.endsWith('/undici/index.js') && LEFT_OUT.some((out) => out.test(path))
        ? nothing(path)
        : undefined,
    );
    context.onResolve({ filter: OTHER_WAYS }, ({ path, importer }) =>
      importer.endsWith('/undici/lib/api/index.js') ? nothing(path) : undefined,
    );
    context.onLoad({ filter: /^/, namespace: 'left-out' }, () => ({ contents: NOTHING }));
    context.onResolve({ filter: /^node:(http|assert)$/ }, ({ path, importer }) =>
      importer.includes('/undici/lib/') ? { path, namespace: 'stand-in' } : undefined,
    );
    context.onLoad({ filter: /^/, namespace: 'stand-in' }, ({ path }) => ({
      contents: STAND_INS[path] ?? '',
    }));
    for (const [file, edits] of Object.entries(LATER))
      context.onLoad({ filter: new RegExp(`/undici/${file.replaceAll('.', '\\.')}$`) }, ({ path }) =>
        edited(path, edits),
      );
  },
};
