/** native/remove-tree.c through a program of one step: what images and overlays leave behind goes away, and nothing else does. */
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { call, close, op } from '../../src/sys/calls.ts';
import { AT_FDCWD, O_CLOEXEC, O_DIRECTORY, O_PATH, O_RDONLY } from '../../src/sys/constants.ts';
import { ERRNO } from '../../src/sys/errno.ts';
import { nativeRunner, SyscallFailure } from '../../src/sys/run.ts';
import { Slots, type Step } from '../../src/sys/step.ts';

const run = (steps: readonly Step[], slots = new Slots()) => nativeRunner.run({ steps, slots });

const remove = (path: string): Step => op('user', 'test', { kind: 'remove-tree', dir: AT_FDCWD, path });

/**
 * NFS and many a FUSE file system answer renameat2(2) with any flag by EINVAL: with RENAME_NOREPLACE, what lay deeper than a path may be
 * long could not be removed there. This machine has none such, so it is the flags that are looked for.
 */
it('no directory is renamed with flags', () => {
  const root = join(import.meta.dirname, '..', '..');
  const files = ['native', 'src'].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => /\.(?:c|ts)$/.test(name) && !/(?:syscalls-|seccomp|explain)/.test(name))
      .map((name) => readFileSync(join(root, folder, name), 'utf8')),
  );
  const calls = files.flatMap((text) =>
    [...text.matchAll(/__NR_renameat2,([^;]*?)\)[ ;:)]|'renameat2',\s*\[([^\]]*)\]/g)].map(([, inC, step]) =>
      (inC ?? step ?? '')
        .split(',')
        .map((word) => word.trim())
        .filter(Boolean),
    ),
  );
  expect(calls.length).toBeGreaterThan(4);
  for (const words of calls) expect(words.at(-1), words.join(', ')).toBe('0');
});

let directory: string;
let victim: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'tsrun-remove-'));
  victim = join(directory, 'victim');
});

afterEach(() => {
  execFileSync('chmod', ['-R', 'u+rwx', directory]);
  rmSync(directory, { recursive: true, force: true });
});

/** `levels` directories, each in the one before: deeper than a path may be long, so made and entered one by one. */
function nest(levels: number): void {
  const slots = new Slots();
  const flags = O_PATH | O_DIRECTORY | O_CLOEXEC;
  mkdirSync(victim);
  // One slot and few ops for many levels: the same program is run again and again from the deepest directory reached.
  let deepest = nativeRunner.run({
    slots,
    steps: [call('user', 'test', 'openat', [AT_FDCWD, victim, flags, 0], { result: slots.new('top') })],
  })({ index: 0, name: 'top' });
  for (let made = 0; made < levels; made += 250) {
    const chain = new Slots();
    const fds = Array.from({ length: 251 }, (_, i) => chain.new(`d${i}`));
    const steps = Array.from({ length: 250 }, (_, i): Step[] => {
      const at = i === 0 ? deepest : (fds[i] ?? 0);
      const open = call('user', 'test', 'openat', [at, 'd', flags, 0], { result: fds[i + 1] as never });
      return [call('user', 'test', 'mkdirat', [at, 'd', 0o755]), open, close('user', 'test', at)];
    });
    deepest = run(steps.flat(), chain)(fds[250] as never);
  }
  run([close('user', 'test', deepest)]);
}

