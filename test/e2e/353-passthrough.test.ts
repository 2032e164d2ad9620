/** `--log-driver passthrough` (LOG-1): the container has tsrun's own stdin, stdout and stderr, and nobody is in between. */

import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { shellLine } from '../support/shell-line.ts';
import { useTsrun } from '../support/tsrun.ts';

const tsrun = useTsrun();
const IMAGE = 'localhost/busybox';
const PASS = '--network none --log-driver passthrough';
const directory = mkdtempSync(join(tmpdir(), 'tsrun-passthrough-'));
afterAll(() => rmSync(directory, { recursive: true }));

const shell = (line: string) => shellLine(tsrun, directory, line);
const read = (name: string): string => readFileSync(join(directory, name), 'utf8');

it('a file is read and others are written without a relay; the exit status is the command’s, and no owner is changed', async () => {
  writeFileSync(join(directory, 'in'), 'one\ntwo\n');
  writeFileSync(join(directory, 'out'), 'before\n');
  const inside = `'read line; echo got $line; echo wrong >&2; exit 7'`;
  const line = `tsrun run --name direct -u 1000 ${PASS} ${IMAGE} sh -c ${inside} <in >>out 2>err`;
  expect((await shell(line)).status).toBe(7);
  expect(read('out')).toBe('before\ngot one\n');
  expect(read('err')).toBe('wrong\n');
  expect(statSync(join(directory, 'out')).uid).toBe(process.getuid!());
});

it('start has streams of its own; there is no log, and nothing to attach to', async () => {
  expect((await shell('tsrun start -a direct <in >again 2>err')).status).toBe(7);
  expect(read('again')).toBe('got one\n');
  expect((await tsrun.expect(125, ['logs', 'direct'])).stderr).toContain('--log-driver passthrough');
  await tsrun.ok('rm', 'direct');
  await shell(`tsrun run -d --name left ${PASS} ${IMAGE} sleep 1000 </dev/null >id 2>err`);
  expect((await tsrun.expect(125, ['attach', 'left'])).stderr).toContain('--log-driver passthrough');
  await tsrun.ok('rm', '-f', 'left');
});

it('a pipe’s end is seen when the container closes it, though that goes on', async () => {
  const inside = `'echo last; exec >/dev/null 2>&1; exec sleep 1000'`;
  const line = `tsrun run -d --cidfile cid --name going ${PASS} ${IMAGE} sh -c ${inside} </dev/null 2>/dev/null | cat`;
  const { stdout } = await shell(line);
  expect(stdout.split('\n').sort()).toEqual(['', read('cid').trim(), 'last'].sort());
  expect(await tsrun.ok('inspect', '--format', '{{.State.Status}}', 'going')).toBe('running');
  await tsrun.ok('rm', '-f', 'going');
});

it('a terminal is refused, in which the container could type as the user (TIOCSTI), and nothing stays', async () => {
  for (const redirection of ['', '</dev/null', '</dev/null >/dev/null']) {
    const script = `script -qec 'tsrun run --rm ${PASS} ${IMAGE} true ${redirection}' /dev/null </dev/null`;
    const { stdout, status } = await shell(script);
    expect(stdout).toMatch(/descriptor [012] is a terminal/);
    expect(status).toBe(125);
  }
  expect(await tsrun.ok('ps', '-aq')).toBe('');
});

it('-t, -a, --restart and log options contradict it, at once and later', async () => {
  for (const option of [['-t'], ['-a', 'stdout'], ['--restart', 'always'], ['--log-opt', 'max-size=1m']]) {
    const words = [
      'run',
      '--rm',
      '--network',
      'none',
      '--log-driver',
      'passthrough',
      ...option,
      IMAGE,
      'true',
    ];
    const without = words.filter((word) => word !== '--rm' || option[0] !== '--restart');
    expect((await tsrun.expect(125, without)).stderr).toContain('passthrough');
  }
  await tsrun.ok(
    'create',
    '--name',
    'made',
    '--network',
    'none',
    '--log-driver',
    'passthrough',
    IMAGE,
    'true',
  );
  const { stderr } = await tsrun.expect(125, ['update', '--restart', 'always', 'made']);
  expect(stderr).toContain('passthrough');
  await tsrun.ok('update', '--restart', 'no', 'made');
  await tsrun.ok('rm', 'made');
});
