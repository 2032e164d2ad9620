/**
 * Makes the JavaScript of dist/: CommonJS bundles whose dynamic imports are evaluated only when they are reached.
 *
 *   dist/tsrun.cjs          the command line
 *   dist/tsrun.<verb>.cjs   the same for one command, and only what each start of it needs; networks are in tsrun.<verb>.net.cjs, what
 *                           starts their hub in tsrun.<verb>.hub.cjs, and the rest in tsrun.<verb>.more.cjs (command-bundle.ts)
 *   dist/unpack-worker.cjs  applies layers, in a process of its own
 *   dist/pack-worker.cjs    writes archives of trees, likewise
 *   dist/undici.cjs         an npm package that is big and that few commands need: read at the first import of it, by any bundle
 *   dist/copy-worker.cjs    looks at, and copies into, the files of a container
 *   dist/bin/<entry>.cjs    the loader of each entry (src/cli/loader.ts): what Node is given to execute
 *   dist/bin/tsrun          the launcher, POSIX sh
 *
 * In a bundle `import.meta.dirname` is dist/, and `import.meta.url` is that of the bundle.
 */
import { chmod, copyFile, mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type BuildOptions, build, type Plugin } from 'esbuild';
import { COMMANDS, GROUPED } from '../cli/commands.ts';
import { bundleCommand } from './command-bundle.ts';
import { lazyBuiltins } from './lazy-builtins.ts';
import { leanCommander } from './lean-commander.ts';
import { undiciParts } from './undici-parts.ts';

/** Entry → its source. */
const ENTRIES: Readonly<Record<string, string>> = {
  tsrun: 'src/cli/main.ts',
  'unpack-worker': 'src/image/unpack/unpack-worker.ts',
  'pack-worker': 'src/image/pack/pack-worker.ts',
  'copy-worker': 'src/image/copy/copy-worker.ts',
};

/** npm packages with a file of their own. */
const PACKAGES_APART = ['undici', 'smol-toml', 'yaml'];

const COMMON: BuildOptions = {
  bundle: true,
  platform: 'node',
  format: 'cjs',
  target: 'node22',
  // The loader reads bundles as latin1.
  charset: 'ascii',
  // `import()` becomes `require`, which is the loader's.
  supported: { 'dynamic-import': false },
  // What Node puts around a CommonJS file. Done here, because at each start it would copy the whole text.
  banner: { js: '(function (exports, require, module, __filename, __dirname) {' },
  footer: { js: '})' },
  minifySyntax: true,
  minifyWhitespace: true,
  legalComments: 'none',
  logLevel: 'warning',
};

const PLACE_OF_BUNDLE: BuildOptions = {
  define: {
    'import.meta.url': '__bundleUrl',
    'import.meta.dirname': '__dirname',
    'import.meta.filename': '__filename',
  },
  banner: { js: `${COMMON.banner?.js}var __bundleUrl="file://"+encodeURI(__filename);` },
};

/** Leaves PACKAGES_APART out of a bundle; the loader finds `./undici.cjs` beside it. */
const packagesApart: Plugin = {
  name: 'packages-apart',
  setup(context) {
    for (const name of PACKAGES_APART) {
      context.onResolve({ filter: new RegExp(`^${name}$`) }, () => ({
        path: `./${name}.cjs`,
        external: true,
      }));
    }
  },
};

/** Commands that look at all others. */
const ABOUT_ALL = ['completion'];

/** The words that are a command of their own; a group's name (`container ls`, `volume create`) needs the bundle of all commands. */
const VERBS = Object.keys(COMMANDS).filter(
  (name) => !Object.hasOwn(GROUPED, name) && !name.includes(' ') && !ABOUT_ALL.includes(name),
);

/** Of any bundle of our sources. */
const ours = (root: string): BuildOptions => ({
  ...COMMON,
  ...PLACE_OF_BUNDLE,
  absWorkingDir: root,
  plugins: [packagesApart, lazyBuiltins, leanCommander],
});

/** What is built, each from one source or package into one file. */
function bundles(root: string, dist: string): BuildOptions[] {
  const common = { ...COMMON, absWorkingDir: root };
  return [
    ...Object.entries(ENTRIES).map(([name, source]) => ({
      ...ours(root),
      entryPoints: [source],
      outfile: join(dist, `${name}.cjs`),
    })),
    ...PACKAGES_APART.map((name) => ({
      ...common,
      entryPoints: [name],
      outfile: join(dist, `${name}.cjs`),
      plugins: [undiciParts, lazyBuiltins],
    })),
    ...Object.keys(ENTRIES).map((name) => ({
      ...common,
      banner: {},
      footer: {},
      target: 'node14',
      entryPoints: ['src/cli/loader.ts'],
      outfile: join(dist, 'bin', `${name}.cjs`),
    })),
  ];
}

/** Bundles everything from the sources below `root` into `dist`. */
export async function bundle(root: string, dist: string): Promise<void> {
  const launcher = join(dist, 'bin', 'tsrun');
  await mkdir(join(dist, 'bin'), { recursive: true });
  const stale = (await readdir(dist)).filter((name) => name.endsWith('.cjs') || name.endsWith('.cache'));
  await Promise.all(stale.map((name) => rm(join(dist, name))));
  await Promise.all([
    ...bundles(root, dist).map((options) => build(options)),
    ...VERBS.map((verb) => bundleCommand(root, verb, join(dist, `tsrun.${verb}`), ours(root))),
  ]);
  await copyFile(join(root, 'src/cli/tsrun.sh'), launcher);
  await chmod(launcher, 0o755);
}
