import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { COMMANDS, GROUPED } from '../../src/cli/commands.ts';
import { exitCode } from '../../src/cli/exit-status.ts';
import { given } from '../../src/cli/given-root.ts';
import { exitCodeOf, oneLine, renderError } from '../../src/cli/render-error.ts';
import { ERRORS, type ErrorCode, TsrunError, tsrunError } from '../../src/errors.ts';
import { errorDocs, STAND_IN_DATA } from '../../src/setup/error-docs.ts';

const quiet = { debug: false };

describe('a rendered error', () => {
  it('has what failed, why, what helps, and where to read on', () => {
    const cause = new Error('connect ECONNREFUSED 127.0.0.1:5000');
    const error = tsrunError(
      'ERR_TSRUN_REGISTRY_UNREACHABLE',
      { registry: 'r', url: 'https://r', hint: 'curl r' },
      cause,
    );
    expect(renderError(error, quiet)).toBe(
      [
        'tsrun: cannot reach registry r at https://r',
        'cause: connect ECONNREFUSED 127.0.0.1:5000',
        'hint: curl r',
        'see: docs/errors.md#ERR_TSRUN_REGISTRY_UNREACHABLE',
      ].join('\n'),
    );
  });

  it('refers to the help of the command for what was written wrong', () => {
    const error = tsrunError('ERR_TSRUN_USAGE', { problem: 'tsrun run has no option --x' });
    expect(renderError(error, { debug: false, command: 'tsrun run' })).toBe(
      'tsrun: tsrun run has no option --x\nsee: tsrun run --help',
    );
    expect(renderError(error, quiet)).toBe('tsrun: tsrun run has no option --x');
  });

  it('says the help only once', () => {
    const error = tsrunError('ERR_TSRUN_USAGE', { problem: 'no', hint: 'tsrun run --help' });
    expect(renderError(error, { debug: false, command: 'tsrun run' })).toBe(
      'tsrun: no\nsee: tsrun run --help',
    );
  });

  // `tsrun rm …` as it was printed is about the store of everybody else's commands.
  it('gives what is to be pasted the --root that the command had', () => {
    const error = (hint: string) => tsrunError('ERR_TSRUN_USAGE', { problem: 'no', hint });
    const hint = (words: string): string => renderError(error(words), quiet).split('\n')[1] ?? '';
    given.root = '/my disk/store';
    try {
      expect(hint('tsrun rm x   # or: tsrun stop x')).toBe(
        "hint: tsrun --root '/my disk/store' rm x   # or: tsrun --root '/my disk/store' stop x",
      );
      expect(hint('ls ~/.config/tsrun')).toBe('hint: ls ~/.config/tsrun');
    } finally {
      given.root = undefined;
    }
    expect(hint('tsrun rm x')).toBe('hint: tsrun rm x');
  });

  // Of archives, layouts and starts that met a full disk nothing was said that helps; and where inodes are short, df -h shows room.
  it('says for any full disk where to look', () => {
    const cause = new Error('ENOSPC: no space left on device, write');
    expect(renderError(tsrunError('ERR_TSRUN_ARCHIVE_WRITE', {}, cause), quiet)).toContain(
      'hint: tsrun system df   # and: df -h, df -i, tsrun system prune',
    );
  });

  it('puts the causes into one line, without what was said already', () => {
    const inner = Object.assign(
      new AggregateError([new Error('ENETUNREACH'), new Error('ECONNREFUSED')], ''),
    );
    const middle = new Error('fetch failed', { cause: inner });
    const outer = tsrunError(
      'ERR_TSRUN_STORE',
      { doing: 'do it' },
      new Error('fetch failed: really', { cause: middle }),
    );
    expect(renderError(outer, quiet).split('\n')[1]).toBe(
      'cause: fetch failed: really: ENETUNREACH, ECONNREFUSED',
    );
  });

  it('takes a text as a cause, and the hint of a cause', () => {
    const cause = tsrunError(
      'ERR_TSRUN_NAMESPACES',
      { doing: 'map ids', hint: 'sudo apt-get install uidmap' },
      'newuidmap: no',
    );
    const lines = renderError(tsrunError('ERR_TSRUN_STORE', { doing: 'x' }, cause), quiet).split('\n');
    expect(lines[1]).toBe(
      'cause: cannot enter the rootless namespaces: a step failed: map ids: newuidmap: no',
    );
    expect(lines[2]).toBe('hint: sudo apt-get install uidmap');
  });

  it('calls what nobody thought of a bug', () => {
    const text = renderError(new TypeError('x is not a function'), quiet);
    expect(text.split('\n')).toEqual([
      'tsrun: this is a bug in tsrun: x is not a function',
      'hint: run it again with --debug, and report what it prints',
      'see: docs/errors.md#bugs',
    ]);
    expect(exitCodeOf(new TypeError('x'))).toBe(125);
    expect(renderError('text', quiet)).toMatch(/^tsrun: this is a bug in tsrun: text\n/);
  });

  it('knows a store that belongs to somebody else, and says whose to look at', () => {
    const error = (system: object) => Object.assign(new Error('EACCES: permission denied'), system);
    expect(renderError(error({ code: 'EACCES', path: '/store/images' }), quiet).split('\n')).toEqual([
      'tsrun: cannot read or write the store',
      'cause: EACCES: permission denied',
      'hint: ls -ld /store /store/images   # whose they are; tsrun system reset begins anew',
      'see: docs/errors.md#ERR_TSRUN_STORE',
    ]);
    const rename = error({ code: 'EACCES', path: '/store/tmp/x', dest: '/store/images/y' });
    expect(renderError(rename, quiet)).toContain('ls -ld /store/images /store/images/y ');
    expect(renderError(error({ code: 'EACCES' }), quiet)).toMatch(/this is a bug/);
  });

  it('knows a store that cannot be made; a file of another kind that is not there is our mistake', () => {
    const absent = { code: 'ENOENT', path: '/proc/x' };
    const error = (syscall: string) => Object.assign(new Error('ENOENT'), absent, { syscall });
    expect(renderError(error('mkdir'), quiet)).toMatch(/^tsrun: cannot make the store\n/);
    expect(renderError(error('open'), quiet)).toMatch(/this is a bug/);
    const file = Object.assign(new Error('ENOTDIR'), {
      code: 'ENOTDIR',
      path: '/etc/passwd/images',
      syscall: 'scandir',
    });
    expect(renderError(file, quiet)).toMatch(/^tsrun: cannot read the store\n/);
  });

  it('leaves out what Node says to whoever runs Node himself', () => {
    const words =
      'self-signed certificate; if the root CA is installed locally, try running Node.js with --use-system-ca';
    const lines = renderError(tsrunError('ERR_TSRUN_STORE', { doing: 'x' }, new Error(words)), quiet).split(
      '\n',
    );
    expect(lines[1]).toBe('cause: self-signed certificate');
  });

  it('has the chain with --debug, also one that bites its tail', () => {
    const a = new Error('a');
    const b = tsrunError('ERR_TSRUN_STORE', { doing: 'b' }, a);
    a.cause = b;
    const text = renderError(b, { debug: true });
    expect(text).toContain('ERR_TSRUN_STORE {"doing":"b"}');
    expect(text).toMatch(/Error: a\n\s+at /);
  });

  it('is at most four lines of printable text, whatever the words of others are', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (message, cause) => {
        const error = tsrunError('ERR_TSRUN_USAGE', { problem: message, hint: cause }, new Error(cause));
        const text = renderError(error, { debug: false, command: 'tsrun run' });
        expect(text.split('\n').length).toBeLessThanOrEqual(4);
        // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
        expect(text.replaceAll('\n', '')).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/);
      }),
    );
    expect(oneLine('a\r\n  b\x1b[31m\tc')).toBe('a; b\\x1b[31m c');
  });
});

