/** Words of images, registries and containers, on their way to a terminal. */

/** Line breaks of Unicode, and all that a terminal would obey. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const CONTROL = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g;

const visible = (character: string): string =>
  character === '\t' ? ' ' : `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`;

/** With what a terminal would obey shown instead; a tab is a blank. */
export const printable = (text: string): string => text.replace(CONTROL, visible);
