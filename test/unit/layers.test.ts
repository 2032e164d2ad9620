/**
 * The dependency check: the folders of src/ are layers, in the order of docs/architecture.md, and an import may only point down that
 * list. Type-only imports count too: they are what a reader has to know.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

const SRC = join(import.meta.dirname, '..', '..', 'src');

/** From the user's words down to the kernel's. `errors.ts`, and nothing behind it, may be imported by all. */
const LAYERS = [
  'cli',
  'engine',
  'explain',
  'image',
  'registry',
  'store',
  'rootfs',
  'network',
  'launch',
  'rootless',
  'supervisor',
  'sys',
  'spec',
  'errors.ts',
  'errors',
];

/** Builds the project and is no part of it: only what it builds may be looked at from there. */
const OUTSIDE = 'setup';
const SETUP_MAY_IMPORT = [
  'cli/bundle-names.ts',
  'cli/commands.ts',
  'cli/load-bundle.ts',
  'errors.ts',
  'cli/command.ts',
  'cli/help.ts',
  'cli/options/global-options.ts',
  'cli/options/option.ts',
];

/** Layers that import nothing of Node. */
const PURE = ['spec', 'errors.ts', 'errors'];
/** The only layer that uses native code. */
const NATIVE_LAYER = 'sys';
const NATIVE_PACKAGES = ['ffi-rs'];

interface Import {
  file: string;
  specifier: string;
}

const IMPORT =
  /(?:^|[;}\s])(?:import|export)\s[^'"`;]*?\bfrom\s*['"]([^'"]+)['"]|\bimport\s*\(?\s*['"]([^'"]+)['"]/g;

/** The module names that TypeScript source `text` imports, exports from, or imports dynamically. */
function importsOf(text: string): string[] {
  const code = text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '');
  return [...code.matchAll(IMPORT)].map(([, from, bare]) => from ?? bare ?? '');
}

const sources = readdirSync(SRC, { recursive: true, encoding: 'utf8' }).filter((name) =>
  name.endsWith('.ts'),
);
const imports: Import[] = sources.flatMap((file) =>
  importsOf(readFileSync(join(SRC, file), 'utf8')).map((specifier) => ({ file, specifier })),
);

const layerOf = (file: string): string => file.split('/')[0] ?? '';
const isRelative = ({ specifier }: Import): boolean => specifier.startsWith('.');
const targetOf = ({ file, specifier }: Import): string =>
  relative(SRC, resolve(SRC, dirname(file), specifier));
const show = (found: Import): string => `${found.file} imports ${found.specifier}`;

describe('the scanner', () => {
  it('finds every form of import and no comment', () => {
    const text = `
      import type { A } from './a.ts';
      import {
        b,
        type C,
      } from './b.ts';
      import './c.ts';
      export { d } from './d.ts';
      export * from './e.ts';
      const f = await import('./f.ts');
      // import { no } from './no.ts';
      /** import { no } from './no.ts'; */
      const message = 'taken from here';
    `;
    expect(importsOf(text).sort()).toEqual(['./a.ts', './b.ts', './c.ts', './d.ts', './e.ts', './f.ts']);
  });

  it('sees the sources', () => {
    expect(sources.length).toBeGreaterThan(50);
    expect(imports.length).toBeGreaterThan(sources.length);
  });
});

describe('the layers', () => {
  it('are all of src/', () => {
    const folders = readdirSync(SRC).filter((name) => name !== OUTSIDE);
    expect(folders.filter((name) => !LAYERS.includes(name))).toEqual([]);
  });

  it('import only downwards', () => {
    const upward = imports.filter(isRelative).filter((found) => {
      if (layerOf(found.file) === OUTSIDE) return false;
      return LAYERS.indexOf(layerOf(targetOf(found))) < LAYERS.indexOf(layerOf(found.file));
    });
    expect(upward.map(show)).toEqual([]);
  });

  it('are not imported by the set-up scripts, nor import them', () => {
    const crossing = imports.filter(isRelative).filter((found) => {
      const [from, to] = [layerOf(found.file), layerOf(targetOf(found))];
      if (from === OUTSIDE) return LAYERS.includes(to) && !SETUP_MAY_IMPORT.includes(targetOf(found));
      return !LAYERS.includes(to);
    });
    expect(crossing.map(show)).toEqual([]);
  });

  it('keep the pure ones free of Node', () => {
    const impure = imports.filter(
      ({ file, specifier }) =>
        PURE.includes(layerOf(file)) && (specifier.startsWith('node:') || builtinModules.includes(specifier)),
    );
    expect(impure.map(show)).toEqual([]);
  });

  it('use native code in one of them only', () => {
    const native = imports.filter(
      ({ file, specifier }) => NATIVE_PACKAGES.includes(specifier) && layerOf(file) !== NATIVE_LAYER,
    );
    expect(native.map(show)).toEqual([]);
    const loaders = sources
      .filter((file) => layerOf(file) !== NATIVE_LAYER && layerOf(file) !== OUTSIDE)
      .filter((file) => /process\.dlopen|ffi-rs\.node/.test(readFileSync(join(SRC, file), 'utf8')));
    expect(loaders).toEqual([]);
  });
});
