/** Text as a shell script has it. */

/** One word for bash(1): as it is where nothing in it is special, otherwise in single quotes. */
export const quote = (word: string): string =>
  /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`;

/** A list of words. */
export const words = (list: readonly string[]): string => list.map(quote).join(' ');

/** Lines of a comment; nothing of the text can end it. */
export const comment = (text: string): string[] => text.split(/[\r\n]+/).map((line) => `# ${line}`.trimEnd());

/** A function of a script, its body indented. */
export const shellFunction = (name: string, about: string, body: readonly string[]): string[] => [
  ...comment(about),
  `${name}() {`,
  '  set -eu',
  ...body.map((line) => (line === '' ? '' : `  ${line}`)),
  '}',
];
