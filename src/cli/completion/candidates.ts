/**
 * What may stand where the cursor is, from the tables that the parser and the help are made of.
 *
 * The shells know nothing of tsrun: their scripts (scripts.ts) hand over the words up to the cursor, and show what comes back.
 */
import type { Command } from '../command.ts';
import { COMMANDS, GROUPED } from '../commands.ts';
import { GLOBAL_OPTIONS } from '../options/global-options.ts';
import type { Option, OptionTable } from '../options/option.ts';

export interface Candidate {
  text: string;
  /** One line; zsh and fish show it. */
  about?: string;
}

/** A kind of thing that has a name in the store. */
export type Kind = 'container' | 'image' | 'volume' | 'network';

/** Asked only for what is needed. */
export type LiveNames = (kind: Kind) => Promise<readonly string[]>;

export interface Completion {
  candidates: Candidate[];
  /** Names of files may stand here, too. */
  files: boolean;
}

const NOTHING: Completion = { candidates: [], files: false };
const FILES: Completion = { candidates: [], files: true };

/** Placeholders of the usage and of options' values → what they stand for. */
const KINDS: Readonly<Record<string, Kind>> = {
  CONTAINER: 'container',
  IMAGE: 'image',
  VOLUME: 'volume',
  NETWORK: 'network',
  MODE: 'network',
};

/** `--name` or `-n`, in a table; its value, when the word has one (`--name=x`). */
function optionOf(table: OptionTable, word: string): Option | undefined {
  const [name = ''] = word.split('=');
  if (name.startsWith('--')) {
    const long = name.slice(2);
    const found = Object.entries(table).find(
      ([key, option]) => key === long || option.aliases?.includes(long),
    );
    return found?.[1];
  }
  // `-itd`: the last letter may want a value.
  return Object.values(table).find((option) => option.short === name.at(-1));
}

const wantsValue = (table: OptionTable, word: string): boolean => {
  if (!word.startsWith('-') || word === '-' || word.includes('=')) return false;
  const option = optionOf(table, word);
  return option !== undefined && option.kind !== 'flag';
};

/** The words that are not options or their values. */
function operandsOf(table: OptionTable, words: readonly string[], endAtOperand: boolean): string[] {
  const operands: string[] = [];
  for (let i = 0; i < words.length; i++) {
    const word = words[i] ?? '';
    if (operands.length > 0 && endAtOperand) operands.push(word);
    else if (word === '--') return [...operands, ...words.slice(i + 1)];
    else if (!word.startsWith('-')) operands.push(word);
    else if (wantsValue(table, word)) i++;
  }
  return operands;
}

const optionCandidates = (table: OptionTable): Candidate[] =>
  Object.entries(table).map(([name, option]) => ({ text: `--${name}`, about: option.text }));

async function live(kind: Kind, names: LiveNames): Promise<Completion> {
  return { candidates: (await names(kind)).map((text) => ({ text })), files: false };
}

/** `[CONTAINER…]`, third operand → CONTAINER */
function placeholder(usage: string, index: number): string {
  const parts = usage.replace(/\[(?=:)[^\]]*\]/g, '').match(/[A-Za-z]+/g) ?? [];
  return parts[Math.min(index, parts.length - 1)] ?? '';
}

async function valuesFor(option: Option, names: LiveNames): Promise<Completion> {
  if (option.kind === 'flag') return { candidates: [{ text: 'true' }, { text: 'false' }], files: false };
  const kind = KINDS[option.argument];
  if (kind) return await live(kind, names);
  return /DIRECTORY|FILE|PATH|SOURCE|VOLUME|MOUNT/.test(option.argument) ? FILES : NOTHING;
}

/** First words: commands, and groups of commands. */
function firstWords(): Candidate[] {
  const single = Object.entries(COMMANDS).filter(([name]) => !name.includes(' '));
  const groups = new Set([
    ...Object.keys(GROUPED),
    ...Object.keys(COMMANDS).flatMap((name) => (name.includes(' ') ? [name.split(' ')[0] ?? ''] : [])),
  ]);
  return [
    ...single.map(([text, { summary }]) => ({ text, about: summary })),
    ...[...groups].map((text) => ({ text, about: `Commands about ${text}s` })),
  ];
}

