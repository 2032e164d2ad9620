/**
 * The words of a command line → the values of its options, and its operands: commander, set up from our tables.
 *
 * The rules are those of docker and podman (the pflag library). Commander has all but two of them: `--flag=false`, for which each
 * flag gets two hidden options of just that name, and `-p=80:80`, whose `=` is taken off (no value of ours begins with one). For `run`
 * and `exec` the first operand ends the options, because what follows it is the container's own command line.
 *
 * Commander is 2 ms to load and up to 0.1 ms for each option it is told of, at every start: it is loaded only when there may be
 * options among the words, and told only of those that the words may mean.
 */
import type { Command, CommanderError } from 'commander';
import type { Option, OptionTable, Values } from '../options/option.ts';
import { closest } from './closest.ts';
import { usageError } from './usage.ts';

export interface ParsedWords<T extends OptionTable> {
  values: Values<T>;
  operands: string[];
  /** --help was asked for; values and operands are then incomplete. */
  help: boolean;
}

export interface WordRules {
  /** How the command is called in messages: `tsrun run`. */
  command: string;
  optionsEndAtOperand: boolean;
  /** Options that docker or podman have and this command has not: name → what to do instead. */
  unsupported?: Readonly<Record<string, string>>;
}

const BOOLEANS: Readonly<Record<string, boolean>> = {
  true: true,
  '1': true,
  t: true,
  false: false,
  '0': false,
  f: false,
};

type Commander = typeof import('commander');

/** A commander command for a table; what it meets goes to `values`. */
class TableCommand {
  readonly command: Command;
  /** --help was met. */
  help = false;
  readonly #commander: Commander;
  readonly #words: readonly string[];
  /** What the words may mean: `rm` of `--rm`, `it` of `-it`. */
  readonly #long: readonly string[];
  readonly #short: string;
  readonly #values: Record<string, unknown>;

  constructor(
    commander: Commander,
    words: readonly string[],
    rules: WordRules,
    values: Record<string, unknown>,
  ) {
    this.#commander = commander;
    this.#words = words;
    this.#long = words.filter((word) => word.startsWith('--')).map((word) => word.slice(2));
    this.#short = words.filter((word) => word.startsWith('-') && !word.startsWith('--')).join('');
    this.#values = values;
    this.command = new commander.Command(rules.command)
      .argument('[operands...]')
      .helpOption(false)
      .showSuggestionAfterError(false)
      .exitOverride()
      .configureOutput({ writeErr: () => undefined });
    if (rules.optionsEndAtOperand) this.command.passThroughOptions();
  }

  addTable(table: OptionTable): void {
    const entries = Object.entries(table);
    for (const [name, option] of entries) if (this.#isMentioned(name, option)) this.#addOption(name, option);
    const hasH = entries.some(([, option]) => option.short === 'h');
    this.#hear(hasH ? '--help' : '-h, --help', () => {
      this.help = true;
    });
  }

  /** Might any of the words mean this option? */
  #isMentioned(name: string, option: Option): boolean {
    if (option.short !== undefined && this.#short.includes(option.short)) return true;
    const { aliases } = option;
    return this.#long.some(
      (word) => word.startsWith(name) || aliases?.some((alias) => word.startsWith(alias)),
    );
  }

  #addOption(name: string, option: Option): void {
    const set = (value: unknown): void => {
      if (option.kind === 'list') (this.#values[name] as unknown[]).push(value);
      else this.#values[name] = value;
    };
    for (const long of [name, ...(option.aliases ?? [])]) {
      const flags = long === name && option.short !== undefined ? `-${option.short}, --${long}` : `--${long}`;
      if (option.kind === 'flag') this.#addFlag(flags, `--${long}`, set);
      else {
        this.#hear(`${flags} <value>`, (text) =>
          set(option.parse(text.startsWith('=') ? text.slice(1) : text)),
        );
      }
    }
  }

  #addFlag(flags: string, long: string, set: (value: boolean) => void): void {
    this.#hear(flags, () => set(true));
    if (!this.#words.some((word) => word.startsWith(`${long}=`))) return;
    for (const [text, value] of Object.entries(BOOLEANS)) this.#hear(`${long}=${text}`, () => set(value));
  }

  #hear(flags: string, heard: (value: string) => void): void {
    const option = new this.#commander.Option(flags);
    this.command.addOption(option);
    this.command.on(`option:${option.name()}`, heard);
  }
}

/** Commander's errors in our words. The option is quoted in them: error: unknown option '--bad' */
function translate(error: CommanderError, table: OptionTable, rules: WordRules): Error {
  const { command, unsupported = {} } = rules;
  const written = (/'([^']*)'/.exec(error.message)?.[1] ?? '').replace(/^-\w, /, '').split(/[ =]/)[0] ?? '';
  const name = written.replace(/^-+/, '');
  if (error.code === 'commander.optionMissingArgument') {
    const argument = Object.hasOwn(table, name) ? table[name] : undefined;
    const value = argument && argument.kind !== 'flag' ? argument.argument : 'VALUE';
    return usageError(`${written} needs a value: ${written} ${value}`, `${command} --help`);
  }
  if (error.code !== 'commander.unknownOption') return usageError(error.message, `${command} --help`);
  if (Object.hasOwn(unsupported, name)) {
    return usageError(`${command} does not support ${written}`, unsupported[name] || undefined);
  }
  if (Object.hasOwn(table, name) && table[name]?.kind === 'flag') {
    return usageError(
      `${/'([^']*)'/.exec(error.message)?.[1]} is neither true nor false`,
      `${written}=false`,
    );
  }
  const near = name.length > 1 ? closest(name, Object.keys(table)) : undefined;
  return usageError(
    `${command} has no option ${written}`,
    near === undefined ? `${command} --help` : `did you mean --${near}?`,
  );
}

/** Throws ERR_TSRUN_USAGE. */
export async function parseWords<T extends OptionTable>(
  table: T,
  words: readonly string[],
  rules: WordRules,
): Promise<ParsedWords<T>> {
  const values: Record<string, unknown> = {};
  for (const [name, option] of Object.entries(table)) {
    values[name] = option.kind === 'flag' ? option.default : option.kind === 'list' ? [] : undefined;
  }
  const mayHoldOptions = rules.optionsEndAtOperand ? words.slice(0, 1) : words;
  if (!mayHoldOptions.some((word) => word.startsWith('-'))) {
    return { values: values as Values<T>, operands: [...words], help: false };
  }
  const commander = await import('commander');
  const met = new TableCommand(commander, words, rules, values);
  met.addTable(table);
  try {
    met.command.parse(words, { from: 'user' });
  } catch (error) {
    if (!(error instanceof commander.CommanderError)) throw error;
    if (!met.help) throw translate(error, table, rules);
  }
  return { values: values as Values<T>, operands: met.command.args, help: met.help };
}