describe('removing a tree', () => {
  it('removes files, directories, links, sockets’ and pipes’ names, and what begins with a dot', () => {
    mkdirSync(join(victim, 'a/b/c'), { recursive: true });
    for (const name of ['file', '.hidden', 'a/file', 'a/b/..double', 'a/b/c/last'])
      writeFileSync(join(victim, name), name);
    symlinkSync('/nowhere', join(victim, 'a/dangling'));
    run([remove(victim)]);
    expect(readdirSync(directory)).toEqual([]);
  });

  it('does not follow a symbolic link, neither below nor as the name itself', () => {
    const outside = join(directory, 'outside');
    mkdirSync(join(outside, 'kept'), { recursive: true });
    writeFileSync(join(outside, 'kept/file'), 'x');
    mkdirSync(join(victim, 'sub'), { recursive: true });
    symlinkSync(outside, join(victim, 'link'));
    symlinkSync(outside, join(victim, 'sub/link'));
    symlinkSync('..', join(victim, 'sub/up'));
    run([remove(victim)]);
    const link = join(directory, 'link');
    symlinkSync(outside, link);
    run([remove(link)]);
    expect(readdirSync(directory)).toEqual(['outside']);
    expect(existsSync(join(outside, 'kept/file'))).toBe(true);
  });

  it('takes a single file, and nothing at all', () => {
    writeFileSync(victim, 'x');
    run([remove(victim)]);
    expect(existsSync(victim)).toBe(false);
    run([remove(victim)]);
    run([remove(join(directory, 'no/such/directory'))]);
  });

  it('removes 5 000 directories in each other with two descriptors and no recursion', () => {
    nest(5000);
    run([remove(victim)]);
    expect(existsSync(victim)).toBe(false);
  });

  it('removes directories of mode 000, as overlay leaves its work directory', () => {
    mkdirSync(join(victim, 'work/work/deep'), { recursive: true });
    writeFileSync(join(victim, 'work/work/deep/file'), 'x');
    for (const path of ['work/work/deep', 'work/work', 'work', '']) chmodSync(join(victim, path), 0);
    run([remove(victim)]);
    expect(existsSync(victim)).toBe(false);
  });

  it('removes directories without write permission, full ones and empty ones', () => {
    mkdirSync(join(victim, 'full/deeper'), { recursive: true });
    mkdirSync(join(victim, 'empty'));
    writeFileSync(join(victim, 'full/deeper/file'), 'x');
    for (const path of ['full/deeper', 'full', 'empty', '']) chmodSync(join(victim, path), 0o555);
    run([remove(victim)]);
    expect(existsSync(victim)).toBe(false);
  });

  it('removes more entries than one getdents64 returns, and names as long as they may be', () => {
    mkdirSync(join(victim, 'many'), { recursive: true });
    for (let i = 0; i < 2000; i++) writeFileSync(join(victim, 'many', `${i}`), '');
    for (let i = 0; i < 50; i++)
      mkdirSync(join(victim, 'many', `${i}-${'x'.repeat(250)}`, 'below'), { recursive: true });
    run([remove(victim)]);
    expect(existsSync(victim)).toBe(false);
  });

  it('is not confused by entries with the names that it uses itself', () => {
    mkdirSync(join(victim, '.rm-0/.rm-1/.rm-2'), { recursive: true });
    mkdirSync(join(victim, '.rm-1/.rm-0'), { recursive: true });
    writeFileSync(join(victim, '.rm-2'), 'x');
    run([remove(victim)]);
    expect(existsSync(victim)).toBe(false);
  });

  it('stays in the directory whose descriptor it was given', () => {
    mkdirSync(join(victim, 'sub'), { recursive: true });
    const slots = new Slots();
    const fd = slots.new('dir');
    run(
      [
        call('user', 'test', 'openat', [AT_FDCWD, directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0], {
          result: fd,
        }),
        op('user', 'test', { kind: 'remove-tree', dir: fd, path: 'victim' }),
        close('user', 'test', fd),
      ],
      slots,
    );
    expect(readdirSync(directory)).toEqual([]);
  });

  it('does not mind others that remove the same at the same time', async () => {
    for (let i = 0; i < 40; i++)
      for (let j = 0; j < 10; j++) mkdirSync(join(victim, `a${i}/b${j}/c/d/e`), { recursive: true });
    const threads = Array.from(
      { length: 3 },
      () => new Worker(join(import.meta.dirname, 'support/remove-tree-worker.ts'), { workerData: victim }),
    );
    await Promise.all(threads.map((thread) => once(thread, 'message')));
    const removed = threads.map((thread) => once(thread, 'message')); // rejects with what a thread throws
    for (const thread of threads) thread.postMessage('go');
    await Promise.all(removed);
    expect(readdirSync(directory)).toEqual([]);
    await Promise.all(threads.map((thread) => thread.terminate()));
  });

  it('says what it cannot remove', () => {
    expect(() => run([remove('/proc/self/status')])).toThrow(SyscallFailure);
    try {
      run([remove('/proc/1')]);
    } catch (error) {
      expect([ERRNO.EPERM, ERRNO.EACCES, ERRNO.EROFS, ERRNO.EBUSY]).toContain(
        (error as SyscallFailure).errno,
      );
    }
  });
});

/**
 * A --rm container that had made cgroups below its own left them behind: its supervisor, which removes the container, knew but one rmdir. A
 * cgroup is a directory whose files go with it, which no ordinary file system has; that processes are in one stands here for a file.
 */
describe('removing a tree of cgroups', () => {
  const removeCgroups = (path: string): Step =>
    op('user', 'test', { kind: 'remove-tree', dir: AT_FDCWD, path, cgroups: true });
  const errnoOf = (path: string): number | undefined => {
    try {
      run([removeCgroups(path)]);
      return undefined;
    } catch (error) {
      return (error as SyscallFailure).errno;
    }
  };

  it('removes directories in each other, beside each other, and none at all', () => {
    for (const path of ['a/b/c', 'a/b/d', 'a/e', 'f', '..g/..h', '.i'])
      mkdirSync(join(victim, path), { recursive: true });
    run([removeCgroups(victim)]);
    expect(readdirSync(directory)).toEqual([]);
    run([removeCgroups(victim)]);
  });

  it('removes 500 directories in each other', () => {
    nest(500);
    run([removeCgroups(victim)]);
    expect(existsSync(victim)).toBe(false);
  });

  it.each(['file', 'a/file', 'a/b/c/file'])('ends where something is in the way: %s', (file) => {
    mkdirSync(join(victim, 'a/b/c'), { recursive: true });
    writeFileSync(join(victim, file), 'x');
    expect(errnoOf(victim)).toBe(ERRNO.ENOTEMPTY);
    expect(existsSync(join(victim, file))).toBe(true);
  });

  it('follows no symbolic link', () => {
    mkdirSync(join(directory, 'outside/kept'), { recursive: true });
    mkdirSync(victim);
    symlinkSync('../outside', join(victim, 'link'));
    expect(errnoOf(victim)).toBe(ERRNO.ENOTEMPTY);
    expect(errnoOf(join(victim, 'link'))).toBe(ERRNO.ENOTDIR);
    expect(existsSync(join(directory, 'outside/kept'))).toBe(true);
  });
});