describe('the table of errors', () => {
  const codes = Object.keys(ERRORS) as ErrorCode[];
  const make = (code: ErrorCode): TsrunError => {
    const { message, exitCode: status, hint } = tsrunError(code, STAND_IN_DATA as never);
    return new TsrunError(code, String(message), status, hint === undefined ? undefined : String(hint), {});
  };

  it.each(codes)('%s reads well', (code) => {
    const error = make(code);
    const text = renderError(error, quiet);
    expect(text).not.toMatch(/undefined|\[object|error:|Error:/);
    expect([125, 126, 127]).toContain(exitCodeOf(error));
    expect(error.message).not.toMatch(/[.!]$/);
    expect(error.message).toMatch(/^[^A-Z]/);
    expect(code).toMatch(/^ERR_TSRUN_[A-Z0-9_]+$/);
  });

  it.each(codes)('%s advises only what tsrun can do', (code) => {
    const words = [...(make(code).hint ?? '').matchAll(/\btsrun ([\w-]+)/g)].map(([, word]) => word ?? '');
    for (const word of words) expect([...Object.keys(COMMANDS), ...Object.keys(GROUPED)]).toContain(word);
  });

  it('is what docs/errors.md says (made by `npm run docs`)', () => {
    const path = join(import.meta.dirname, '..', '..', 'docs', 'errors.md');
    expect(readFileSync(path, 'utf8')).toBe(errorDocs());
  });
});

describe('exit statuses', () => {
  it('are the command’s, 128+n for a signal, and never made up', () => {
    expect(exitCode({ kind: 'exited', code: 42 }, 'web')).toBe(42);
    expect(exitCode({ kind: 'signaled', signal: 15 }, 'web')).toBe(143);
    expect(() => exitCode({ kind: 'unknown' }, 'web')).toThrow(
      expect.objectContaining({ code: 'ERR_TSRUN_EXIT_UNKNOWN', exitCode: 125 }),
    );
  });
});
