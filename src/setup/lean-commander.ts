/** Commander, without what tsrun has no use for: V8 takes time at each start for every function that a bundle has. */
import { readFile } from 'node:fs/promises';
import type { Plugin } from 'esbuild';

/** File of commander → what the bundles have instead. Help and suggestions are our own (src/cli/help.ts, src/cli/parse/closest.ts). */
const INSTEAD: Readonly<Record<string, string>> = {
  'index.js': `export { Command } from './lib/command.js';
export { CommanderError } from './lib/error.js';
export { Option } from './lib/option.js';`,
  'help.js': 'export class Help {}',
  'suggestSimilar.js': `export const suggestSimilar = () => '';`,
};

/**
 * Commander asks of each option whether the last letter of its argument's name is one of Unicode's; for that ICU makes the set of all
 * such letters, 1.2 ms at each start. Our arguments are ASCII.
 */
async function optionInAscii(path: string): Promise<string> {
  const source = await readFile(path, 'utf8');
  const contents = source.replace(/\\p\{ID_Continue\}(.*)\/u/, '\\w$1/');
  if (contents === source)
    throw new Error(`${path} has changed: lean-commander.ts is not needed, or to be adapted`);
  return contents;
}

export const leanCommander: Plugin = {
  name: 'lean-commander',
  setup(context) {
    context.onLoad({ filter: /\/commander\/(?:index|lib\/\w+)\.js$/ }, async ({ path }) => {
      const file = path.slice(path.lastIndexOf('/') + 1);
      if (file === 'option.js') return { contents: await optionInAscii(path) };
      const contents = INSTEAD[file];
      return contents === undefined ? undefined : { contents };
    });
  },
};
