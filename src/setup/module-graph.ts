/**
 * The modules below src/ that a bundle needs at each start, and those that only some calls need: `import()` of the sources is where
 * one becomes the other.
 */
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const STATIC = /^(?:import|export)\s+(?!type\b)[^;']*?from '(\.[^']+\.ts)'|^import '(\.[^']+\.ts)'/gm;
// A type is no import, and neither is what a comment speaks of.
const DYNAMIC = /(?<!typeof |\{@link )\bimport\('(\.[^']+\.ts)'\)/g;

const found = (text: string, pattern: RegExp, file: string): string[] =>
  [...text.matchAll(pattern)].map((match) => join(dirname(file), match[1] ?? match[2] ?? ''));

/** Decides about `import('target')` in `importer`: is it reached at each start? Both are absolute. */
export type IsHot = (importer: string, target: string) => boolean;

/** What the command line imports of src/engine/ is what the command does. */
export const isEngine: IsHot = (importer, target) =>
  importer.includes('/src/cli/') && dirname(target).endsWith('/src/engine');

/**
 * Modules that are loaded at the first use of something they export, although the sources import them statically: code that runs in
 * no usual start, and that is called where nothing can be awaited.
 */
const AT_FIRST_USE = [
  'cli/attach/broken-pipe',
  'cli/parse/closest',
  'cli/parse/not-here',
  'engine/failure',
  'engine/remove-container',
  'engine/network-helper',
  'errors/table',
  'image/progress/create-progress',
  'image/unpack/start-unpack',
  'launch/seccomp/load-profile',
  'launch/seccomp/runtime-seccomp', // its result is kept in a file
  'launch/terminal',
  'network/bridge-network',
  'network/claim-ports',
  'network/forward/forwarded',
  'network/forward/probe-transparent',
  'network/ip-address',
  'network/pasta',
  'network/slirp4netns',
  'network/slirp4netns-options',
];
const isAtFirstUse = (file: string): boolean => AT_FIRST_USE.some((path) => file.endsWith(`/src/${path}.ts`));

/**
 * The second bundle's files besides `more`, and the modules where the code in them begins: that of bridge networks and published ports, which most
 * containers need, and nothing else of the second bundle; and that which starts the networks' hub.
 */
const PARTS: Readonly<Record<Exclude<PartName, 'more'>, readonly string[]>> = {
  net: [
    'engine/connect-networks',
    'engine/network-helper',
    'network/bridge-network',
    'network/claim-ports',
    'network/forward/forwarded',
    'network/forward/probe-transparent',
    'network/ip-address',
  ],
  hub: ['engine/start-hub'],
};
export type PartName = 'net' | 'hub' | 'more';
export const PART_NAMES: readonly PartName[] = ['net', 'hub', 'more'];

const beginsIn = (file: string, part: PartName): boolean =>
  part === 'more' || PARTS[part].some((path) => file.endsWith(`/src/${path}.ts`));

/** Modules of constants that the second bundle takes as a whole: it has a copy, or the first would have a function for each constant. */
export const isCopied = (file: string): boolean => /\/src\/sys\/(?:constants|format)\.ts$/.test(file);

/** Reads a source as it is bundled. */
export type ReadModule = (file: string) => string;

export interface ModuleGraph {
  /** Loaded at each start. */
  hot: ReadonlySet<string>;
  /** Loaded by hot ones when they are needed. */
  cold: ReadonlySet<string>;
}

/** All that `entry` imports. */
export function moduleGraph(entry: string, isHot: IsHot, read: ReadModule): ModuleGraph {
  const hot = new Set([entry]);
  const later = new Set<string>();
  for (const file of hot) {
    const text = read(file);
    for (const target of found(text, STATIC, file)) (isAtFirstUse(target) ? later : hot).add(target);
    for (const target of found(text, DYNAMIC, file)) (isHot(file, target) ? hot : later).add(target);
  }
  return { hot, cold: new Set([...later].filter((file) => !hot.has(file))) };
}

/** Stands for all that a module exports. */
export const ALL = '*';

const NAMES = /^(?:import|export)\s+(?!type\b)(?:(\{[^}]*\}|\*(?: as \w+)?)\s+from )?'(\.[^']+\.ts)'/gm;

