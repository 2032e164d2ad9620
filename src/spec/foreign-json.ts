/**
 * JSON that strangers wrote. Node is started with hash tables whose seed is known (src/cli/tsrun.sh), so names can be chosen that all
 * fall into one place of a table, and reading n of them takes n² steps: 320,000 fit into a document of 4 MiB and would take minutes.
 * Hence the limit: 25,000 of them take half a second.
 */

const LIMIT = 25_000;

/** Shorter texts cannot hold enough members to matter. */
const LOOKED_AT_FROM = 128 * 1024;

/** Throws SyntaxError for what is not JSON, and for objects with more than 25,000 members in all. */
export function parseForeignJson(text: string): unknown {
  if (text.length > LOOKED_AT_FROM && countMembers(text) > LIMIT) {
    throw new SyntaxError(`more than ${LIMIT.toLocaleString('en')} members`);
  }
  return JSON.parse(text);
}

/** How many members the objects of `text` have at most: a string that ends in `":` counts too. */
function countMembers(text: string): number {
  let count = 0;
  for (let at = text.indexOf(':'); at >= 0; at = text.indexOf(':', at + 1)) {
    let before = at - 1;
    while (before > 0 && ' \t\n\r'.includes(text.charAt(before))) before--;
    if (text.charAt(before) === '"') count++;
  }
  return count;
}
