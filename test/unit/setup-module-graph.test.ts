/** What a command's first bundle holds, and how import() becomes import (src/setup/module-graph.ts). */
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  ALL,
  importedNames,
  importStatically,
  isEngine,
  type ModuleGraph,
  moduleGraph,
  readModule,
  secondModules,
} from '../../src/setup/module-graph.ts';

const SOURCES: Readonly<Record<string, string>> = {
  '/s/main.ts': `import { a } from './a.ts';
import type { T } from './type-only.ts';
const { b } = await import('./b.ts');
type Later = typeof import('./type-only.ts');
const { c } = await import('./c.ts');`,
  '/s/a.ts': `export { x } from './x.ts';`,
  '/s/b.ts': `import {
  one,
  two,
} from './several.ts';
const { a } = await import('./a.ts');`,
  '/s/c.ts': `import './only-for-c.ts';`,
  '/s/x.ts': '',
  '/s/several.ts': '',
};

const graphOf = (): ModuleGraph =>
  moduleGraph(
    '/s/main.ts',
    (_, target) => target === '/s/b.ts',
    (file) => SOURCES[file] ?? '',
  );

describe('moduleGraph', () => {
  it('takes to the start what is imported, and what is imported there with import() if it is said so', () => {
    const { hot, cold } = graphOf();
    expect([...hot].sort()).toEqual(['/s/a.ts', '/s/b.ts', '/s/main.ts', '/s/several.ts', '/s/x.ts']);
    // A module of the start that somebody import()s stays one of the start.
    expect([...cold]).toEqual(['/s/c.ts']);
  });

  it('finds in the sources of `run` no registry and no archive', () => {
    const root = join(import.meta.dirname, '../../src');
    const entry = join(root, 'cli/commands/run.ts');
    const { hot } = moduleGraph(entry, isEngine, readModule);
    const folders = [...hot].map((file) => file.slice(root.length + 1));
    expect(folders).toContain('engine/start-container.ts');
    expect(folders).toContain('sys/encode.ts');
    expect(folders.filter((file) => /^image\/(pull\/fetch|archive)|^explain\//.test(file))).toEqual([]);
  });
});

describe('secondModules', () => {
  const root = join(import.meta.dirname, '../../src');
  const graph = moduleGraph(join(root, 'cli/commands/run.ts'), isEngine, readModule);
  const parts = secondModules(graph, (file) => importStatically(file, readModule(file), graph.hot));
  const names = (part: keyof typeof parts) => [...parts[part].all].map((file) => file.slice(root.length + 1));

  it('has what a container on a running bridge takes apart from what starts the bridge, and from all else', () => {
    expect(names('net')).toContain('engine/join-hub.ts');
    expect(names('net')).toContain('network/forward/forwarded.ts');
    expect(names('net').filter((name) => !/^(?:network|engine|store)\//.test(name))).toEqual([]);
    expect(names('hub')).toContain('network/hub-program.ts');
    expect(names('more')).toContain('image/pull/pull-image.ts');
  });

  it('has each module once', () => {
    const all = [...names('net'), ...names('hub'), ...names('more')];
    expect(new Set(all).size).toBe(all.length);
    expect(all.filter((name) => graph.hot.has(join(root, name)))).toEqual([]);
  });
});

describe('importedNames', () => {
  const of = (text: string) => importedNames('/s/main.ts', text);

  it('are the values, by the names that the module has for them', () => {
    expect(
      of(`import {\n  a,\n  type T,\n  b as other,\n} from './a.ts';\nimport type { U } from './u.ts';`),
    ).toEqual([{ target: '/s/a.ts', names: ['a', 'b'] }]);
    expect(of(`export { a } from './a.ts';\nimport './b.ts';\nimport { join } from 'node:path';`)).toEqual([
      { target: '/s/a.ts', names: ['a'] },
      { target: '/s/b.ts', names: [] },
    ]);
  });

  it('are all of a module that is taken as a whole', () => {
    for (const text of [`import * as a from './a.ts';`, `export * from './a.ts';`])
      expect(of(text)).toEqual([{ target: '/s/a.ts', names: [ALL] }]);
  });

  it('are found in what importStatically() has made', () => {
    const text = importStatically(
      '/s/main.ts',
      `const { a } = await import('./a.ts');\nconst { b } = await import('./b.ts');`,
      new Set(['/s/a.ts', '/s/b.ts']),
    );
    expect(of(text).map(({ names }) => names)).toEqual([['a'], ['b']]);
  });
});

describe('importStatically', () => {
  const hot = new Set(['/s/a.ts']);
  const of = (text: string): string => importStatically('/s/main.ts', text, hot);

  it('gives each name an alias of its own', () => {
    expect(of(`const { a, b: other } = await import('./a.ts');\nuse((await import('./a.ts')).a)`)).toBe(
      `import { a as a$__a_ts } from './a.ts';\nimport { b as b$__a_ts } from './a.ts';\n` +
        'const a = a$__a_ts, other = b$__a_ts;\nuse(a$__a_ts)',
    );
  });

  it('makes a promise of the module where that is what is used', () => {
    expect(of(`await Promise.all([import('./a.ts'), import('./b.ts')])`)).toBe(
      `import * as all$__a_ts from './a.ts';\nawait Promise.all([Promise.resolve(all$__a_ts), import('./b.ts')])`,
    );
  });

  it('leaves alone what is not of the start, and types', () => {
    for (const text of [`const { x } = await import('./b.ts');`, `type A = typeof import('./a.ts');`])
      expect(of(text)).toBe(text);
  });
});
