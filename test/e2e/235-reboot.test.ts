/**
 * After a reboot (AC-4.4): what ran is exited with unknown status, nobody is killed in the place of a process of the old boot, and
 * everything can be started again. The reboot is made by hand: all processes killed, the runtime directory gone, another boot id in
 * state.json, and in it the pid and start time of a process of today, as chance may have it.
 */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Running, start, useTsrun } from '../support/tsrun.ts';
import { until } from '../support/until.ts';

const tsrun = useTsrun();
const IMAGE = 'localhost/busybox';
const NAMES = ['plain', 'restarting', 'healthy'];

interface StateFile {
  bootId: string;
  supervisor: { pid: number; startTime: number };
  init: { pid: number; startTime: number };
}

let bystander: Running;
let chance: StateFile['init'];
const startTimeOf = (pid: number): number =>
  Number(
    readFileSync(`/proc/${pid}/stat`, 'latin1')
      .replace(/^.*\) /, '')
      .split(' ')[19],
  );
const isThere = (pid: number, startTime: number): boolean => {
  try {
    return startTimeOf(pid) === startTime;
  } catch {
    return false;
  }
};

async function reboot(): Promise<void> {
  chance = { pid: bystander.child.pid ?? 0, startTime: startTimeOf(bystander.child.pid ?? 0) };
  for (const name of NAMES) {
    const id = await tsrun.ok('inspect', '--format', '{{.Id}}', name);
    const file = join(tsrun.store.root, 'containers', id, 'state.json');
    const state = JSON.parse(readFileSync(file, 'utf8')) as StateFile;
    process.kill(state.supervisor.pid, 'SIGKILL');
    const { init, supervisor } = state;
    await until('its processes are gone', () =>
      [init, supervisor].every(({ pid, startTime }) => !isThere(pid, startTime)),
    );
    const other = {
      ...state,
      bootId: '00000000-0000-4000-8000-000000000000',
      init: chance,
      supervisor: chance,
    };
    writeFileSync(file, JSON.stringify(other));
  }
  rmSync(tsrun.store.runtime, { recursive: true, force: true });
}

beforeAll(async () => {
  bystander = start('sleep', ['1000']);
  const words = (name: string): string[] => ['run', '-d', '--network', 'none', '--name', name];
  const command = [IMAGE, 'sh', '-c', 'echo up; exec sleep 1000'];
  await tsrun.ok(...words('plain'), ...command);
  await tsrun.ok(...words('restarting'), '--restart', 'always', '--stop-timeout', '1', ...command);
  await tsrun.ok(...words('healthy'), '--health-cmd', 'true', '--health-interval', '1s', ...command);
  for (const name of NAMES) await until('it is up', async () => (await tsrun.ok('logs', name)) === 'up');
  await reboot();
});

afterAll(() => bystander.child.kill('SIGKILL'));

it('what ran has exited, with a status that nobody knows', async () => {
  const states = await tsrun.ok('ps', '-a', '--format', '{{.Names}} {{.State}}');
  expect(states.split('\n').sort()).toEqual(NAMES.map((name) => `${name} exited`).sort());
  expect(await tsrun.ok('ps', '-q')).toBe('');
  for (const name of NAMES) {
    const format = '{{.State.Status}} {{.State.Running}} {{.State.ExitKnown}}';
    expect(await tsrun.ok('inspect', '--format', format, name)).toBe('exited false false');
    expect(await tsrun.ok('logs', name)).toBe('up');
  }
});

it('a process of today that has the pid of one of yesterday is left alone', async () => {
  await tsrun.run(['kill', 'plain']);
  await tsrun.ok('stop', '-t', '0', 'plain');
  await tsrun.expect(125, ['exec', 'plain', 'true']);
  expect(bystander.child.exitCode).toBe(null);
  expect(bystander.child.signalCode).toBe(null);
  expect(isThere(chance.pid, chance.startTime)).toBe(true);
});

it('the generated unit starts those whose restart policy says so, and no others; and stops them', async () => {
  const unit = await tsrun.ok('generate', 'systemd', '--restart-service');
  const words = (key: string): string[] => {
    const line = unit.split('\n').find((text) => text.startsWith(`${key}=-`)) ?? '';
    return line.replace(/^.*? (?=start|stop)/, '').split(' ');
  };
  expect(await tsrun.ok(...words('ExecStart'))).toBe('restarting');
  expect(await tsrun.ok('ps', '--format', '{{.Names}}')).toBe('restarting');
  expect(await tsrun.ok(...words('ExecStop'))).toBe('restarting');
  expect(await tsrun.ok('ps', '-q')).toBe('');
  const { stderr } = await tsrun.expect(125, ['start', '--filter', 'restart-policy=sometimes']);
  expect(stderr).toContain('not one of no, on-failure, always, unless-stopped');
});

it('and each can be started again, or removed', async () => {
  await tsrun.ok('start', 'plain', 'restarting');
  for (const name of ['plain', 'restarting']) {
    expect(await tsrun.ok('inspect', '--format', '{{.State.Status}}', name)).toBe('running');
    await until('it is up again', async () => (await tsrun.ok('logs', name)).endsWith('up\nup'));
    expect(await tsrun.ok('exec', name, 'echo', 'hi')).toBe('hi');
  }
  await tsrun.ok('stop', '-t', '0', 'plain', 'restarting');
  await tsrun.ok('rm', ...NAMES);
  expect(await tsrun.ok('ps', '-aq')).toBe('');
});