function secondWords(group: string): Candidate[] {
  const own = Object.entries(COMMANDS).flatMap(([name, { summary }]) =>
    name.startsWith(`${group} `) ? [{ text: name.slice(group.length + 1), about: summary }] : [],
  );
  const others = Object.keys(GROUPED[group] ?? {}).map((text) => ({ text }));
  return [...own, ...others.filter(({ text }) => !own.some((known) => known.text === text))];
}

/** The command that `operands` begin with: its name in COMMANDS and how many words it takes. */
function commandOf(operands: readonly string[]): { name: string; words: number } | undefined {
  const [first = '', second = ''] = operands;
  const pair = `${first} ${second}`;
  if (Object.hasOwn(COMMANDS, pair)) return { name: pair, words: 2 };
  const grouped = GROUPED[first]?.[second];
  if (grouped !== undefined)
    return { name: Object.hasOwn(COMMANDS, grouped) ? grouped : (grouped.split(' ')[0] ?? ''), words: 2 };
  return Object.hasOwn(COMMANDS, first) ? { name: first, words: 1 } : undefined;
}

const isGroup = (word: string): boolean => secondWords(word).length > 0;

/** @param words after `tsrun`, up to the cursor; the last one is what has been typed of the word there, perhaps nothing */
export async function complete(words: readonly string[], names: LiveNames): Promise<Completion> {
  const current = words.at(-1) ?? '';
  const before = words.slice(0, -1);
  const all = await completeWord(before, current, names);
  const eq = current.startsWith('--') ? current.indexOf('=') + 1 : 0;
  const prefix = current.slice(0, eq);
  const typed = current.slice(eq);
  const candidates = all.candidates
    .filter(({ text }) => text.startsWith(typed))
    .map((candidate) => ({ ...candidate, text: prefix + candidate.text }));
  return { candidates, files: all.files };
}

async function completeWord(
  before: readonly string[],
  current: string,
  names: LiveNames,
): Promise<Completion> {
  const operands = operandsOf(GLOBAL_OPTIONS, before, true);
  const [first] = operands;
  if (first === undefined) return await ofTable(GLOBAL_OPTIONS, before, current, names, firstWords());
  const command = commandOf(operands);
  if (!command) {
    return operands.length === 1 && isGroup(first)
      ? { candidates: secondWords(first), files: false }
      : NOTHING;
  }
  const entry = COMMANDS[command.name];
  return entry ? await ofCommand(await entry.load(), operands.slice(command.words), current, names) : NOTHING;
}

async function ofCommand(
  command: Command,
  before: readonly string[],
  current: string,
  names: LiveNames,
): Promise<Completion> {
  const endAtOperand = command.optionsEndAtOperand ?? false;
  const operands = operandsOf(command.options, before, endAtOperand);
  if (endAtOperand && operands.length > 0) {
    // The container's own command line, which only the container knows; but the first operands of exec are not all of it.
    const word = placeholder(command.usage, operands.length);
    return KINDS[word] && operands.length < command.operands[0] ? await live(KINDS[word], names) : FILES;
  }
  const word = placeholder(command.usage, operands.length);
  const kind = KINDS[word];
  const isFull = operands.length >= command.operands[1];
  const operandCandidates = async (): Promise<Completion> => {
    if (isFull) return NOTHING;
    if (kind) return await live(kind, names);
    if (word === 'NAME' && command.operands[1] > 1) return await anything(names);
    return word === '' ? NOTHING : FILES;
  };
  if (!current.startsWith('-') && !wantsValue(command.options, before.at(-1) ?? ''))
    return await operandCandidates();
  return await ofTable(command.options, before, current, names, []);
}

/** `inspect` takes names of all kinds. */
async function anything(names: LiveNames): Promise<Completion> {
  const lists = await Promise.all((['container', 'image', 'volume', 'network'] as const).map(names));
  return { candidates: [...new Set(lists.flat())].map((text) => ({ text })), files: false };
}

/** An option's name, its value, or else one of `others`. */
async function ofTable(
  table: OptionTable,
  before: readonly string[],
  current: string,
  names: LiveNames,
  others: Candidate[],
): Promise<Completion> {
  const last = before.at(-1) ?? '';
  const awaited = wantsValue(table, last) ? last : current.includes('=') ? current : undefined;
  const option = awaited === undefined ? undefined : optionOf(table, awaited);
  if (option) return await valuesFor(option, names);
  if (!current.startsWith('-')) return { candidates: others, files: false };
  return { candidates: [...optionCandidates(table), { text: '--help', about: 'Describe it' }], files: false };
}
