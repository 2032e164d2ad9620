/**
 * What an option is, as data: from one table come the parser, `--help`, and later man pages and completion. The key of an option in its
 * table is its long name.
 */

interface Described {
  /** One letter, without the dash. */
  short?: string;
  /** Other long names, as docker or podman have them; not shown. */
  aliases?: readonly string[];
  /** One sentence without a full stop. */
  text: string;
  /** A line to paste. */
  example?: string;
}

/** `--init`, `--init=false`. */
export interface FlagOption extends Described {
  kind: 'flag';
  default: boolean;
}

/** A flag that makes a difference also by not being there. */
export interface UnsaidFlagOption extends Described {
  kind: 'flag';
  default: undefined;
  /** How the default reads in the help. */
  otherwise: string;
}

/** `--name web`; of several the last counts. */
export interface ValueOption<V> extends Described {
  kind: 'value';
  /** Stands for the value in the help: NAME. */
  argument: string;
  /** How the default reads in the help. */
  default?: string;
  /** Throws ERR_TSRUN_USAGE for a value of the wrong form. */
  parse(text: string): V;
}

/** `-e A=1 -e B=2`; all count, in their order. */
export interface ListOption<V> extends Described {
  kind: 'list';
  argument: string;
  /** Throws ERR_TSRUN_USAGE for a value of the wrong form. */
  parse(text: string): V;
}

export type Option = FlagOption | UnsaidFlagOption | ValueOption<unknown> | ListOption<unknown>;
export type OptionTable = Readonly<Record<string, Option>>;

/** The values of a table's options after parsing. */
export type Values<T extends OptionTable> = {
  [K in keyof T]: T[K] extends FlagOption
    ? boolean
    : T[K] extends UnsaidFlagOption
      ? boolean | undefined
      : T[K] extends ListOption<infer V>
        ? V[]
        : T[K] extends ValueOption<infer V>
          ? V | undefined
          : never;
};

type Details<T> = Omit<T, 'kind' | 'text' | 'argument' | 'parse' | 'default'>;

export const flag = (
  text: string,
  details: Details<FlagOption> & { default?: boolean } = {},
): FlagOption => ({
  kind: 'flag',
  default: false,
  text,
  ...details,
});

export const unsaidFlag = (text: string, otherwise: string): UnsaidFlagOption => ({
  kind: 'flag',
  default: undefined,
  text,
  otherwise,
});

export const value = <V>(
  argument: string,
  text: string,
  parse: (text: string) => V,
  details: Details<ValueOption<V>> & { default?: string } = {},
): ValueOption<V> => ({ kind: 'value', argument, text, parse, ...details });

export const list = <V>(
  argument: string,
  text: string,
  parse: (text: string) => V,
  details: Details<ListOption<V>> = {},
): ListOption<V> => ({ kind: 'list', argument, text, parse, ...details });

/** By its long name alone: its letter means something else to the command. */
export function withoutShort<O extends Option>({ short: _short, ...option }: O): Omit<O, 'short'> {
  return option;
}

/** For an option whose value is any text. */
export const asWritten = (text: string): string => text;
