/**
 * Commands that are killed at each step that they take (AC-4.1): what is there before, what may be there after, and what the same command
 * does when it is given once more.
 */
import { join } from 'node:path';
import { expect } from 'vitest';
import type { Result, Tsrun } from '../tsrun.ts';
import { until } from '../until.ts';
import type { Fault } from './fault-build.ts';

export interface Scenario {
  name: string;
  /** Whose steps are counted. */
  programs: Fault['program'][];
  words: readonly string[];
  /** Exit status of the command when nobody kills it. */
  status?: number;
  /** Once for a store. */
  setUp?(tsrun: Tsrun): Promise<unknown>;
  /** Before each death. */
  prepare?(tsrun: Tsrun): Promise<unknown>;
  /** A native process that was there before, and has no part in the command: it does not die. */
  spare?(tsrun: Tsrun): Promise<number>;
  /** After it: what is true, more than of every store. */
  check?(tsrun: Tsrun, killed: Result): Promise<unknown>;
  /** After the same command has succeeded. */
  checkAgain?(tsrun: Tsrun, again: Result): Promise<unknown>;
  /** Takes away what was made, but for containers. */
  clean?(tsrun: Tsrun): Promise<unknown>;
}

const IMAGE = 'localhost/busybox';
const BACKGROUND = ['run', '-d', '--network', 'none'];
/** Ends with 7 when it is asked to. */
const POLITE = ['sh', '-c', 'trap "exit 7" TERM; echo up; while :; do sleep 0.02; done'];

const isUp = (tsrun: Tsrun, name = 'c') =>
  until('it is up', async () => (await tsrun.ok('logs', name)).includes('up'));
const runPolite = async (tsrun: Tsrun, ...options: string[]): Promise<void> => {
  await tsrun.ok(...BACKGROUND, ...options, '--name', 'c', IMAGE, ...POLITE);
  await isUp(tsrun);
};
const look = (tsrun: Tsrun) =>
  tsrun.ok('inspect', '--format', '{{.State.Status}} {{.State.ExitCode}} {{.State.ExitKnown}}', 'c');
const containers = async (tsrun: Tsrun): Promise<number> =>
  (await tsrun.ok('ps', '-aq')).split('\n').filter(Boolean).length;

/**
 * A status is the true one or not known, never another. 132: process 1 of a namespace cannot kill itself with SIGKILL, and dies of SIGILL;
 * before it was let go that is a start that failed, and not mentioned.
 */
const stopped = /^(created 0 \S+|running 0 true|exited 7 true|exited <nil> false|exited 13[27] true)$/;
const archive = (tsrun: Tsrun): string => join(tsrun.store.directory, 'busybox.tar');

