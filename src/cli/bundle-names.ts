/** The global options that take a value (options/global-options.ts, which is not loaded yet). */
export const OPTIONS_WITH_VALUE: readonly string[] = ['--log-level', '--root', '--storage-driver'];

/** The word that is the command: the first that is no global option, and no value of one. */
function commandWord(words: readonly string[]): string | undefined {
  for (let i = 0; i < words.length; i++) {
    const word = words[i] ?? '';
    if (!word.startsWith('-')) return word;
    if (OPTIONS_WITH_VALUE.includes(word)) i++;
  }
  return undefined;
}

/** Names of the bundles of dist/ that an entry may be run from, the best first: the one for the command of `words`, the one for all. */
export function bundleNames(entry: string, words: readonly string[]): string[] {
  const all = `${entry}.cjs`;
  const word = commandWord(words);
  return word !== undefined && /^[a-z]+$/.test(word) ? [`${entry}.${word}.cjs`, all] : [all];
}
