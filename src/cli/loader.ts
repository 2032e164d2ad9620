/**
 * dist/bin/<name>.cjs: what Node is given to execute. Loads the bundle dist/<name>.cjs, or the one
 * for the command that is called, dist/<name>.<command>.cjs.
 *
 * It is compiled for old versions of Node too, so that one of them says what is wrong rather than failing on syntax.
 */
import { basename, dirname } from 'node:path';
import { bundleNames } from './bundle-names.ts';
import { loadBundle } from './load-bundle.ts';

/** zstd in node:zlib, and undici 8, need it. */
const OLDEST_NODE = [22, 15] as const;

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor < OLDEST_NODE[1])) {
  process.stderr.write(
    `tsrun: needs Node ${OLDEST_NODE.join('.')} or newer, this is ${process.versions.node} (${process.execPath})\n` +
      'hint: npm install -g tsrun   (without --omit=optional: it brings its own Node)\n',
  );
  process.exit(125);
}

// The launcher hides NODE_OPTIONS from Node; `tsrun run -e NODE_OPTIONS` still passes the user's on.
const { TSRUN_NODE_OPTIONS } = process.env;
if (TSRUN_NODE_OPTIONS !== undefined) {
  process.env.NODE_OPTIONS = TSRUN_NODE_OPTIONS;
  delete process.env.TSRUN_NODE_OPTIONS;
}

loadBundle(dirname(__dirname), bundleNames(basename(__filename, '.cjs'), process.argv.slice(2)));
