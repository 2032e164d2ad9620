import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  allCommands,
  commandIndex,
  commandPage,
  type Documented,
  slug,
} from '../../src/setup/command-docs.ts';
import { manPage, overviewManPage } from '../../src/setup/man-pages.ts';

const DOCS = join(import.meta.dirname, '..', '..', 'docs');
let commands: Documented[];
beforeAll(async () => {
  commands = await allCommands();
});

it('docs/commands is what `npm run docs` makes of the tables', () => {
  const wanted = new Map([
    ['README.md', commandIndex(commands)],
    ...commands.map((one) => [`${slug(one.name)}.md`, commandPage(one)] as const),
  ]);
  const directory = join(DOCS, 'commands');
  expect(readdirSync(directory).sort()).toEqual([...wanted.keys()].sort());
  for (const [name, text] of wanted) expect(readFileSync(join(directory, name), 'utf8'), name).toBe(text);
});

describe('the man pages', () => {
  const hasMan = spawnSync('man', ['--version']).status === 0;

  // A hundred calls of man: on a busy machine more than a minute.
  it.runIf(hasMan)('are rendered without a warning, and say every option', { timeout: 600_000 }, () => {
    const overview = {
      name: 'tsrun',
      page: overviewManPage(commands, '1.2.3'),
      options: ['--storage-driver'],
    };
    const pages = commands.map((one) => ({
      name: one.name,
      page: manPage(one, '1.2.3'),
      options: Object.keys(one.command.options).map((name) => `--${name}`),
    }));
    for (const { name, page, options } of [overview, ...pages]) {
      const { status, stdout, stderr } = spawnSync('man', ['--warnings=all', '-l', '-'], {
        input: page,
        encoding: 'utf8',
        env: { ...process.env, MANWIDTH: '200', LC_ALL: 'C.UTF-8', MAN_KEEP_FORMATTING: '' },
      });
      expect([status, stderr], name).toEqual([0, '']);
      for (const option of options) expect(stdout, name).toContain(option);
    }
  });
});

it('no page links to a file that is not there', () => {
  const pages = readdirSync(DOCS, { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith('.md'),
  );
  const broken = pages.flatMap((page) => {
    const text = readFileSync(join(DOCS, page), 'utf8').replace(/```[\s\S]*?```/g, '');
    return [...text.matchAll(/\]\(([^)#\s]+)(?:#[^)]*)?\)/g)]
      .map(([, target = '']) => target)
      .filter((target) => !/^[a-z]+:/.test(target) && !existsSync(join(DOCS, page, '..', target)))
      .map((target) => `${page}: ${target}`);
  });
  expect(broken).toEqual([]);
});