/** What `text`, the source `file`, takes of other modules by static imports. Types are not taken. */
export function importedNames(file: string, text: string): { target: string; names: string[] }[] {
  return [...text.matchAll(NAMES)].map(([, what = '', path = '']) => ({
    target: join(dirname(file), path),
    names: what.startsWith('*') ? [ALL] : namesIn(what),
  }));
}

/** `{ a, type T, b as c }` → a, b */
const namesIn = (list: string): string[] =>
  list
    .replace(/[{}]/g, '')
    .split(',')
    .map((written) => written.trim())
    .filter((written) => written !== '' && !written.startsWith('type '))
    .map((written) => written.replace(/ as .*/s, ''));

/** A file of the second bundle: modules that are asked for from outside, and all modules. */
export interface Part {
  entries: ReadonlySet<string>;
  all: ReadonlySet<string>;
}

/**
 * All of the second bundle: the cold modules, and what they import that is not in the first. What `net` and `hub` import statically is in them as
 * well, the rest in `more`.
 */
export function secondModules({ hot, cold }: ModuleGraph, read: ReadModule): Record<PartName, Part> {
  const later = new Set(cold);
  const placed = new Set(hot);
  const part = (name: PartName): Part => {
    const entries = new Set([...later].filter((file) => !placed.has(file) && beginsIn(file, name)));
    const all = new Set(entries);
    for (const file of all) {
      const text = read(file);
      const imported = found(text, STATIC, file);
      const asked = found(text, DYNAMIC, file);
      for (const target of asked) later.add(target);
      for (const target of name === 'more' ? [...imported, ...asked] : imported)
        if (!placed.has(target)) all.add(target);
    }
    for (const file of all) placed.add(file);
    return { entries: name === 'more' ? entries : all, all };
  };
  return { net: part('net'), hub: part('hub'), more: part('more') };
}

export const readModule: ReadModule = (file) => readFileSync(file, 'utf8');

/**
 * Turns each `import()` of a module of `hot` into a static import: inside one script esbuild then needs no function around that module,
 * nor around any that it imports.
 */
export function importStatically(file: string, text: string, hot: ReadonlySet<string>): string {
  const head = new Set<string>();
  const isHot = (path: string): boolean => hot.has(join(dirname(file), path));
  const alias = (name: string, path: string): string => {
    const local = `${name}$${path.replace(/\W/g, '_')}`;
    head.add(`import { ${name} as ${local} } from '${path}';`);
    return local;
  };
  const body = text
    .replace(
      /\bconst \{([^}]*)\} = await import\('(\.[^']+\.ts)'\)/g,
      (whole, names: string, path: string) => {
        if (!isHot(path)) return whole;
        const bindings = names.split(',').flatMap((written) => {
          const [name = '', local = name] = written.split(':').map((word) => word.trim());
          return name === '' ? [] : [`${local} = ${alias(name, path)}`];
        });
        return `const ${bindings.join(', ')}`;
      },
    )
    .replace(/\(await import\('(\.[^']+\.ts)'\)\)\.(\w+)/g, (whole, path: string, name: string) =>
      isHot(path) ? alias(name, path) : whole,
    )
    .replace(DYNAMIC, (whole, path: string) => {
      if (!isHot(path)) return whole;
      const namespace = `all$${path.replace(/\W/g, '_')}`;
      head.add(`import * as ${namespace} from '${path}';`);
      return `Promise.resolve(${namespace})`;
    });
  return head.size === 0 ? text : `${[...head, body].join('\n')}`;
}
