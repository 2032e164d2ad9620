/**
 * The words of a command line → the values of its options, and its operands: commander, set up from our tables.
 *
 * The rules are those of docker and podman (the pflag library). Commander has all but two of them: `--flag=false`, for which each
 * flag gets two hidden options of just that name, and `-p=80:80`, whose `=` is taken off (no value of ours begins with one). For `run`
 * and `exec` the first operand ends the options, because what follows it is the container's own command line.
 */
import { Command, CommanderError, Option as CommanderOption } from 'commander';
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

type Set = (value: unknown) => void;

/** Adds one option under one long name; `set` is called each time it is met. */
function addOption(command: Command, option: Option, flags: string, set: Set): void {
  const add = (text: string, heard: (value: string) => void): void => {
    const added = new CommanderOption(text);
    command.addOption(added);
    command.on(`option:${added.name()}`, heard);
  };
  if (option.kind !== 'flag') {
    add(`${flags} <value>`, (text) => set(option.parse(text.startsWith('=') ? text.slice(1) : text)));
    return;
  }
  add(flags, () => set(true));
  const long = flags.slice(flags.indexOf('--'));
  for (const [text, value] of Object.entries(BOOLEANS)) add(`${long}=${text}`, () => set(value));
}

/** A commander command for the table; what it meets goes to `values`. */
function commandFor(
  table: OptionTable,
  rules: WordRules,
  values: Record<string, unknown>,
  onHelp: () => void,
): Command {
  const command = new Command(rules.command)
    .argument('[operands...]')
    .helpOption(false)
    .exitOverride()
    .configureOutput({ writeErr: () => undefined });
  if (rules.optionsEndAtOperand) command.passThroughOptions();
  for (const [name, option] of Object.entries(table)) {
    values[name] = option.kind === 'flag' ? option.default : option.kind === 'list' ? [] : undefined;
    const set: Set = (value) => {
      if (option.kind === 'list') (values[name] as unknown[]).push(value);
      else values[name] = value;
    };
    addOption(command, option, option.short ? `-${option.short}, --${name}` : `--${name}`, set);
    for (const alias of option.aliases ?? []) addOption(command, option, `--${alias}`, set);
  }
  const hasH = Object.values(table).some((option) => option.short === 'h');
  command.addOption(new CommanderOption(hasH ? '--help' : '-h, --help'));
  command.on('option:help', onHelp);
  return command;
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
export function parseWords<T extends OptionTable>(
  table: T,
  words: readonly string[],
  rules: WordRules,
): ParsedWords<T> {
  const values: Record<string, unknown> = {};
  let help = false;
  const command = commandFor(table, rules, values, () => {
    help = true;
  });
  try {
    command.parse(words, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (!help) throw translate(error, table, rules);
  }
  return { values: values as Values<T>, operands: command.args, help };
}
