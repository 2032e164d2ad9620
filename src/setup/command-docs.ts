/**
 * docs/commands/*.md and the man pages, from the tables of commands and options: `npm run docs`. A test fails when the pages are not what
 * this makes.
 */
import type { Command } from '../cli/command.ts';
import { COMMANDS } from '../cli/commands.ts';
import { optionName, optionText } from '../cli/help.ts';
import { GLOBAL_OPTIONS } from '../cli/options/global-options.ts';
import type { OptionTable } from '../cli/options/option.ts';

/** A command with all that is said of it. */
export interface Documented {
  /** `volume ls` */
  name: string;
  summary: string;
  command: Command;
}

export const allCommands = (): Promise<Documented[]> =>
  Promise.all(
    Object.entries(COMMANDS).map(async ([name, { summary, load }]) => ({
      name,
      summary,
      command: await load(),
    })),
  );

/** `volume ls` → `volume-ls`, in the names of files and man pages */
export const slug = (name: string): string => name.replaceAll(' ', '-');

export const sortedOptions = (table: OptionTable): [names: string, text: string][] =>
  Object.entries(table)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, option]) => [optionName(name, option).trim(), optionText(option)]);

export const usageOf = (name: string, { options, usage }: Command): string =>
  [`tsrun ${name}`, Object.keys(options).length > 0 ? '[OPTION…]' : '', usage].filter(Boolean).join(' ');

const MADE = '<!-- Made from the tables of src/cli by `npm run docs`. -->';

/** Outside of code spans: characters that Markdown takes for more than themselves. */
const escaped = (text: string): string =>
  text
    .split(/(`[^`]*`)/)
    .map((part, i) => (i % 2 === 1 ? part : part.replace(/[<>*_[\]\\|]/g, (character) => `\\${character}`)))
    .join('');

function optionList(table: OptionTable): string[] {
  return sortedOptions(table).map(([names, text]) => `- \`${names}\`: ${escaped(text)}`);
}

/** One page. */
export function commandPage({ name, summary, command }: Documented): string {
  const options = optionList(command.options);
  const unsupported = Object.entries(command.unsupported ?? {});
  const sections = [
    `# tsrun ${name}`,
    MADE,
    `${escaped(summary)}.`,
    `    ${usageOf(name, command)}`,
    escaped(command.text),
    ...(options.length > 0 ? ['## Options', options.join('\n')] : []),
    ...(command.examples ? ['## Examples', command.examples.map((line) => `    ${line}`).join('\n')] : []),
    ...(unsupported.length > 0
      ? [
          '## Options of docker and podman that there are not',
          'They are refused by name.',
          unsupported
            .map(([option, instead]) => `- \`--${option}\`${instead === '' ? '' : `: ${escaped(instead)}`}`)
            .join('\n'),
        ]
      : []),
  ];
  return `${sections.join('\n\n')}\n`;
}

/** docs/commands/README.md: all commands, and the options before them. */
export function commandIndex(commands: readonly Documented[]): string {
  const sections = [
    '# Commands',
    MADE,
    'The same texts are in `tsrun COMMAND --help` and, where tsrun was installed by `npm install -g`, in `man tsrun-COMMAND`.',
    commands
      .map(({ name, summary }) => `- [\`tsrun ${name}\`](${slug(name)}.md): ${escaped(summary)}`)
      .join('\n'),
    '## Options before the command',
    optionList(GLOBAL_OPTIONS).join('\n'),
    'Exit statuses: [exit-codes.md](../exit-codes.md). Errors: [errors.md](../errors.md).',
  ];
  return `${sections.join('\n\n')}\n`;
}
