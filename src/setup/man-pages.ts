/** Man pages in the man(7) macros, from the tables of commands and options. */
import { GLOBAL_OPTIONS } from '../cli/options/global-options.ts';
import type { OptionTable } from '../cli/options/option.ts';
import { type Documented, slug, sortedOptions, usageOf } from './command-docs.ts';

/** Text that roff takes for nothing else: backslashes, dashes that are to be copied, a dot or quote at the beginning of a line. */
const roff = (text: string): string =>
  text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replaceAll('`', '')
    .replaceAll('…', '...')
    .replaceAll('’', '\\(aq')
    .replace(/^([.'])/gm, '\\&$1');

const header = (name: string, version: string): string =>
  `.TH "${name.toUpperCase()}" 1 "" "tsrun ${version}" "tsrun manual"`;

const options = (table: OptionTable): string[] =>
  sortedOptions(table).flatMap(([names, text]) => ['.TP', `\\fB${roff(names)}\\fR`, roff(text)]);

const STATUS = [
  '.SH EXIT STATUS',
  '125 when tsrun itself fails, 126 when a command cannot be invoked, 127 when it is not there, 128+n when signal n ended it; any',
  'other is the command\\(aqs own.',
];

/** tsrun-run.1 */
export function manPage({ name, summary, command }: Documented, version: string): string {
  const title = `tsrun-${slug(name)}`;
  const hasOptions = Object.keys(command.options).length > 0;
  return `${[
    header(title, version),
    '.SH NAME',
    `${roff(title)} \\- ${roff(summary)}`,
    '.SH SYNOPSIS',
    `\\fB${roff(usageOf(name, command))}\\fR`,
    '.SH DESCRIPTION',
    roff(command.text),
    ...(hasOptions ? ['.SH OPTIONS', ...options(command.options)] : []),
    ...(command.examples
      ? ['.SH EXAMPLES', '.nf', ...command.examples.map((example) => roff(example)), '.fi']
      : []),
    ...STATUS,
    '.SH SEE ALSO',
    '.BR tsrun (1)',
  ].join('\n')}\n`;
}

/** tsrun.1 */
export function overviewManPage(commands: readonly Documented[], version: string): string {
  return `${[
    header('tsrun', version),
    '.SH NAME',
    'tsrun \\- containers for an ordinary user',
    '.SH SYNOPSIS',
    '\\fBtsrun [OPTION...] COMMAND ...\\fR',
    '.SH DESCRIPTION',
    'Runs OCI containers with no daemon, and nothing as root. Each command has a page of its own.',
    '.SH COMMANDS',
    ...commands.flatMap(({ name, summary }) => [
      '.TP',
      `\\fB${roff(name)}\\fR`,
      `${roff(summary)}; see \\fB${roff(`tsrun-${slug(name)}`)}\\fR(1)`,
    ]),
    '.SH OPTIONS',
    ...options(GLOBAL_OPTIONS),
    ...STATUS,
  ].join('\n')}\n`;
}
