/**
 * Makes the JavaScript of dist/: CommonJS bundles whose dynamic imports are evaluated only when they are reached.
 *
 *   dist/tsrun.cjs          the command line
 *   dist/unpack-worker.cjs  applies layers, in a process of its own
 *   dist/undici.cjs         an npm package that is big and that few commands need: read at the first import of it, by any bundle
 *   dist/bin/<name>.cjs     the loader of each entry (src/cli/loader.ts): what Node is given to execute
 *   dist/bin/tsrun          the launcher, POSIX sh
 *
 * In a bundle `import.meta.dirname` is dist/, and `import.meta.url` is that of the bundle.
 */
import { chmod, copyFile, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type BuildOptions, build, type Plugin } from 'esbuild';
import { lazyBuiltins } from './lazy-builtins.ts';

/** Entry → its source. */
export const ENTRIES: Readonly<Record<string, string>> = {
  tsrun: 'src/cli/main.ts',
  'unpack-worker': 'src/image/unpack/unpack-worker.ts',
};

/** npm packages with a file of their own. */
const PACKAGES_APART = ['undici'];

const COMMON: BuildOptions = {
  bundle: true,
  platform: 'node',
  format: 'cjs',
  target: 'node22',
  // The loader reads bundles as latin1.
  charset: 'ascii',
  // `import()` becomes `require`, which is the loader's.
  supported: { 'dynamic-import': false },
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
  banner: { js: 'var __bundleUrl="file://"+encodeURI(__filename);' },
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

/** Bundles everything from the sources below `root` into `dist`. */
export async function bundle(root: string, dist: string): Promise<void> {
  const bin = join(dist, 'bin');
  await mkdir(bin, { recursive: true });
  const at = { absWorkingDir: root };
  await Promise.all([
    build({
      ...COMMON,
      ...PLACE_OF_BUNDLE,
      ...at,
      entryPoints: ENTRIES,
      outdir: dist,
      outExtension: { '.js': '.cjs' },
      plugins: [packagesApart, lazyBuiltins],
    }),
    ...PACKAGES_APART.map((name) =>
      build({
        ...COMMON,
        ...at,
        plugins: [lazyBuiltins],
        entryPoints: [name],
        outfile: join(dist, `${name}.cjs`),
      }),
    ),
    ...Object.keys(ENTRIES).map((name) =>
      build({
        ...COMMON,
        ...at,
        target: 'node14',
        entryPoints: ['src/cli/loader.ts'],
        outfile: join(bin, `${name}.cjs`),
      }),
    ),
    copyFile(join(root, 'src/cli/tsrun.sh'), join(bin, 'tsrun')),
  ]);
  await chmod(join(bin, 'tsrun'), 0o755);
}
