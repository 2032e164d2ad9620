/**
 * docs/errors.md, from the table of errors: `npm run docs`. A test fails when the file is not what this makes.
 *
 * A row's texts are functions of data; they are called with a stand-in that reads as the name of whatever is asked of it.
 */
import { ERRORS, type ErrorCode } from '../errors.ts';
import { ERROR_NOTES } from './error-notes.ts';

/** Reads as `‹name›`, whatever is done with it. */
function standIn(name: string): unknown {
  const text = `‹${name}›`;
  const join = (): string => `${text}, …`;
  return new Proxy(
    {},
    {
      get(_target, key) {
        if (key === Symbol.toPrimitive || key === 'toString') return () => text;
        if (key === 'join') return join;
        return standIn(name);
      },
    },
  );
}

/** Data for any row of the table. */
export const STAND_IN_DATA = new Proxy({}, { get: (_target, key) => standIn(String(key)) });

const WHO: Readonly<Record<number, string>> = {
  125: 'tsrun itself failed',
  126: 'the command cannot be invoked',
  127: 'there is no such command',
};

/** Characters that Markdown takes for more than themselves. */
const escaped = (text: string): string => text.replace(/[<>*_[\]\\`|]/g, (character) => `\\${character}`);

function section(code: ErrorCode): string {
  const { message, hint, exitCode } = ERRORS[code] as {
    message: (data: object) => string;
    hint?: (data: object) => string | undefined;
    exitCode: number;
  };
  const advice = hint?.(STAND_IN_DATA);
  // A hint that is all data says nothing before there is any.
  const isSaid = advice !== undefined && String(advice) !== '‹hint›';
  return [
    `## ${code}`,
    '',
    `> ${escaped(String(message(STAND_IN_DATA)))}`,
    '',
    `Exit status ${exitCode}: ${WHO[exitCode]}.`,
    ...(ERROR_NOTES[code] === undefined ? [] : ['', ERROR_NOTES[code]]),
    ...(isSaid ? ['', `Hint: \`${String(advice).replaceAll('`', "'")}\``] : []),
    '',
  ].join('\n');
}

const HEAD = `# Errors

<!-- Made from src/errors/ and src/setup/error-notes.ts by \`npm run docs\`. -->

An error is at most four lines: what failed, the \`cause\` in the system's own words, a \`hint\` that can be pasted, and the heading of
this page that says more. \`tsrun --debug COMMAND\` adds the chain of causes. In the texts below ‹…› stands for what is named in its place.

The exit status is 125 when tsrun itself fails, 126 when a command cannot be invoked, 127 when it is not there, 128+n when signal n
ended it; any other is the command's own.

## bugs

> this is a bug in tsrun: …

What went wrong has no row in the table of errors: nobody thought of it. Run the command again as \`tsrun --debug COMMAND\`, and report
what it prints.

`;

/** The text of docs/errors.md. */
export function errorDocs(): string {
  return `${HEAD}${Object.keys(ERRORS)
    .sort()
    .map((code) => section(code as ErrorCode))
    .join('\n')}`;
}
