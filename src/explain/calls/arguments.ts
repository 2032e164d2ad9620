/** Arguments of system calls as text: what every family of calls shares. */
import { type Argument, type Field, type Memory, Slot } from '../../sys/step.ts';
import { flagsOf, type Names, nameOf } from './names.ts';
import type { SlotNames } from './slot-names.ts';

/** What it takes to show one argument. */
export interface Context {
  slots: SlotNames;
  /** All arguments of the call: some mean what another says. */
  all: readonly Argument[];
}

/** The text of one argument; undefined = it means nothing in this call and is left out. */
export type Show = (argument: Argument, context: Context) => string | undefined;

/** How the arguments of some calls are shown, by the name of the call. */
export type Family = Readonly<Record<string, readonly Show[]>>;

const STRING_SHOWN = 200;
const STRINGS_SHOWN = 10;

/** The number of a scalar; undefined for a slot and for memory. */
export function numberOf(argument: Argument | undefined): bigint | undefined {
  return typeof argument === 'number' || typeof argument === 'bigint' ? BigInt(argument) : undefined;
}

/** `"text"`, as C would write it; long ones are cut. */
export function quoted(text: string): string {
  const cut = text.length > STRING_SHOWN ? `${text.slice(0, STRING_SHOWN)}…` : text;
  return JSON.stringify(cut);
}

const joinedText = (parts: readonly (string | Slot)[], slots: SlotNames): string =>
  parts.map((part) => (part instanceof Slot ? slots.of(part) : part)).join('');

/** `["sh", "-c", … 12 more]` */
function strings(
  memory: { strings: readonly (string | { text: readonly (string | Slot)[] })[] },
  slots: SlotNames,
): string {
  const items = memory.strings.map((item) =>
    quoted(typeof item === 'string' ? item : joinedText(item.text, slots)),
  );
  const shown = items.slice(0, STRINGS_SHOWN);
  if (items.length > shown.length) shown.push(`… ${items.length - shown.length} more`);
  return `[${shown.join(', ')}]`;
}

/** All slots in a struct and what it points to, in order. */
function slotsIn(fields: readonly Field[], which: 'from' | 'into'): Slot[] {
  return fields.flatMap((field) => {
    if (which === 'from' && 'from' in field) return [field.from];
    if (which === 'into' && 'into' in field) return [field.into];
    if ('pointer' in field && isStruct(field.pointer)) return slotsIn(field.pointer.fields, which);
    return [];
  });
}

type Struct = Extract<Memory, { fields: readonly Field[] }>;

export const isStruct = (argument: Argument | undefined): argument is Struct =>
  typeof argument === 'object' && !(argument instanceof Uint8Array) && 'fields' in argument;

/** The integer members of a struct, by position; undefined where a slot, bytes or a pointer is. */
export function membersOf(argument: Argument | undefined): (bigint | undefined)[] {
  if (!isStruct(argument)) return [];
  return argument.fields.map((field) => ('value' in field ? BigInt(field.value) : undefined));
}

/** A struct by its own words, with the slots that go in and come out: `SCM_RIGHTS with $fd`, `siginfo → $code, $status`. */
function struct(memory: Struct, slots: SlotNames): string {
  const into = slotsIn(memory.fields, 'into').map((slot) => slots.of(slot));
  if (into.length > 0 && memory.fields.every((field) => 'into' in field)) return `[${into.join(', ')}]`;
  const from = slotsIn(memory.fields, 'from').map((slot) => slots.of(slot));
  const words = [memory.say ?? '{…}'];
  if (from.length > 0) words.push(`with ${from.join(', ')}`);
  if (into.length > 0) words.push(`→ ${into.join(', ')}`);
  return words.join(' ');
}

/** Any argument, without knowing what it is for. */
export const plain: Show = (argument, { slots }) => {
  if (argument instanceof Slot) return slots.of(argument);
  if (typeof argument === 'number' || typeof argument === 'bigint') return String(argument);
  if (typeof argument === 'string') return quoted(argument);
  if (argument instanceof Uint8Array) return `<${argument.length} bytes>`;
  if ('buffer' in argument) return `<${argument.buffer} bytes>`;
  if ('text' in argument) return quoted(joinedText(argument.text, slots));
  if ('strings' in argument) return strings(argument, slots);
  return struct(argument, slots);
};

/** Something else where the argument is a number, and {@link plain} where it is not. */
export const number =
  (text: (value: bigint, context: Context) => string | undefined): Show =>
  (argument, context) => {
    const value = numberOf(argument);
    return value === undefined ? plain(argument, context) : text(value, context);
  };

/** A set of bits. */
export const flags = (names: Names): Show => number((value) => flagsOf(names, value));

/** One of several values. */
export const oneOf = (names: Names): Show => number((value) => nameOf(names, value));

/** A pointer: 0 is NULL. */
export const pointer: Show = number((value) => (value === 0n ? 'NULL' : String(value)));

/** A mode in octal: 0755. */
export const mode: Show = number((value) => `0${value.toString(8)}`);

/** What the reader need not see: sizes of structs, reserved zeros. */
export const hidden: Show = () => undefined;
