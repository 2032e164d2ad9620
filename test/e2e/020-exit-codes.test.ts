/**
 * AC-5.1: `$?` is the command's own status; 125 when tsrun failed, 126 when the command cannot be executed, 127 when there is none of
 * that name, 128+n when signal n ended it. The same for run, exec and start -a, in every combination. Peers once returned 0 for a
 * status that they had lost, or found their own exit status by searching error texts for "not found".
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { shellLine } from '../support/shell-line.ts';
import { type Result, useTsrun } from '../support/tsrun.ts';

const tsrun = useTsrun();
const IMAGE = 'localhost/busybox';

beforeAll(async () => {
  await tsrun.ok('run', '-d', '--init', '--network', 'none', '--name', 'target', IMAGE, 'sleep', '1000');
});

let count = 0;

/** How each verb runs a command. */
const VERBS: Record<string, (words: readonly string[], options?: readonly string[]) => Promise<Result>> = {
  run: (words, options = []) => tsrun.run(['run', '--rm', '--network', 'none', ...options, IMAGE, ...words]),
  exec: (words, options = []) => tsrun.run(['exec', ...options, 'target', ...words]),
  'start -a': async (words, options = []) => {
    const name = `made-${count++}`;
    await tsrun.ok('create', '--network', 'none', '--name', name, ...options, IMAGE, ...words);
    const result = await tsrun.run(['start', '-a', name]);
    await tsrun.ok('rm', name);
    return result;
  },
};

/** Process 1 of a container cannot be killed by itself, so a shell that does needs another. */
const withInit = (verb: string): string[] => (verb === 'exec' ? [] : ['--init']);

/** The command's own words, and none of tsrun's. */
const SHELL: [script: string, status: number][] = [
  ...[0, 1, 3, 42, 125, 126, 127, 128, 137, 255].map((code): [string, number] => [`exit ${code}`, code]),
  ['kill -TERM $$', 143],
  ['kill -KILL $$', 137],
  ['kill -SEGV $$', 139],
  ['kill -HUP $$', 129],
];

/** What keeps a command from being executed. */
const IMPOSSIBLE: [what: string, words: string[], status: number][] = [
  ['a name that is nowhere in PATH', ['no-such-command'], 127],
  ['a path that does not exist', ['/no/such/command'], 127],
  ['a directory', ['/etc'], 126],
  ['a file without the execute bit', ['/etc/passwd'], 126],
  ['a path below a file', ['/etc/passwd/x'], 127],
];

describe.each(Object.entries(VERBS))('%s', (verb, call) => {
  it.each(SHELL)('sh -c "%s" → %i, without a word of tsrun', async (script, status) => {
    const result = await call(['sh', '-c', script], withInit(verb));
    expect([result.status, result.stdout, result.stderr]).toEqual([status, '', '']);
  });

  it.each(IMPOSSIBLE)('%s %j → %i, and says why', async (_what, words, status) => {
    const result = await call(words);
    expect(result.status, result.stderr).toBe(status);
    expect(result.stderr).toContain(words[0]);
    expect(result.stderr.trimEnd().split('\n').length).toBeLessThanOrEqual(4);
    expect(result.stdout).toBe('');
  });

  it.each(IMPOSSIBLE)('%s %j → %i with --init too', async (_what, words, status) => {
    expect((await call(words, withInit(verb))).status).toBe(status);
  });

  it('a working directory that is a file → 126', async () => {
    const result = await call(['true'], ['-w', '/etc/passwd']);
    expect(result.status, result.stderr).toBe(126);
    expect(result.stderr).toContain('/etc/passwd');
  });

  it('an option that does not exist → 125', async () => {
    const words = { run: ['run'], exec: ['exec'], 'start -a': ['start', '-a'] }[verb] ?? [];
    const result = await tsrun.run([...words, '--no-such-option', 'target']);
    expect(result.status, result.stderr).toBe(125);
    expect(result.stderr).toContain('--no-such-option');
  });

  it('an image or container that does not exist → 125', async () => {
    const words =
      { run: ['run', '--pull', 'never'], exec: ['exec'], 'start -a': ['start', '-a'] }[verb] ?? [];
    const result = await tsrun.run(
      [...words, 'localhost/nowhere', 'true'].slice(0, verb === 'start -a' ? 3 : undefined),
    );
    expect(result.status, result.stderr).toBe(125);
    expect(result.stderr).toContain('localhost/nowhere');
  });
});

it('a process 1 that is killed from outside → 137', async () => {
  const running = tsrun.start([
    'run',
    '--rm',
    '--network',
    'none',
    '--name',
    'victim',
    IMAGE,
    'sh',
    '-c',
    'echo up; sleep 1000',
  ]);
  await new Promise((resolve) => running.child.stdout?.once('data', resolve));
  await tsrun.ok('kill', 'victim');
  expect((await running.ended).status).toBe(137);
});

it('exec in a container that does not run → 125', async () => {
  await tsrun.ok('create', '--name', 'idle', IMAGE, 'true');
  const result = await tsrun.expect(125, ['exec', 'idle', 'true']);
  expect(result.stderr).toContain('idle');
});

it('a container that could not start leaves no container with --rm, and one that can be removed without', async () => {
  await tsrun.expect(127, ['run', '--rm', '--name', 'gone', IMAGE, 'no-such-command']);
  await tsrun.expect(127, ['run', '--name', 'stays', IMAGE, 'no-such-command']);
  const names = (await tsrun.ok('ps', '-a', '--format', '{{.Names}} {{.State}}')).split('\n');
  expect(names).toContain('stays created');
  expect(names.filter((line) => line.startsWith('gone'))).toEqual([]);
  await tsrun.ok('rm', 'stays');
});

it.each([
  ['exit 42', 42],
  ['exit 127', 127],
  ['kill -TERM $$', 143],
])('unshare sh -c "%s" → %i', async (script, status) => {
  await tsrun.expect(status, ['unshare', 'sh', '-c', script]);
});

it('unshare of a command that is not there → 127, of a directory → 126', async () => {
  await tsrun.expect(127, ['unshare', 'no-such-command']);
  await tsrun.expect(126, ['unshare', '/etc']);
});

it('wait and inspect tell the same status', async () => {
  await tsrun.ok('run', '-d', '--name', 'seven', '--network', 'none', IMAGE, 'sh', '-c', 'exit 7');
  expect(await tsrun.ok('wait', 'seven')).toBe('7');
  expect(await tsrun.ok('inspect', '--format', '{{.State.ExitCode}}', 'seven')).toBe('7');
});

/** One of them was wrong: a shell that is process 1 does not die of the signal it sends to itself. */
describe('what docs/exit-codes.md says', () => {
  const page = readFileSync(join(import.meta.dirname, '../../docs/exit-codes.md'), 'utf8');
  const rows = [...page.matchAll(/^\| (\S+) \| .* \| `(.*)`(?: gives (\d+))? \|$/gm)];

  it('has a line to try for each', () => expect(rows.length).toBe(5));

  it.each(rows.map(([, status, line = '', gives]) => [line, gives ?? status]))('%s', async (line, status) => {
    const { stdout } = await shellLine(tsrun, tsrun.store.directory, line.replaceAll('busybox', IMAGE));
    expect(stdout).toBe(`${status}\n`);
  });
});
