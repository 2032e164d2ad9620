/**
 * The two bundles of a command: what each start of it needs, and what only some calls need, such as errors, help and pulling.
 *
 * V8 takes time for every function that a bundle has, called or not, and more for each module that is wrapped in a function so that it
 * can be evaluated later. So the first bundle has no such module: what the sources import() is in the second, which is read at the first
 * of these imports. It takes the modules that both need from the first (`hot:`), so that there is one instance of each. It is in
 * several files (`net:`, `hub:`, `more:`; module-graph.ts), each of which takes from the others what is theirs.
 */
import { join, relative } from 'node:path';
import { type BuildOptions, build, type Plugin } from 'esbuild';
import { COMMANDS } from '../cli/commands.ts';
import {
  ALL,
  importedNames,
  importStatically,
  isCopied,
  isEngine,
  type ModuleGraph,
  moduleGraph,
  PART_NAMES,
  type Part,
  type PartName,
  type ReadModule,
  readModule,
  secondModules,
} from './module-graph.ts';

/** A command's bundle and the paths of its sources. */
interface Sources extends ModuleGraph {
  root: string;
  entry: string;
  read: ReadModule;
  second: Readonly<Record<PartName, Part>>;
}

/** src/cli/commands.ts as the bundle of one command has it: without the others. */
function tableOf(verb: string): string {
  const entry = COMMANDS[verb];
  const [, path, name] = /import\('([^']+)'\)\)\.(\w+)/.exec(String(entry?.load)) ?? [];
  if (!entry || path === undefined)
    throw new Error(`src/cli/commands.ts does not say how "${verb}" is loaded`);
  return `import { ${name} } from '${path}';
export const COMMANDS = { ${JSON.stringify(verb)}: { summary: ${JSON.stringify(entry.summary)}, load: async () => ${name} } };
export const GROUPED = {};`;
}

function sourcesOf(root: string, verb: string): Sources {
  const entry = join(root, 'src/cli/main.ts');
  const table = join(root, 'src/cli/commands.ts');
  const read: ReadModule = (file) => (file === table ? tableOf(verb) : readModule(file));
  const graph = moduleGraph(entry, isEngine, read);
  const second = secondModules(graph, (file) => importStatically(file, read(file), graph.hot));
  return { root, entry, read, second, ...graph };
}

const nameOf = (root: string, file: string): string => relative(root, file);

/** Sources as `read` gives them, with imports of hot modules made static. */
const ourSources = ({ hot, read }: Sources): Plugin => ({
  name: 'our-sources',
  setup(context) {
    context.onLoad({ filter: /\/src\/.*\.ts$/ }, ({ path }) => ({
      contents: importStatically(path, read(path), hot),
      loader: 'ts',
    }));
  },
});

/** Which file of the second bundle a module is in. */
const partOf = ({ second }: Sources, file: string): PartName =>
  PART_NAMES.find((name) => second[name].all.has(file)) ?? 'more';

/** In the first bundle: `import()` of a cold module asks the loader for it, and so does the use of something that a static import names. */
const leaveCold = (sources: Sources): Plugin => ({
  name: 'leave-cold',
  setup(context) {
    context.onResolve({ filter: /^\..*\.ts$/ }, ({ path, resolveDir, kind }) => {
      const file = join(resolveDir, path);
      const how = kind === 'dynamic-import' ? '' : 'later:';
      const { root, cold } = sources;
      return cold.has(file)
        ? { path: `${how}${partOf(sources, file)}:${nameOf(root, file)}`, external: true }
        : undefined;
    });
  },
});

/** In a file of the second bundle: a hot module is the first bundle's, and one of another file is that file's. */
const takeOthers = (sources: Sources, part: PartName): Plugin => ({
  name: 'take-others',
  setup(context) {
    context.onResolve({ filter: /^\..*\.ts$/ }, ({ path, resolveDir }) => {
      const file = join(resolveDir, path);
      if (isCopied(file)) return undefined;
      const { root, hot } = sources;
      const where = hot.has(file) ? 'hot' : partOf(sources, file);
      return where === part ? undefined : { path: `${where}:${nameOf(root, file)}`, external: true };
    });
  },
});

/** What the second bundle takes from the first: module → names. */
function takenNames({ second, hot, read }: Sources): Map<string, Set<string>> {
  const taken = new Map<string, Set<string>>();
  const readHere: ReadModule = (file) => importStatically(file, read(file), hot);
  for (const file of PART_NAMES.flatMap((name) => [...second[name].all])) {
    for (const { target, names } of importedNames(file, readHere(file))) {
      if (!hot.has(target) || isCopied(target)) continue;
      const known = taken.get(target) ?? new Set();
      taken.set(target, known);
      for (const name of names) known.add(name);
    }
  }
  return taken;
}

/** The first bundle's entry: the command line, and a function that gives its modules to the second bundle. */
function firstEntry(sources: Sources): string {
  const { root, entry } = sources;
  const imports: string[] = [];
  const cases: string[] = [];
  for (const [i, [file, names]] of [...takenNames(sources)].entries()) {
    const module = nameOf(root, file);
    if (names.has(ALL)) {
      imports.push(`import * as all$${i} from './${module}';`);
      cases.push(`case '${module}': return all$${i};`);
      continue;
    }
    const locals = [...names].map((name) => ({ name, local: `${name}$${i}` }));
    imports.push(
      `import { ${locals.map(({ name, local }) => `${name} as ${local}`).join(', ')} } from './${module}';`,
    );
    cases.push(
      `case '${module}': return { ${locals.map(({ name, local }) => `${name}: ${local}`).join(', ')} };`,
    );
  }
  return `${imports.join('\n')}
export function hot(name) { switch (name) { ${cases.join('\n')} } throw new Error(name); }
import './${nameOf(root, entry)}';`;
}

const secondEntry = (root: string, entries: ReadonlySet<string>): string =>
  `export const more = { ${[...entries].map((file) => `'${nameOf(root, file)}': () => require('./${nameOf(root, file)}')`).join(',\n')} };`;

const stdin = (root: string, contents: string): BuildOptions => ({
  stdin: { contents, resolveDir: root, sourcefile: 'entry.js', loader: 'js' },
});

/** Writes `${outfile}.cjs` and, where there is something for them, `${outfile}.net.cjs`, `.hub.cjs` and `.more.cjs`. @param common options of any bundle of ours */
export async function bundleCommand(
  root: string,
  verb: string,
  outfile: string,
  common: BuildOptions,
): Promise<void> {
  const sources = sourcesOf(root, verb);
  const options = (contents: string, name: string, plugin: Plugin): BuildOptions => ({
    ...common,
    ...stdin(root, contents),
    outfile: `${name}.cjs`,
    plugins: [plugin, ourSources(sources), ...(common.plugins ?? [])],
  });
  for (const part of PART_NAMES) {
    const { entries } = sources.second[part];
    if (entries.size === 0) continue;
    await build(options(secondEntry(root, entries), `${outfile}.${part}`, takeOthers(sources, part)));
  }
  await build(options(firstEntry(sources), outfile, leaveCold(sources)));
}
