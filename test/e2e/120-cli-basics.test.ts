/** The command line itself: help, mistakes, names, templates, completion. What the commands do is in the other files. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { COMMANDS } from '../../src/cli/commands.ts';
import { BINARY, start, useTsrun } from '../support/tsrun.ts';

const tsrun = useTsrun();
const IMAGE = 'localhost/busybox';
const NAMES = Object.keys(COMMANDS);

beforeAll(async () => {
  for (const name of ['first', 'second'])
    await tsrun.ok('create', '--network', 'none', '--name', name, IMAGE, 'sleep', '1000');
});

describe('help', () => {
  it('lists every command, on stdout, with status 0', async () => {
    const { stdout, stderr } = await tsrun.expect(0, ['--help']);
    expect(stderr).toBe('');
    for (const name of NAMES) expect(stdout).toContain(`  ${name} `);
    expect(await tsrun.ok('help')).toBe(stdout.trimEnd());
  });

  it('without a command is said on stderr, with status 125', async () => {
    const { stdout, stderr } = await tsrun.expect(125, []);
    expect([stdout, stderr.split('\n')[0]]).toEqual(['', 'Usage: tsrun [OPTION…] COMMAND …']);
  });

  it('of each command begins with its usage, however it is asked for', async () => {
    const texts = await Promise.all(NAMES.map((name) => tsrun.ok(...name.split(' '), '--help')));
    texts.forEach((text, i) => {
      expect(text).toMatch(new RegExp(`^Usage: tsrun ${NAMES[i]}( |$)`, 'm'));
    });
    expect(await tsrun.ok('help', 'container', 'ls')).toBe(await tsrun.ok('ps', '--help'));
  });
});

describe('mistakes', () => {
  it('an option that there is not is refused by every command, and nothing is done', async () => {
    const results = await Promise.all(
      NAMES.filter((name) => name !== 'completion').map(async (name) => ({
        name,
        ...(await tsrun.run([...name.split(' '), '--no-such-option', 'x'])),
      })),
    );
    for (const { name, status, stdout, stderr } of results) {
      expect([name, status, stdout]).toEqual([name, 125, '']);
      expect(stderr, name).toMatch(/^tsrun: .*--no-such-option/);
      expect(stderr.trimEnd().split('\n').length, name).toBeLessThanOrEqual(4);
    }
  });

  it.each([
    [['rnu'], 'tsrun run'],
    [['run', '--publsih', '80', IMAGE], '--publish'],
    [['container', 'lss'], 'tsrun container'],
    [['stop'], 'tsrun ps -a'],
    [['completion', 'bahs'], 'tsrun completion bash'],
  ])('%j: what was meant is said', async (words, hint) => {
    const { stderr } = await tsrun.expect(125, words);
    expect(stderr).toContain(hint);
  });
});

describe('names', () => {
  it('the beginning of an id will do, where it is of one container only; else the candidates are named', async () => {
    const ids = (await tsrun.ok('ps', '-aq', '--no-trunc')).split('\n');
    const [id = ''] = ids;
    expect(await tsrun.ok('inspect', '--format', '{{.Id}}', id.slice(0, 12))).toBe(id);
    // So many that two ids must begin alike: there are 16 digits.
    const more = Array.from({ length: 16 }, () => tsrun.ok('create', '--network', 'none', IMAGE, 'true'));
    const all = [...ids, ...(await Promise.all(more))];
    const digit =
      [...'0123456789abcdef'].find((d) => all.filter((one) => one.startsWith(d)).length > 1) ?? '';
    const { stderr } = await tsrun.expect(125, ['start', digit]);
    for (const one of all.filter((found) => found.startsWith(digit)))
      expect(stderr).toContain(one.slice(0, 12));
    await tsrun.ok('rm', ...all.slice(2));
  });

  it('one that there is not is told, and the others are done', async () => {
    const { stdout, stderr } = await tsrun.expect(125, ['start', 'first', 'nobody', 'second']);
    expect(stdout).toBe('first\nsecond\n');
    expect(stderr).toContain('nobody');
    await tsrun.ok('stop', '-t', '0', 'first', 'second');
  });
});

describe('--format', () => {
  it.each([
    [['ps', '-a', '--format', '{{.Names}}\t{{.Image}}'], /^(first|second)\t\S*busybox/m],
    [['ps', '-a', '--format', 'json'], /^\s*[[{]/],
    [['images', '--format', '{{.Repository}}:{{.Tag}}'], /busybox:latest/],
    [['inspect', '--format', '{{json .State}}', 'first'], /^\{.*"Status":/],
    [['inspect', '--format', '{{if .Id}}{{.Name | len}}{{end}}', 'first'], /^\d+$/],
    [['info', '--format', 'json'], /^\s*\{/],
    [['version', '--format', 'json'], /^\s*\{/],
  ])('%j', async (words, wanted) => {
    expect(await tsrun.ok(...words)).toMatch(wanted);
  });

  it('that is none is refused, and says where', async () => {
    const { stderr, stdout } = await tsrun.expect(125, ['ps', '--format', '{{.Names']);
    expect(stdout).toBe('');
    expect(stderr).toContain('{{.Names');
  });
});

// What was pulled there did not start: the supervisor, which works elsewhere, was told of the path as it was written.
it('--root may be relative to where one is', async () => {
  const root = ['--root', './other/../elsewhere'];
  expect(await tsrun.ok(...root, 'run', '--name', 'here', '--network', 'none', IMAGE, 'echo', 'ran')).toBe(
    'ran',
  );
  const absolute = join(tsrun.store.directory, 'elsewhere');
  expect(await tsrun.ok('--root', `${absolute}/`, 'ps', '-a', '--format', '{{.Names}}')).toBe('here');
  expect(await tsrun.ok(...root, 'info', '-f', '{{.store.root}}')).toBe(absolute);
  await tsrun.ok(...root, 'system', 'reset', '-f');
  expect(existsSync(absolute)).toBe(false);
});

describe('completion', () => {
  it('offers what there is at the moment', async () => {
    expect(await tsrun.ok('completion', 'words', '--', 'stop', '')).toBe('first\nsecond');
    expect(await tsrun.ok('completion', 'words', '--', 'rmi', 'localhost')).toBe('localhost/busybox');
    expect(await tsrun.ok('completion', 'words', '--', 'run', '--network', 'h')).toBe('host');
  });

  it('works in bash', () => {
    const script = `
      source <("${BINARY}" completion bash)
      COMP_LINE="${BINARY} start fi"; COMP_POINT=\${#COMP_LINE}
      _tsrun; echo "\${COMPREPLY[@]}"`;
    const { stdout, stderr } = spawnSync('bash', ['-c', script], { encoding: 'utf8', env: tsrun.store.env });
    expect([stdout, stderr]).toEqual(['first\n', '']);
  });
});

describe('generate systemd', () => {
  it('prints a unit whose commands run the container, anew if it runs already, and stop it', async () => {
    const unit = await tsrun.ok('generate', 'systemd', '--name', '--time', '0', 'first');
    const run = async (key: string): Promise<void> => {
      const [, line = ''] = new RegExp(`^${key}=(.*)$`, 'm').exec(unit) ?? [];
      expect(line).not.toBe('');
      const { status, stderr } = await start('sh', ['-c', line], { env: tsrun.store.env }).ended;
      expect([status, stderr]).toEqual([0, '']);
    };
    const running = () => tsrun.ok('ps', '--format', '{{.Names}}');
    await run('ExecStartPre');
    await run('ExecStart');
    expect(await running()).toBe('first');
    await run('ExecStartPre');
    expect(await running()).toBe('');
    await run('ExecStart');
    await run('ExecStop');
    expect(await running()).toBe('');
    expect(await tsrun.ok('inspect', '--format', '{{.State.ExitCode}}', 'first')).toBe('137');
  });

  it('--new is refused by name', async () => {
    expect((await tsrun.expect(125, ['generate', 'systemd', '--new', 'first'])).stderr).toContain('--new');
  });
});

// Each was "a bug in tsrun", or a cause of "[object Object]", and came when the container was made, or the image pushed.
it('a file that cannot be written is refused before the work whose result it is for', async () => {
  const place = '/nonexistent/file';
  for (const words of [
    ['create', '--network', 'none', '--cidfile', place, IMAGE, 'true'],
    ['run', '--network', 'none', '--cidfile', place, IMAGE, 'true'],
    ['run', '--network', 'none', '--log-opt', `path=${place}`, IMAGE, 'true'],
    ['push', '--digestfile', place, IMAGE, `dir:${join(tsrun.store.directory, 'pushed')}`],
  ]) {
    const { stderr } = await tsrun.expect(125, words);
    expect(stderr).toMatch(/^cause: ENOENT: no such file or directory, access '\/nonexistent'$/m);
    expect(stderr).not.toContain('bug');
  }
  expect((await tsrun.ok('ps', '-a', '--format', '{{.Names}}')).split('\n').sort()).toEqual([
    'first',
    'second',
  ]);
  expect(existsSync(join(tsrun.store.directory, 'pushed'))).toBe(false);
  const { stderr } = await tsrun.expect(125, ['container', 'prune', '-f', '--filter', 'until=soon']);
  expect(stderr).toMatch(/^tsrun: --filter until=soon: not a time\nhint: --filter until=10m /);
});
