/**
 * The command line. Everything that a command needs is loaded when the command is known: starting costs no more than this file, the
 * table of commands and the parser.
 */
import { storeRoot } from '../store/store-root.ts';
import { exitNow } from '../sys/exit.ts';
import type { Command, Context } from './command.ts';
import { COMMANDS, GROUPED } from './commands.ts';
import { given } from './given-root.ts';
import { GLOBAL_OPTIONS } from './options/global-options.ts';
import type { Values } from './options/option.ts';
import { print, say, terminalWidth } from './output.ts';
import { closest } from './parse/closest.ts';
import { insteadOf } from './parse/not-here.ts';
import { usageError } from './parse/usage.ts';
import { parseWords } from './parse/words.ts';

type Globals = Values<typeof GLOBAL_OPTIONS>;

/** What an error message says about where it came from. */
const about: { debug: boolean; command?: string } = { debug: false };

/** @returns the exit status */
async function main(words: readonly string[]): Promise<number> {
  const rules = { command: 'tsrun', optionsEndAtOperand: true };
  const { values: globals, operands, help } = await parseWords(GLOBAL_OPTIONS, words, rules);
  about.debug = globals.debug;
  given.root = globals.root;
  const [first, ...rest] = globals.version ? ['version'] : operands;
  if (help || first === undefined || first === 'help') return await showHelp(rest, help || first === 'help');
  if (isGroupHelp(first, rest)) return await showGroup(first);
  const [name, ownWords] = ungroup(first, rest);
  const command = await load(name);
  about.command = `tsrun ${name}`;
  return await runCommand(name, command, ownWords, globals);
}

/** `container ls -a` → `ps -a`; `volume ls` is a command of that name. */
function ungroup(first: string, rest: readonly string[]): [name: string, words: string[]] {
  const group = Object.hasOwn(GROUPED, first) ? GROUPED[first] : undefined;
  if (group === undefined) return [first === 'unmount' ? 'umount' : first, [...rest]]; // podman has both words
  const verb = rest[0] ?? '';
  const whole = `${first} ${verb}`;
  if (Object.hasOwn(COMMANDS, whole)) return [whole, rest.slice(1)];
  const words = Object.hasOwn(group, verb) ? group[verb] : undefined;
  if (words === undefined) {
    const problem = verb === '' || verb.startsWith('-') ? 'needs a command' : `has no command "${verb}"`;
    const hint = insteadOf(whole) ?? `tsrun ${first} ${verbsOf(first, group).join('|')}`;
    throw usageError(`tsrun ${first} ${problem}`, hint);
  }
  if (Object.hasOwn(COMMANDS, words)) return [words, rest.slice(1)];
  const [name = '', ...more] = words.split(' ');
  return [name, [...more, ...rest.slice(1)]];
}

const verbsOf = (first: string, group: object): string[] => [
  ...Object.keys(COMMANDS).flatMap((name) =>
    name.startsWith(`${first} `) ? [name.slice(first.length + 1)] : [],
  ),
  ...Object.keys(group),
];

async function load(name: string): Promise<Command> {
  const entry = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (entry) return await entry.load();
  const near = closest(name, Object.keys(COMMANDS));
  const hint = insteadOf(name) ?? (near === undefined ? 'tsrun --help' : `tsrun ${near}`);
  throw usageError(`there is no command "${name}"`, hint);
}

/** `tsrun image --help`, `tsrun image -h` */
const isGroupHelp = (first: string, [verb = '']: readonly string[]): boolean =>
  (verb === '--help' || verb === '-h') && Object.hasOwn(GROUPED, first) && !Object.hasOwn(COMMANDS, first);

async function showGroup(group: string): Promise<number> {
  const { groupHelp } = await import('./help.ts');
  print(groupHelp(group, GROUPED[group] ?? {}, await terminalWidth()));
  return 0;
}

async function showHelp([first, ...rest]: readonly string[], asked: boolean): Promise<number> {
  if (first !== undefined && isGroupHelp(first, rest.length === 0 ? ['--help'] : []))
    return await showGroup(first);
  const { commandHelp, overview } = await import('./help.ts');
  const width = await terminalWidth();
  const [name] = first === undefined ? [] : ungroup(first, rest);
  const text = name === undefined ? overview(width) : commandHelp(name, await load(name), width);
  if (asked) print(text);
  else say(text);
  return asked ? 0 : 125;
}

async function runCommand(
  name: string,
  command: Command,
  words: string[],
  globals: Globals,
): Promise<number> {
  const { values, operands, help } = await parseWords(command.options, words, {
    command: `tsrun ${name}`,
    optionsEndAtOperand: command.optionsEndAtOperand ?? false,
    ...(command.unsupported && { unsupported: command.unsupported }),
  });
  if (help) {
    const { commandHelp } = await import('./help.ts');
    print(commandHelp(name, command, await terminalWidth()));
    return 0;
  }
  const [least, most] = command.operands;
  if (operands.length < least)
    throw usageError(`tsrun ${name} needs ${command.usage}`, command.examples?.[0]);
  if (operands.length > most) {
    throw usageError(
      `tsrun ${name} does not take "${operands[most]}"`,
      `tsrun ${name} ${command.usage}`.trim(),
    );
  }
  return await command.run(values, operands, contextOf(globals));
}

function contextOf(globals: Globals): Context {
  const isSilent = globals['log-level'] === 'error';
  return {
    debug: globals.debug,
    storeRoot: () => storeRoot(globals.root),
    engine: async () => {
      const { openEngine } = await import('../engine/open-engine.ts');
      return openEngine({
        root: globals.root,
        storageDriver: globals['storage-driver'],
        ...(isSilent && { warn: () => {} }),
      });
    },
  };
}

async function fail(error: unknown): Promise<number> {
  const { exitCodeOf, renderError } = await import('./render-error.ts');
  say(`${renderError(error, about)}\n`);
  return exitCodeOf(error);
}

main(process.argv.slice(2)).catch(fail).then(exitNow);
