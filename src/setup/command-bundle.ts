/**
 * The two bundles of a command: what each start of it needs, and what only some calls need, such as errors, help and pulling.
 *
 * V8 takes time for every function that a bundle has, called or not, and more for each module that is wrapped in a function so that it
 * can be evaluated later. So the first bundle has no such module: what the sources import() is in the second, which is read at the first
 * of these imports. It takes the modules that both need from the first (`hot:`), so that there is one instance of each.
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
  moduleGraph,
  type ReadModule,
  readModule,
  secondModules,
} from './module-graph.ts';

/** A command's bundle and the paths of its sources. */
interface Sources {
  root: string;
  entry: string;
  hot: ReadonlySet<string>;
  cold: ReadonlySet<string>;
  read: ReadModule;
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
  return { root, entry, read, ...moduleGraph(entry, isEngine, read) };
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

/** In the first bundle: `import()` of a cold module asks the loader for it, and so does the use of something that a static import names. */
const leaveCold = ({ root, cold }: Sources): Plugin => ({
  name: 'leave-cold',
  setup(context) {
    context.onResolve({ filter: /^\..*\.ts$/ }, ({ path, resolveDir, kind }) => {
      const file = join(resolveDir, path);
      const how = kind === 'dynamic-import' ? 'more' : 'later';
      return cold.has(file) ? { path: `${how}:${nameOf(root, file)}`, external: true } : undefined;
    });
  },
});

/** In the second bundle: a hot module is the first bundle's. */
const takeHot = ({ root, hot }: Sources): Plugin => ({
  name: 'take-hot',
  setup(context) {
    context.onResolve({ filter: /^\..*\.ts$/ }, ({ path, resolveDir }) => {
      const file = join(resolveDir, path);
      return hot.has(file) && !isCopied(file)
        ? { path: `hot:${nameOf(root, file)}`, external: true }
        : undefined;
    });
  },
});

/** What the second bundle takes from the first: module → names. */
function takenNames({ cold, hot, read }: Sources): Map<string, Set<string>> {
  const taken = new Map<string, Set<string>>();
  const readHere: ReadModule = (file) => importStatically(file, read(file), hot);
  for (const file of secondModules(cold, hot, readHere)) {
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

const secondEntry = ({ root, cold }: Sources): string =>
  `export const more = { ${[...cold].map((file) => `'${nameOf(root, file)}': () => require('./${nameOf(root, file)}')`).join(',\n')} };`;

const stdin = (root: string, contents: string): BuildOptions => ({
  stdin: { contents, resolveDir: root, sourcefile: 'entry.js', loader: 'js' },
});

/** Writes `${outfile}.cjs` and, where there is something for it, `${outfile}.more.cjs`. @param common options of any bundle of ours */
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
  if (sources.cold.size > 0) await build(options(secondEntry(sources), `${outfile}.more`, takeHot(sources)));
  await build(options(firstEntry(sources), outfile, leaveCold(sources)));
}
