/** `tsrun --help` and `tsrun run --help`, from the tables. */
import type { Command } from './command.ts';
import { COMMANDS } from './commands.ts';
import { GLOBAL_OPTIONS } from './options/global-options.ts';
import type { Option, OptionTable } from './options/option.ts';

const INDENT = 2;
/** The texts of options begin at most here. */
const WIDEST_COLUMN = 34;

/** `-n, --name NAME` */
export const optionName = (name: string, option: Option): string => {
  const short = option.short === undefined ? '    ' : `-${option.short}, `;
  return `${short}--${name}${option.kind === 'flag' ? '' : ` ${option.argument}`}`;
};

/** How the default reads. */
function standardOf(option: Option): string | undefined {
  if (option.kind === 'value') return option.default;
  if (option.kind === 'list') return undefined;
  return option.default === undefined ? option.otherwise : option.default ? 'on' : undefined;
}

/** What it does, its default, an example. */
export function optionText(option: Option): string {
  const standard = standardOf(option);
  const example = option.example === undefined ? '' : ` (such as ${option.example})`;
  return `${option.text}${standard === undefined ? '' : ` [${standard}]`}${example}`;
}

/** Words of `text` in lines of at most `width`. */
function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line];
}

/** Two columns: names, and texts wrapped to the right of them. */
function twoColumns(rows: readonly (readonly [string, string])[], width: number): string[] {
  const column = Math.min(WIDEST_COLUMN, Math.max(...rows.map(([name]) => name.length + INDENT + 2)));
  return rows.flatMap(([name, text]) => {
    const head = `${' '.repeat(INDENT)}${name}`;
    const [first = '', ...more] = wrap(text, Math.max(30, width - column));
    const rest = more.map((line) => ' '.repeat(column) + line);
    if (head.length + 2 > column) return [head, ' '.repeat(column) + first, ...rest];
    return [head.padEnd(column) + first, ...rest];
  });
}

const optionRows = (table: OptionTable): [string, string][] =>
  Object.entries(table)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, option]) => [optionName(name, option), optionText(option)]);

/** @param width of the terminal, in characters */
export function commandHelp(name: string, command: Command, width: number): string {
  const hasOptions = Object.keys(command.options).length > 0;
  const usage = [`tsrun ${name}`, hasOptions ? '[OPTION…]' : '', command.usage].filter(Boolean).join(' ');
  const examples = command.examples ?? [];
  return [
    `Usage: ${usage}`,
    '',
    ...wrap(command.text, width),
    ...(hasOptions ? ['', 'Options:', ...twoColumns(optionRows(command.options), width)] : []),
    ...(examples.length > 0 ? ['', 'Examples:', ...examples.map((example) => `  ${example}`)] : []),
    '',
  ].join('\n');
}

/**
 * @param words of the group → the command that they stand for, with options perhaps (`inspect --type image`)
 * @param width of the terminal, in characters
 */
export function groupHelp(group: string, words: Readonly<Record<string, string>>, width: number): string {
  const own = Object.entries(COMMANDS).flatMap(([name, { summary }]) =>
    name.startsWith(`${group} `) ? [[name.slice(group.length + 1), summary] as const] : [],
  );
  const others = Object.entries(words).map(([word, name]): [string, string] => {
    const known = COMMANDS[name] ?? COMMANDS[name.split(' ', 1)[0] ?? ''];
    return [word, `${known?.summary ?? ''} (tsrun ${name})`];
  });
  return [
    `Usage: tsrun ${group} COMMAND …`,
    '',
    'Commands:',
    ...twoColumns(
      [...own, ...others].sort(([a], [b]) => (a < b ? -1 : 1)),
      width,
    ),
    '',
    `\`tsrun ${group} COMMAND --help\` describes a command.`,
    '',
  ].join('\n');
}

/** @param width of the terminal, in characters */
export function overview(width: number): string {
  return [
    'Usage: tsrun [OPTION…] COMMAND …',
    '',
    'Containers for an ordinary user: no daemon, nothing running as root.',
    '',
    'Commands:',
    ...twoColumns(
      Object.entries(COMMANDS).map(([name, { summary }]) => [name, summary]),
      width,
    ),
    '',
    'Options:',
    ...twoColumns(optionRows(GLOBAL_OPTIONS), width),
    '',
    '`tsrun COMMAND --help` describes a command.',
    '',
  ].join('\n');
}
