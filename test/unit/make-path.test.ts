/**
 * native/make-path.c through a program of one step. Images have links to what is not there yet (/etc/resolv.conf to ../run/systemd/…, with an
 * empty /run; /var/run to /run): a mount on such a place has to succeed, and inside the root.
 */
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { call, close, op } from '../../src/sys/calls.ts';
import { AT_FDCWD, O_CLOEXEC, O_DIRECTORY, O_PATH } from '../../src/sys/constants.ts';
import { errnoName } from '../../src/sys/errno.ts';
import { nativeRunner, SyscallFailure } from '../../src/sys/run.ts';
import { Slots } from '../../src/sys/step.ts';

let directory: string;
let root: string;
const at = (path: string): string => join(root, path);

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'tsrun-make-'));
  root = join(directory, 'root');
  mkdirSync(root);
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

/** 'made', or the name of the errno. */
function make(path: string, file = false): string {
  const slots = new Slots();
  const fd = slots.new('root');
  const steps = [
    call('user', 'test', 'openat', [AT_FDCWD, root, O_PATH | O_DIRECTORY | O_CLOEXEC, 0], { result: fd }),
    op('user', 'test', { kind: 'make-path', root: fd, path, mode: 0o755, file }),
    close('user', 'test', fd),
  ];
  try {
    nativeRunner.run({ slots, steps });
    return 'made';
  } catch (error) {
    if (!(error instanceof SyscallFailure)) throw error;
    nativeRunner.run({ slots: new Slots(), steps: [close('user', 'test', error.results(fd))] });
    return errnoName(error.errno);
  }
}

const isDirectory = (path: string): boolean =>
  lstatSync(at(path), { throwIfNoEntry: false })?.isDirectory() === true;
const isFile = (path: string): boolean => lstatSync(at(path), { throwIfNoEntry: false })?.isFile() === true;

describe('a directory', () => {
  it('is made with its parents, and left as it is where it exists', () => {
    expect(make('a/b/c')).toBe('made');
    expect(isDirectory('a/b/c')).toBe(true);
    writeFileSync(at('a/b/c/kept'), '');
    expect(make('/a//b/./c/')).toBe('made');
    expect(readdirSync(at('a/b/c'))).toEqual(['kept']);
    expect(statSync(at('a/b')).mode & 0o777).toBe(0o755 & ~process.umask());
  });

  it('is made where links lead: relative, absolute, one behind the other, to what is not there', () => {
    symlinkSync('run/lock', at('relative'));
    symlinkSync('/var/run', at('absolute'));
    symlinkSync('../absolute', at('chain'));
    expect(make('relative/x')).toBe('made');
    expect(isDirectory('run/lock/x')).toBe(true);
    expect(make('absolute')).toBe('made');
    expect(isDirectory('var/run')).toBe(true);
    expect(make('chain/deep/er')).toBe('made');
    expect(isDirectory('var/run/deep/er')).toBe(true);
  });

  it('stays in the root, however far up a path or a link goes', () => {
    symlinkSync(`${'../'.repeat(20)}up`, at('escape'));
    symlinkSync(join(directory, 'outside'), at('host'));
    expect(make('../../above')).toBe('made');
    expect(make('escape/x')).toBe('made');
    expect(make('host/made')).toBe('made');
    expect(readdirSync(directory)).toEqual(['root']);
    expect([isDirectory('above'), isDirectory('up/x')]).toEqual([true, true]);
    expect(isDirectory(`${directory}/outside/made`)).toBe(true);
  });

  it('cannot be made through a file, or along links without end', () => {
    writeFileSync(at('file'), '');
    symlinkSync('loop', at('loop'));
    symlinkSync('b/x', at('a'));
    symlinkSync('a/x', at('b'));
    expect(make('file/x')).toBe('ENOTDIR');
    expect(make('file')).toBe('ENOTDIR');
    expect(make('loop/x')).toBe('ELOOP');
    expect(make('a')).toBe('ELOOP');
    expect(make('x'.repeat(256))).toBe('ENAMETOOLONG');
    expect(make('x/'.repeat(3000))).toBe('ENAMETOOLONG');
    symlinkSync(`${'y/'.repeat(2000)}z`, at('long'));
    expect(make(`long/${'z/'.repeat(1000)}`)).toBe('ENAMETOOLONG');
  });

  it('is made 40 links away, and not 41', () => {
    for (let i = 0; i < 41; i++) symlinkSync(`link${i + 1}`, at(`link${i}`));
    expect(make('link0')).toBe('ELOOP');
    expect(make('link1')).toBe('made');
    expect(isDirectory('link41')).toBe(true);
  });
});

describe('a file', () => {
  it('is made with its directories, also at the end of a link', () => {
    symlinkSync('../run/systemd/resolve/stub-resolv.conf', at('resolv.conf'));
    mkdirSync(at('etc'));
    symlinkSync('../run/systemd/resolve/stub-resolv.conf', at('etc/resolv.conf'));
    expect(make('etc/resolv.conf', true)).toBe('made');
    expect(isFile('run/systemd/resolve/stub-resolv.conf')).toBe(true);
    expect(make('new/file', true)).toBe('made');
    expect(isFile('new/file')).toBe(true);
  });

  it('that is there stays as it is', () => {
    mkdirSync(at('directory'));
    writeFileSync(at('text'), 'kept');
    expect([make('directory', true), make('text', true)]).toEqual(['made', 'made']);
    expect(statSync(at('text')).size).toBe(4);
  });
});

it('after any path over any links there is what was asked for, and nothing outside', () => {
  const part = fc.constantFrom('a', 'b', 'c', '..', '.', '');
  const path = fc.array(part, { minLength: 1, maxLength: 6 }).map((parts) => parts.join('/'));
  const links = fc.array(fc.tuple(fc.constantFrom('a', 'b', 'c', 'a/b', 'c/a'), path), { maxLength: 4 });
  fc.assert(
    fc.property(links, path, fc.boolean(), (given, wanted, file) => {
      rmSync(root, { recursive: true, force: true });
      mkdirSync(root);
      for (const [name, target] of given) {
        if (target === '' || make(join(name, '..')) !== 'made') continue;
        // A link made through a link is not this test's business: only where no link is in the way.
        if (!existsSync(at(name)) && !lstatSync(at(name), { throwIfNoEntry: false }) && !name.includes('/'))
          symlinkSync(target, at(name));
      }
      const first = make(wanted, file);
      expect(['made', 'ELOOP', 'ENOTDIR', 'EEXIST', 'EISDIR', 'ENAMETOOLONG']).toContain(first);
      // What is there is found again by the kernel alone, which makes nothing: the second time nothing changes.
      if (first === 'made') expect(make(wanted, file)).toBe('made');
      expect(readdirSync(directory)).toEqual(['root']);
    }),
    { seed: 7, numRuns: 300 },
  );
});
