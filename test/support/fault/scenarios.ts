/**
 * Commands that are killed at each step that they take (AC-4.1): what is there before, what may be there after, and what the same command
 * does when it is given once more.
 */
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

const look = (tsrun: Tsrun) =>
  tsrun.ok('inspect', '--format', '{{.State.Status}} {{.State.ExitCode}} {{.State.ExitKnown}}', 'c');
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
];
