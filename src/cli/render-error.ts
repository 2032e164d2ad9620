/**
 * Errors as the user reads them, at most four lines:
 *
 *     tsrun: cannot pull 127.0.0.1:5000/httpd        what failed, naming the object
 *     cause: connect ECONNREFUSED 127.0.0.1:5000     the system's own words
 *     hint: …                                        a line to paste
 *     see: docs/errors.md#ERR_TSRUN_…                where to read on
 *
 * `--debug` adds the chain of causes with their stacks. An error that no row of the table describes is a bug, and is called one; a full
 * or failing disk is none, nor a store that another user has written to.
 */
import { dirname } from 'node:path';
import { TsrunError, tsrunError } from '../errors.ts';
import { quote } from '../explain/shell/quote.ts';
import { printable } from '../spec/printable.ts';
import { given } from './given-root.ts';

/** One line of printable text. */
export const oneLine = (text: string): string => printable(text.trim().replace(/\s*[\r\n]+\s*/g, '; '));

/** What Node adds for whoever runs Node himself: tsrun asks the system's authorities anyway. */
const ADVICE = /; if the root CA is installed locally, try running Node\.js with --use-system-ca/;

/** What an error says itself; those inside for an AggregateError, which says nothing. */
function wordsOf(error: unknown): string {
  if (error instanceof AggregateError && error.message === '') {
    return [...new Set(error.errors.map(wordsOf))].join(', ');
  }
  return error instanceof Error ? (error.message || error.name).replace(ADVICE, '') : String(error);
}

/** The error and its causes, outermost first. */
function chainOf(error: unknown): unknown[] {
  const chain: unknown[] = [];
  for (let at = error; at !== undefined && at !== null && !chain.includes(at); at = (at as Error).cause) {
    chain.push(at);
    if (!(at instanceof Error)) break;
  }
  return chain;
}

/** The causes in one line, without what an outer one has already said. */
function causeLine(chain: readonly unknown[]): string {
  const said: string[] = [];
  for (const words of chain.slice(1).map((cause) => oneLine(wordsOf(cause)))) {
    if (words !== '' && !said.some((earlier) => earlier.includes(words))) said.push(words);
  }
  return said.join(': ');
}

const NO_SPACE = /\b(?:ENOSPC|EDQUOT)\b|no space left on device|disk quota exceeded/i;
const NO_SPACE_HINT = 'tsrun system df   # and: df -h, df -i, tsrun system prune';

/** As Node says it, of a file of the store. */
const NO_ACCESS = /\bEACCES: /;
const ACCESS_HINT = 'tsrun doctor   # which directory cannot be written';

/** As src/sys/run.ts says it, and Node. */
const TOO_FEW_FILES = /\bRLIMIT_NOFILE\b|\bEMFILE: /;
const FILES_HINT = 'ulimit -n 65536   # so many files may be open at once; if that is refused: log in anew';

function hintOf(chain: readonly unknown[]): string | undefined {
  if (TOO_FEW_FILES.test(causeLine(chain))) return FILES_HINT; // no other line helps
  const hint = chain.find((error) => error instanceof TsrunError && error.hint !== undefined) as
    | TsrunError
    | undefined;
  if (hint) return hint.hint;
  if (NO_SPACE.test(causeLine(chain))) return NO_SPACE_HINT;
  const [outermost] = chain;
  const isStore = outermost instanceof TsrunError && outermost.code === 'ERR_TSRUN_STORE';
  return isStore && NO_ACCESS.test(causeLine(chain)) ? ACCESS_HINT : undefined;
}

/** What is to be pasted is about the same store. */
const ofThisStore = (hint: string): string =>
  given.root === undefined
    ? hint
    : hint.replace(/(?<![\w./-])tsrun (?=[a-z])/g, () => `tsrun --root ${quote(given.root ?? '')} `);

export interface RenderOptions {
  debug: boolean;
  /** `tsrun run`: whose help is referred to for ERR_TSRUN_USAGE. */
  command?: string | undefined;
}

/** Any write may meet a disk that is full, read-only or broken, or a directory of somebody else: what does not deal with it itself says so here. */
function ofDisk(error: unknown): TsrunError | undefined {
  if (!(error instanceof Error) || error instanceof TsrunError) return undefined;
  const { code, syscall, path, dest = path } = error as NodeJS.ErrnoException & { dest?: string };
  // Node 24's rmSync says what happened in words only: ", Unknown error: Read-only file system '/…'".
  if (syscall === 'rm' && !code) {
    const cause = error.message.replace(/^, Unknown error: /, '');
    return tsrunError(
      'ERR_TSRUN_STORE',
      { doing: 'remove from the store', hint: 'tsrun info   # where it is' },
      cause,
    );
  }
  switch (code) {
    case 'EACCES':
      return dest === undefined
        ? undefined
        : tsrunError(
            'ERR_TSRUN_STORE',
            {
              doing: 'read or write the store',
              hint: `ls -ld ${dirname(dest)} ${dest}   # whose they are; tsrun system reset begins anew`,
            },
            error,
          );
    case 'ENOSPC':
    case 'EDQUOT':
      return tsrunError('ERR_TSRUN_STORE', { doing: 'write: no space is left', hint: NO_SPACE_HINT }, error);
    case 'EMFILE':
      return tsrunError('ERR_TSRUN_STORE', { doing: 'open one more file', hint: FILES_HINT }, error);
    case 'EROFS':
    case 'EIO':
      return tsrunError(
        'ERR_TSRUN_STORE',
        { doing: 'read or write the store', hint: 'tsrun info   # where it is' },
        error,
      );
    case 'ENOENT':
    case 'ENOTDIR':
    case 'EEXIST':
      // Below a file, in the place of one, or where nobody makes directories, such as /proc.
      return syscall === 'mkdir' || code === 'ENOTDIR'
        ? tsrunError(
            'ERR_TSRUN_STORE',
            {
              doing: syscall === 'mkdir' ? 'make the store' : 'read the store',
              hint: 'tsrun info   # where it is',
            },
            error,
          )
        : undefined;
    default:
      return undefined;
  }
}

/** The lines without a final line break. */
export function renderError(thrown: unknown, { debug, command }: RenderOptions): string {
  const error = ofDisk(thrown) ?? thrown;
  const chain = chainOf(error);
  const known = error instanceof TsrunError;
  const lines = [`tsrun: ${known ? '' : 'this is a bug in tsrun: '}${oneLine(wordsOf(error))}`];
  const cause = causeLine(chain);
  if (cause !== '') lines.push(`cause: ${cause}`);
  const hint = known ? hintOf(chain) : 'run it again with --debug, and report what it prints';
  const help = `${command} --help`;
  if (hint !== undefined && !(hint === help && command !== undefined))
    lines.push(`hint: ${ofThisStore(oneLine(hint))}`);
  if (!known) lines.push('see: docs/errors.md#bugs');
  else if (error.code !== 'ERR_TSRUN_USAGE') lines.push(`see: docs/errors.md#${error.code}`);
  else if (command !== undefined) lines.push(`see: ${help}`);
  if (debug) lines.push('', ...chain.map(debugWords));
  return lines.join('\n');
}

function debugWords(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const data = error instanceof TsrunError ? `\n    ${error.code} ${JSON.stringify(error.data)}` : '';
  return `${error.stack ?? error.message}${data}`;
}

/** 125 for everything that is not said otherwise. */
export const exitCodeOf = (error: unknown): number => (error instanceof TsrunError ? error.exitCode : 125);
