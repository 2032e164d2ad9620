/** Parsers of option values that need nothing else to be loaded. */
import { usageError } from './usage.ts';

/** A parser that takes one of `words`. */
export const oneOf =
  <W extends string>(option: string, words: readonly W[]) =>
  (text: string): W => {
    const found = words.find((word) => word === text.toLowerCase());
    if (found !== undefined) return found;
    throw usageError(`${option} ${text}: not one of ${words.join(', ')}`, `${option} ${words[0]}`);
  };

/** A parser for whole numbers from `least`. */
export const wholeNumber =
  (option: string, least: number) =>
  (text: string): number => {
    const number = Number(text);
    if (/^-?\d+$/.test(text) && Number.isSafeInteger(number) && number >= least) return number;
    throw usageError(`${option} ${text}: not a whole number from ${least}`);
  };

/** A parser for text that is not empty. */
export const nonEmpty =
  (option: string) =>
  (text: string): string => {
    if (text !== '' && !text.includes('\0')) return text;
    throw usageError(`${option} needs a value that is not empty`);
  };
