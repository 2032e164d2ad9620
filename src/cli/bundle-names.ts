/** Names of the bundles of dist/ that an entry may be run from, the best first: the one for the command `word`, the one for all. */
export function bundleNames(entry: string, word: string | undefined): string[] {
  const all = `${entry}.cjs`;
  return word !== undefined && /^[a-z]+$/.test(word) ? [`${entry}.${word}.cjs`, all] : [all];
}
