/** What a command is: its options and operands as data, and what it does. The folder commands/ has one file for each. */
import type { Engine } from '../engine/open-engine.ts';
import type { OptionTable, Values } from './options/option.ts';

/** What a command may use besides its own words. */
export interface Context {
  /** Opens the store at the first call. */
  engine(): Promise<Engine>;
  /** Where images and containers are kept; the store need not exist. */
  storeRoot(): string;
  /** --debug */
  debug: boolean;
}

export interface Command<T extends OptionTable = OptionTable> {
  /** Operands as the help shows them: `IMAGE [COMMAND [ARG…]]`. */
  usage: string;
  /** How many operands there may be. */
  operands: readonly [least: number, most: number];
  /** What the first lines of the help say. */
  text: string;
  options: T;
  /** For run and exec: what follows the first operand belongs to the container. */
  optionsEndAtOperand?: boolean;
  unsupported?: Readonly<Record<string, string>>;
  examples?: readonly string[];
  /** @returns the exit status of tsrun */
  run(given: Values<T>, operands: string[], context: Context): Promise<number>;
}

/** Types a command. */
export const defineCommand = <T extends OptionTable>(command: Command<T>): Command =>
  command as unknown as Command;
