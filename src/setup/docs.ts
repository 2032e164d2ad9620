/** Writes the generated pages: of docs/, and the man pages of dist/. */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { allCommands, commandIndex, commandPage, slug } from './command-docs.ts';
import { errorDocs } from './error-docs.ts';
import { manPage, overviewManPage } from './man-pages.ts';

const root = join(import.meta.dirname, '..', '..');
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
const commands = await allCommands();

/** Everything in `directory` is made anew, so that no page of a command that is gone stays. */
function writePages(directory: string, pages: readonly (readonly [name: string, text: string])[]): void {
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(directory, { recursive: true });
  for (const [name, text] of pages) writeFileSync(join(directory, name), text);
}

writeFileSync(join(root, 'docs', 'errors.md'), errorDocs());
writePages(join(root, 'docs', 'commands'), [
  ['README.md', commandIndex(commands)],
  ...commands.map((one) => [`${slug(one.name)}.md`, commandPage(one)] as const),
]);
writePages(join(root, 'dist', 'man', 'man1'), [
  ['tsrun.1', overviewManPage(commands, version)],
  ...commands.map((one) => [`tsrun-${slug(one.name)}.1`, manPage(one, version)] as const),
]);
