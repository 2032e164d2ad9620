/** AC-1.5: a user without subordinate ids gets containers with one user, and is told so once. */
import { readFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { expect, it } from 'vitest';
import { useTsrun } from '../support/tsrun.ts';

const tsrun = useTsrun();

it('is run by a user who has none', () => {
  const owners = readFileSync('/etc/subuid', 'utf8')
    .split('\n')
    .map((line) => line.split(':')[0]);
  expect(owners).not.toContain(userInfo().username);
  expect(owners).not.toContain(String(userInfo().uid));
});

it('runs as root of the container, which is the user', async () => {
  const script = 'id -u; cat /proc/self/uid_map';
  const { stdout } = await tsrun.expect(0, ['run', '--rm', 'localhost/busybox', 'sh', '-c', script]);
  expect(stdout.trim().split(/\s+/)).toEqual(['0', '0', String(userInfo().uid), '1']);
});

it('says so in one line that names the remedy', async () => {
  const { stderr } = await tsrun.expect(0, ['run', '--rm', 'localhost/busybox', 'true']);
  expect(stderr.split('\n').filter((line) => /subordinate|subuid/.test(line))).toHaveLength(1);
});