/** @param reference an image in a registry */
export const scenarios = (reference: string): Scenario[] => [
  {
    name: 'pull',
    programs: ['tsrun', 'unpack-worker', 'native'],
    words: ['pull', '-q', reference],
    checkAgain: (tsrun) => tsrun.ok('run', '--rm', '--network', 'none', reference, 'true'),
    clean: (tsrun) => tsrun.ok('rmi', '-a', '-f'),
  },
  {
    name: 'run -d',
    programs: ['tsrun', 'native'],
    words: [...BACKGROUND, IMAGE, ...POLITE],
    checkAgain: async (tsrun, { stdout }) => {
      const lines = (await tsrun.ok('ps', '--no-trunc', '--format', '{{.ID}} {{.State}}')).split('\n');
      expect(lines).toContain(`${stdout.trim()} running`);
    },
  },
  {
    name: 'run -d -p',
    programs: ['tsrun', 'native'],
    words: ['run', '-d', '-p', '127.0.0.1::80', IMAGE, ...POLITE],
    checkAgain: async (tsrun, { stdout }) =>
      expect(await tsrun.ok('exec', stdout.trim(), 'ip', '-4', 'addr')).toMatch(/inet (?!127)/),
  },
  {
    name: 'run -d --network bridge',
    programs: ['tsrun', 'native'],
    words: ['run', '-d', '--network', 'bridge', '-p', '127.0.0.1::80', IMAGE, ...POLITE],
    checkAgain: async (tsrun, { stdout }) =>
      expect(await tsrun.ok('exec', stdout.trim(), 'ip', '-4', 'addr', 'show', 'eth0')).toContain('inet '),
  },
  {
    name: 'run --rm',
    programs: ['tsrun', 'native'],
    words: ['run', '--rm', '--network', 'none', IMAGE, 'sh', '-c', 'echo said; exit 3'],
    status: 3,
    check: (tsrun) => until('it ended', async () => (await tsrun.ok('ps', '-q')) === ''),
    checkAgain: async (_, { stdout }) => expect(stdout).toBe('said\n'),
  },
  {
    name: 'create',
    programs: ['tsrun', 'native'],
    words: ['create', '--replace', '--name', 'c', '--network', 'none', '-v', '/anonymous', IMAGE, 'true'],
    checkAgain: async (tsrun) => expect(await look(tsrun)).toMatch(/^created /),
    clean: (tsrun) => tsrun.ok('volume', 'prune', '-f', '-a'),
  },
  {
    name: 'start',
    programs: ['tsrun', 'native'],
    words: ['start', 'c'],
    prepare: (tsrun) => tsrun.ok('create', '--name', 'c', '--network', 'none', IMAGE, ...POLITE),
    check: async (tsrun) =>
      expect(await look(tsrun)).toMatch(/^(created|running|exited <nil> false|exited 132 true)/),
    checkAgain: async (tsrun) => expect(await look(tsrun)).toBe('running 0 true'),
  },
  {
    name: 'restart',
    programs: ['tsrun', 'native'],
    words: ['restart', '-t', '10', 'c'],
    prepare: (tsrun) => runPolite(tsrun),
    check: async (tsrun) => expect(await look(tsrun)).toMatch(stopped),
    checkAgain: async (tsrun) => expect(await look(tsrun)).toBe('running 0 true'),
  },
  {
    name: 'exec',
    programs: ['tsrun', 'native'],
    words: ['exec', 'c', 'sh', '-c', 'echo said; exit 3'],
    status: 3,
    prepare: (tsrun) => containers(tsrun).then((count) => (count === 0 ? runPolite(tsrun) : undefined)),
    // It reaps what an exec leaves; if it dies the container ends, as it is to.
    spare: async (tsrun) => Number(await tsrun.ok('inspect', '--format', '{{.State.SupervisorPid}}', 'c')),
    check: async (tsrun) => expect(await look(tsrun)).toBe('running 0 true'),
    checkAgain: async (tsrun, { stdout }) => {
      expect(stdout).toBe('said\n');
      await until('nothing of an exec is left', async () =>
        /^(sh|sleep)( (sh|sleep))?$/.test(
          (await tsrun.ok('top', 'c', '-eo', 'comm')).split('\n').slice(1).join(' '),
        ),
      );
    },
  },
  {
    name: 'stop',
    programs: ['tsrun', 'native'],
    words: ['stop', '-t', '10', 'c'],
    prepare: (tsrun) => runPolite(tsrun),
    check: async (tsrun) => expect(await look(tsrun)).toMatch(stopped),
    checkAgain: async (tsrun) =>
      expect(await look(tsrun)).toMatch(/^(created 0 \S+|exited (7 true|<nil> false|13[27] true))$/),
  },
  {
    name: 'rm',
    programs: ['tsrun', 'native'],
    words: ['rm', '-f', '-v', 'c'],
    prepare: (tsrun) => runPolite(tsrun, '-v', '/anonymous'),
    checkAgain: async (tsrun) => {
      expect(await containers(tsrun)).toBe(0);
      await tsrun.ok(...BACKGROUND, '--name', 'c', IMAGE, 'true');
    },
    clean: (tsrun) => tsrun.ok('volume', 'prune', '-f', '-a'),
  },
  {
    name: 'commit',
    programs: ['tsrun', 'pack-worker', 'unpack-worker', 'native'],
    words: ['commit', '-q', 'c', 'localhost/made'],
    prepare: (tsrun) =>
      containers(tsrun).then((count) =>
        count === 0
          ? tsrun.ok('run', '--network', 'none', '--name', 'c', IMAGE, 'sh', '-c', 'echo kept >/file')
          : undefined,
      ),
    check: async (tsrun) => expect(await look(tsrun)).toBe('exited 0 true'),
    checkAgain: async (tsrun) =>
      expect(await tsrun.ok('run', '--rm', '--network', 'none', 'localhost/made', 'cat', '/file')).toBe(
        'kept',
      ),
    clean: (tsrun) => tsrun.ok('rmi', 'localhost/made'),
  },
  {
    name: 'load',
    programs: ['tsrun', 'unpack-worker', 'native'],
    setUp: async (tsrun) => {
      await tsrun.ok('create', '--name', 'c', IMAGE);
      await tsrun.ok('save', '-o', archive(tsrun), IMAGE);
      await tsrun.ok('rm', 'c');
      await tsrun.ok('rmi', '-a', '-f');
    },
    words: ['load', '-q', '-i', 'busybox.tar'],
    checkAgain: (tsrun) => tsrun.ok('run', '--rm', '--network', 'none', '--pull', 'never', IMAGE, 'true'),
    clean: (tsrun) => tsrun.ok('rmi', '-a', '-f'),
  },
  {
    name: 'volume create',
    programs: ['tsrun', 'native'],
    words: ['volume', 'create', '--ignore', 'v'],
    checkAgain: async (tsrun) => expect(await tsrun.ok('volume', 'ls', '-q')).toBe('v'),
    clean: (tsrun) => tsrun.ok('volume', 'rm', 'v'),
  },
  {
    name: 'network create',
    programs: ['tsrun', 'native'],
    words: ['network', 'create', '--ignore', 'n'],
    checkAgain: (tsrun) => tsrun.ok('run', '--rm', '--network', 'n', IMAGE, 'true'),
    clean: (tsrun) => tsrun.ok('network', 'rm', 'n'),
  },
];
